"""No provider answers for ten minutes: all that was read is told, and only probes are sent."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from fault_world import PROVIDERS, REQUEST_SECONDS, Faulty, Rows, Told, faulty, is_whole
from wire_faults import CASES

REFERENCES = [f"C-{number}" for number in range(1001, 1006)]
TEN_MINUTES = timedelta(minutes=10)
EVERY_SECONDS = 10
# Until the circuit opens: ten failures with a fifth of retries. Then pauses of 1, 2, 4, 8, 16 s and
# from then on of 30 s, each a fifth shorter at most: six and 600 / 24 probes.
MOST_CALLS = 12 + 6 + 25


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    folder = tmp_path_factory.mktemp("dead")
    # So every question would have its provider asked.
    with faulty(folder, customers=10, environment={"GATEWAY_CACHE__FRESH_FOR": "5s"}) as one:
        yield one


def asked_for_ten_minutes(served: Faulty) -> list[tuple[str, Told]]:
    """Return what was told of each customer, time after time."""
    told = []
    for _ in range(int(TEN_MINUTES.total_seconds()) // EVERY_SECONDS):
        served.move(EVERY_SECONDS)
        told += [(reference, served.ask(reference)) for reference in REFERENCES]
    return told


def recovered(served: Faulty) -> dict[str, Rows]:
    """Return the rows of all customers once all providers answer again."""
    return {reference: served.until_whole(reference).rows for reference in REFERENCES}


@pytest.mark.parametrize("fault", ["503", "reset"])
def test_with_all_providers_dead_what_was_read_is_told_and_only_probes_are_sent(
    served: Faulty, fault: str
) -> None:
    rows = recovered(served)
    for name in PROVIDERS:
        served.wire.set_fault(name, CASES[fault].fault)
    served.wire.calls.clear()

    told = asked_for_ten_minutes(served)
    calls = dict(served.wire.calls)
    served.wire.clear()

    assert len(told) == 300
    # But for a moment in which the machine does something else, and then tells all who ask late.
    assert sorted(one.seconds for _, one in told)[-len(REFERENCES)] < REQUEST_SECONDS
    for reference, one in told:
        assert is_whole(one, "STALE"), one.body
        assert one.rows == rows[reference]
    for name in PROVIDERS:
        assert 1 <= calls[name] <= MOST_CALLS
    assert recovered(served) == rows


def test_providers_that_answer_are_asked_far_more_often_by_the_same_questions(
    served: Faulty,
) -> None:
    recovered(served)
    served.wire.calls.clear()

    asked_for_ten_minutes(served)

    for name in PROVIDERS:
        assert served.wire.calls[name] > 2 * MOST_CALLS


def test_who_was_never_read_is_told_that_nobody_answers(served: Faulty) -> None:
    for name in PROVIDERS:
        served.wire.set_fault(name, CASES["503"].fault)

    told = served.ask(served.unread())
    served.wire.clear()

    assert told.seconds < REQUEST_SECONDS
    assert told.states == dict.fromkeys(PROVIDERS, "UNAVAILABLE")
    assert told.rows == []
    assert len(told.errors) == len(PROVIDERS)
