"""One provider in any fault: it is named, all others are served in time, and it recovers."""

from collections.abc import Iterator
from itertools import product

import pytest
from fault_world import (
    PROVIDERS,
    REQUEST_SECONDS,
    STALE_AFTER_SECONDS,
    Faulty,
    Told,
    faulty,
    is_whole,
)
from judging_answers import LATER, assert_named, assert_stale, without
from memory import forget_peak, peak_bytes, resident_bytes
from wire_faults import CASES, bomb

WARM = "C-1001"
MOST_BYTES = 50 << 20
EACH = list(product(PROVIDERS, CASES))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    folder = tmp_path_factory.mktemp("faults")
    bomb()  # it takes seconds to make
    with faulty(folder, customers=len(EACH) + 10) as one:
        yield one


@pytest.fixture
def well(served: Faulty) -> Iterator[Faulty]:
    """Serve a gateway that has just read everything of one customer."""
    served.recovered(WARM)
    yield served
    served.wire.clear()


def told_why(served: Faulty, name: str) -> Told:
    """Ask until the refresh that the first question began has failed."""
    asked: list[Told] = []
    while not asked or not asked[-1].sources[name]["error"]:
        asked.append(served.ask(WARM))
        assert len(asked) < 500
    return asked[-1]


@pytest.mark.parametrize(("name", "fault"), EACH)
def test_a_failing_provider_is_named_or_stale_the_others_are_served_and_it_recovers(
    well: Faulty, name: str, fault: str
) -> None:
    case, reference = CASES[fault], well.unread()
    whole = well.ask(WARM).rows
    before = resident_bytes(well.pid)
    forget_peak(well.pid)
    well.wire.set_fault(name, case.fault)

    cold = well.ask(reference)
    well.move(STALE_AFTER_SECONDS)
    first = well.ask(WARM)
    warm = told_why(well, name)
    grown = peak_bytes(well.pid) - before
    well.wire.clear()
    healed = well.recovered(reference)

    assert_named(cold, name, case.codes, REQUEST_SECONDS)
    assert_stale(first, name, whole, REQUEST_SECONDS)
    assert_stale(warm, name, whole, REQUEST_SECONDS)
    assert warm.sources[name]["error"]["code"] in case.codes | {LATER}
    assert without(healed.rows, name) == cold.rows
    assert is_whole(well.recovered(WARM), "FRESH")
    assert grown < MOST_BYTES
    assert well.wire.astray == 0
