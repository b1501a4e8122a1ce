"""What an account holds, as its provider reports it and as its history adds up to."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Context, Decimal, Inexact, localcontext
from typing import NamedTuple

from app.model.entries import Entry
from app.model.money import Money, UnitKind, plain

# An amount has at most 41 digits, so that every sum fits; it would fail before it is rounded.
_EXACT = Context(prec=100, traps=[Inexact])
_NOTHING = Decimal(0)
Unit = tuple[str, UnitKind]


class Holding(NamedTuple):
    """What an account holds in one unit; None for what is not known."""

    reported: Money | None
    computed: Money | None

    @property
    def drift(self) -> Money | None:
        """What is reported beyond the history; None where either is not known."""
        if self.reported is None or self.computed is None:
            return None
        amount = _EXACT.subtract(self.reported.amount, self.computed.amount)
        return Money(amount, self.reported.unit, self.reported.kind)


def holdings(reported: Iterable[Money] | None, changes: Iterable[Entry] | None) -> list[Holding]:
    """Return what the account holds in each unit, in the order of the units' names.

    `reported` is None where nothing is known of it, `changes` is unless they are the whole history.
    A reported unit without changes adds up to zero. Changes in a unit that is not reported are told
    unless they add up to zero. Where nothing is reported yet, there is one holding at least.
    """
    computed = None if changes is None else _sums(change.amount for change in changes)
    amounts = _sums(reported or ())
    units = {unit for unit, amount in (computed or {}).items() if amount} | set(amounts)
    if reported is None and not units:
        units = set(computed or ())
    told = [
        Holding(_money(unit, amounts) if unit in amounts else None, _money(unit, computed))
        for unit in sorted(units)
    ]
    return told if told or reported is not None else [Holding(None, None)]


def drift_of(held: Iterable[Holding]) -> str:
    """Return a mark of what does not add up, such as "points 12.5"; empty where all does."""
    drifts = [holding.drift for holding in held]
    return ", ".join(
        f"{one.unit} {plain(_EXACT.normalize(one.amount))}" for one in drifts if one and one.amount
    )


def _sums(amounts: Iterable[Money]) -> dict[Unit, Decimal]:
    of_unit: defaultdict[Unit, list[Decimal]] = defaultdict(list)
    for money in amounts:
        of_unit[money.unit, money.kind].append(money.amount)
    with localcontext(_EXACT):
        return {unit: sum(some, _NOTHING) for unit, some in of_unit.items()}


def _money(unit: Unit, sums: Mapping[Unit, Decimal] | None) -> Money | None:
    return None if sums is None else Money(sums.get(unit, _NOTHING), *unit)
