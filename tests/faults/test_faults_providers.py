"""One provider in any fault: it is named, all others are served in time, and it recovers."""

from collections.abc import Iterator
from itertools import product

import pytest
from bearing_faults import calls_while_borne
from fault_world import PROVIDERS, Faulty, faulty, is_whole
from wire_faults import CASES, bomb

EACH = list(product(PROVIDERS, CASES))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    folder = tmp_path_factory.mktemp("faults")
    bomb()  # it takes seconds to make
    with faulty(folder, customers=len(EACH) + 40) as one:
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


@pytest.mark.parametrize("fault", ["gzip_bomb", "huge"])
def test_a_provider_that_sends_too_much_is_soon_left_alone(served: Faulty, fault: str) -> None:
    served.recovered(served.unread())
    served.wire.set_fault("hosting", CASES[fault].fault)
    served.wire.calls.clear()
    for _ in range(10):
        served.ask(served.unread(), "hosting")
    asked = served.wire.calls["hosting"]
    for _ in range(5):
        served.ask(served.unread(), "hosting")
    served.wire.clear()

    assert 5 <= asked == served.wire.calls["hosting"]
    assert is_whole(served.recovered(served.unread()), "FRESH")
