"""What is reported and what a history adds up to, unit by unit."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from histories import change
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from app.history.balances import Holding, drift_of, holdings
from app.model.entries import CreditChange
from app.model.money import Money, UnitKind

UNITS = [("CZK", UnitKind.CURRENCY), ("EUR", UnitKind.CURRENCY), ("CZK", UnitKind.POINTS)]
EUR, CZK = UNITS[1], UNITS[0]
AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, places=None).filter(
    lambda amount: len(amount.as_tuple().digits) <= 30 and abs(amount.adjusted()) <= 20
)
MONEY = st.builds(lambda amount, unit: Money(amount, *unit), AMOUNTS, st.sampled_from(UNITS))
REPORTED = st.lists(MONEY, max_size=3, unique_by=lambda money: (money.unit, money.kind))


def money(amount: str, unit: tuple[str, UnitKind] = EUR) -> Money:
    return Money(Decimal(amount), *unit)


def changes(*amounts: Money) -> list[CreditChange]:
    return [replace(change(second), amount=amount) for second, amount in enumerate(amounts)]


def sum_of(amounts: Sequence[Money], unit: tuple[str, UnitKind]) -> Fraction:
    mine = [Fraction(one.amount) for one in amounts if (one.unit, one.kind) == unit]
    return sum(mine, Fraction(0))


@given(reported=REPORTED, amounts=st.lists(MONEY, max_size=30))
def test_every_unit_adds_up_exactly_for_itself(reported: list[Money], amounts: list[Money]) -> None:
    found = holdings(reported, changes(*amounts))

    told = {}
    for holding in found:
        known = holding.reported or holding.computed
        assert known
        told[known.unit, known.kind] = holding
    assert list(told) == sorted(told)
    assert len(told) == len(found)
    for unit in UNITS:
        computed = sum_of(amounts, unit)
        holding = told.get(unit, Holding(None, None))
        shown = next((one for one in reported if (one.unit, one.kind) == unit), None)
        assert holding.reported == shown
        if shown:
            assert holding.computed
            assert holding.drift
            assert Fraction(holding.computed.amount) == computed
            assert Fraction(holding.drift.amount) == Fraction(shown.amount) - computed
            assert (holding.drift.unit, holding.drift.kind) == unit
        elif computed:
            assert holding.computed
            assert Fraction(holding.computed.amount) == computed
            assert holding.drift is None
        else:
            assert unit not in told


@given(reported=REPORTED)
def test_nothing_is_computed_from_a_part_of_a_history(reported: list[Money]) -> None:
    found = holdings(reported, None)

    assert {holding.reported for holding in found} == set(reported)
    assert all(holding.computed is None and holding.drift is None for holding in found)


def test_a_history_is_told_where_nothing_is_reported() -> None:
    used_up = changes(money("3", CZK), money("-3", CZK))

    assert holdings(None, [*changes(money("2"), money("-0.5")), *used_up]) == [
        Holding(None, money("1.5"))
    ]
    assert holdings(None, used_up) == [Holding(None, money("0", CZK))]


def test_one_holding_says_that_nothing_is_known() -> None:
    assert holdings(None, None) == holdings(None, []) == [Holding(None, None)]


def test_nothing_is_held_where_nothing_is_reported_and_nothing_ever_changed() -> None:
    assert holdings([], []) == holdings([], None) == []


def test_a_drift_is_marked_by_its_units_and_amounts_however_they_are_written() -> None:
    history = changes(money("2.50"), money("1", CZK))

    off = drift_of(holdings([money("3"), money("1.00", CZK)], history))
    same = drift_of(holdings([money("1", CZK), money("3.0000")], history))
    other = drift_of(holdings([money("3"), money("-1", CZK)], history))
    none = drift_of(holdings([money("2.5"), money("1", CZK)], history))

    assert off == "EUR 0.5"
    assert same == off
    assert other == "CZK -2, EUR 0.5"
    assert none == ""
