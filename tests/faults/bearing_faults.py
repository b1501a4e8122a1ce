"""What a gateway must do while one provider is in a fault, whichever it is, and after it."""

from collections.abc import Callable, Collection

from fault_world import REQUEST_SECONDS, STALE_AFTER_SECONDS, Faulty, Told, is_whole
from judging_answers import LATER, assert_named, assert_stale, without
from memory import forget_peak, peak_bytes, resident_bytes

MOST_BYTES = 50 << 20
_WARM = "C-1001"


def calls_while_borne(
    served: Faulty, name: str, codes: Collection[str], begin: Callable[[], None]
) -> int:
    """Hold a gateway to serving all others within the deadline, and to little memory.

    `begin` lets the fault begin, and clearing the wire ends it. Returns how many requests the
    provider was sent meanwhile.
    """
    reference, whole = served.unread(), served.recovered(_WARM).rows
    before = resident_bytes(served.pid)
    forget_peak(served.pid)
    served.wire.calls.clear()
    try:
        begin()
        cold = served.ask(reference)
        served.move(STALE_AFTER_SECONDS)
        first = served.ask(_WARM)
        warm = _told_why(served, name)
        grown = peak_bytes(served.pid) - before
        calls = served.wire.calls[name]
    finally:
        served.wire.clear()
    healed = served.recovered(reference)

    assert_named(cold, name, codes, REQUEST_SECONDS)
    assert_stale(first, name, whole, REQUEST_SECONDS)
    assert_stale(warm, name, whole, REQUEST_SECONDS)
    assert warm.sources[name]["error"]["code"] in {*codes, LATER}
    assert without(healed.rows, name) == cold.rows
    assert is_whole(served.recovered(_WARM), "FRESH")
    assert grown < MOST_BYTES
    return calls


def _told_why(served: Faulty, name: str) -> Told:
    """Ask until the refresh that the first question began has failed."""
    asked: list[Told] = []
    while not asked or not asked[-1].sources[name]["error"]:
        asked.append(served.ask(_WARM))
        assert len(asked) < 500
    return asked[-1]
