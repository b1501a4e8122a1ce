"""One provider in any fault: it is named, all others are served in time, and it recovers."""

from collections.abc import Iterator
from itertools import product

import pytest
from bearing_faults import calls_while_borne
from fault_world import PROVIDERS, Faulty, faulty
from wire_faults import CASES, bomb

EACH = list(product(PROVIDERS, CASES))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    folder = tmp_path_factory.mktemp("faults")
    bomb()  # it takes seconds to make
    with faulty(folder, customers=len(EACH) + 10) as one:
        yield one


@pytest.mark.parametrize(("name", "fault"), EACH)
def test_a_failing_provider_is_named_or_stale_the_others_are_served_and_it_recovers(
    served: Faulty, name: str, fault: str
) -> None:
    case = CASES[fault]

    def begin() -> None:
        served.wire.set_fault(name, case.fault)

    assert calls_while_borne(served, name, case.codes, begin) > 0
    assert served.wire.astray == 0
