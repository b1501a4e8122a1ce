"""What a provider offers: one page of one stream, newest first, from a place."""

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar, NamedTuple, Protocol

from app.model.accounts import Account, ProviderKind
from app.model.entries import Entry, Stream
from app.model.money import Money
from app.providers.health import Health


class Capability(StrEnum):
    CREDIT_CHANGES = "CREDIT_CHANGES"
    PAYMENTS = "PAYMENTS"
    BALANCE = "BALANCE"


class Page(NamedTuple):
    """Entries, newest first, and the place where the provider's list continues.

    `next` is None at the beginning of the history. The first `overlap` entries repeat the end of
    the page before, unless the list has moved. `total` is how many entries the provider counts in
    the whole list, None where it does not tell. With `shifts`, entries that come or go move others
    over the edges of the pages, unseen.

    `digest` is that of what it was made of, and `units` the table by which currencies were read, if
    they were; a provider that tells the same again gives the same page.
    """

    entries: tuple[Entry, ...]
    next: str | None
    overlap: int = 0
    total: int | None = None
    shifts: bool = False
    digest: bytes = b""
    units: Mapping[str, str] | None = None


NO_PAGE = Page((), None)


class Provider(Protocol):
    """One installation of one provider's product."""

    kind: ClassVar[ProviderKind]
    capabilities: ClassVar[frozenset[Capability]]

    @property
    def name(self) -> str:
        """The name in the configuration."""

    @property
    def health(self) -> Health:
        """How its recent calls went."""

    @property
    def translation(self) -> str:
        """A mark that changes with every setting that changes how its answers are read."""

    async def page(
        self, account: Account, stream: Stream, place: str | None, before: Page = NO_PAGE
    ) -> Page:
        """Read one page, newest first; `place` is a former page's `next`, None for the newest.

        `before` is what was there before. Where the provider tells the same, it is returned.
        Raises `UpstreamError` when the provider cannot answer, and `PlaceLost` when `place` no
        longer continues its list, so that the page before has to be read again.
        """

    async def balance(self, account: Account) -> tuple[Money, ...]:
        """Read what the account holds now, one amount for each unit; raises `UpstreamError`."""

    async def aclose(self) -> None:
        """Close the connections."""


def supports(provider: Provider, stream: Stream) -> bool:
    return Capability[stream.name] in provider.capabilities
