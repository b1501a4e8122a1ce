"""How far to trust each account's part of a list."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self

import strawberry

from app.api import histories
from app.api.types.reading import read
from app.model.errors import UpstreamError

if TYPE_CHECKING:
    from app.api.types.accounts import Account


@strawberry.type(description="Why an account could not be read at its provider.")
class SourceError:
    code: histories.SourceErrorCode
    message: str = strawberry.field(
        description="A sentence for people; it holds nothing that the provider said."
    )
    retry_at: datetime | None = strawberry.field(description="Not asked again before this instant.")

    @classmethod
    def maybe(cls, error: UpstreamError | None) -> Self | None:
        if error is None:
            return None
        code = histories.SourceErrorCode(error.code)
        return cls(code=code, message=str(error), retry_at=error.retry_at)


@strawberry.type(description="What one account contributed to a list, and how far to trust it.")
class HistorySource:
    source: strawberry.Private[histories.Source]
    account: Annotated["Account", strawberry.lazy("app.api.types.accounts")]
    state: histories.SourceState = read("source.state")
    read_at: datetime | None = read(
        "source.read_at",
        "When the provider last confirmed the newest end of this history.",
    )
    complete_from: datetime | None = read(
        "source.complete_from",
        "Every entry at or after this instant is known; null when nothing is.",
    )
    complete: bool = read(
        "source.complete", "True when the history is known to its very beginning."
    )
    error: SourceError | None = read(
        lambda self: SourceError.maybe(self.source.error),
        "Why the source is STALE or UNAVAILABLE.",
    )
