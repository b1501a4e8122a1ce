"""Rows are compiled as any list's are: nothing of them goes the long way of resolvers."""

from collections.abc import Callable
from time import process_time

import strawberry
from histories import START, change
from msgspec.structs import replace

from app.api.types.accounts import Account
from app.api.types.entries import CreditChange
from app.api.types.providers import Provider
from app.exports.rows import Fields, Rows, rows_of
from app.model.accounts import Account as Record
from app.model.accounts import AccountStatus, ProviderKind
from app.model.entries import Stream
from app.providers.health import ProviderState

ROWS = 500
ROUNDS = 5


def entries() -> list[CreditChange]:
    kind, status = ProviderKind.CLOUDREVE, AccountStatus.ACTIVE
    provider = Provider(name="cloud", kind=kind, able=(), state=ProviderState.UP, since=None)
    record = Record("00000000000000a1", "c", "cloud", START)
    account = Account(
        record=record,
        kind=kind,
        id=strawberry.ID("YTo"),
        provider=provider,
        external_id=None,
        label=None,
        status=status,
        linked_at=START,
    )
    change_ = replace(change(0), details={"reason": "even"})
    return [CreditChange.of(replace(change_, position=n), account) for n in range(ROWS)]


def seconds(run: Callable[[], list[Fields]]) -> float:
    """Return the processor time of the fastest of some runs, the first of which compiles."""
    took = []
    for _ in range(ROUNDS):
        began = process_time()
        assert len(run()) == ROWS
        took.append(process_time() - began)
    return min(took)


def test_no_field_of_a_row_is_left_to_its_resolver() -> None:
    rows, others, shown = rows_of(Stream.CREDIT_CHANGES), Rows(Stream.CREDIT_CHANGES), entries()
    del others._schema._strawberry_schema  # type: ignore[attr-defined] # by it resolvers are known

    compiled, resolved = seconds(lambda: rows.shown(shown)), seconds(lambda: others.shown(shown))

    assert rows.shown(shown) == others.shown(shown)
    assert compiled < resolved / 2
