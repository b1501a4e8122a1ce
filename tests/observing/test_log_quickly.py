"""Lines that go out at once are, to the byte, what everything that is logged would have made."""

import json
import os
import re
from collections.abc import Iterator

import pytest
import structlog
from structlog.testing import capture_logs

from app.observing.lines import Lines, quick
from app.observing.observation import Observation, Operation
from app.observing.requests import RequestLog, Sent, request_fields

FIELDS = {
    "request_id": "a-1",
    "duration_ms": 0.5,
    "method": "POST",
    "path": "/graphql",
    "status": 200,
    "bytes": 12,
    "cache": "MISS",
    "viewer": "näme\n\x1b[31m\u2028\"'\\",
    "sources": {"hosting": {"FRESH": 1}},
}
STATUSES = [200, 304, 404, 499, 500, 502, 503, "left"]


@pytest.fixture
def written() -> Iterator[list[bytes]]:
    """Give the lines that go out at once."""

    class Written(Lines):
        def write(self, line: bytes) -> None:
            found.append(line)

    found: list[bytes] = []
    before, quick.lines = quick.lines, Written(os.dup(2))
    yield found
    quick.lines = before


def told(
    event: str, fields: dict[str, object], *, is_probe: bool = False
) -> list[dict[str, object]]:
    """Return what is told the way of everything that is logged."""
    at_once, quick.lines = quick.lines, None
    with capture_logs() as logged:
        RequestLog().tell(event, fields, is_probe=is_probe)
    quick.lines = at_once
    return [{**one, "level": one.pop("log_level")} for one in map(dict, logged)]


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("event", ["request", "operation", "connection"])
def test_a_line_is_the_same_to_the_byte(
    written: list[bytes], event: str, status: int | str
) -> None:
    fields = {**FIELDS, "status": status}
    (expected,) = told(event, fields)

    RequestLog().tell(event, fields)

    (line,) = written
    timestamp = json.loads(line)["timestamp"]
    said = {**fields, "event": event, "level": expected["level"], "timestamp": timestamp}
    rendered = structlog.processors.JSONRenderer()(None, "info", said)
    assert line.decode("ascii") == f"{rendered!s}\n"


def seen(subject: str | None, operation: Operation | None, **sources: int) -> Observation:
    """Return what was seen of a request."""
    one = Observation("a-1")
    one.subject, one.operation = subject, operation
    one.sources.update({("hosting", state): count for state, count in sources.items()})
    return one


OPERATION = Operation("query", "Page", 105)
REQUESTS = [
    (seen("dev", OPERATION, FRESH=1), Sent(200, 15_900, "MISS")),
    (seen("dev", OPERATION, FRESH=1), Sent(200, 15_901, "MISS")),
    (seen('n\u00e4me\n\u2028"', OPERATION, FRESH=1), Sent(200, 15_900, "MISS")),
    (seen("dev", OPERATION, FRESH=1, STALE=2), Sent(200, 15_900, "MISS")),
    (seen("dev", OPERATION, STALE=2, FRESH=1), Sent(200, 15_900, "MISS")),
    (seen("dev", Operation("query", None, 105), FRESH=1), Sent(200, 15_900, "MISS")),
    (seen(None, None), Sent(200, 2, "-")),
    (seen("dev", OPERATION), Sent(304, 0, "HIT")),
    (seen("dev", OPERATION), Sent(503, 40, "-")),
    (seen("dev", OPERATION), Sent(None, 0, "-")),
]


def test_a_line_that_is_like_another_is_the_same_to_the_byte(written: list[bytes]) -> None:
    log, usual = RequestLog(), RequestLog()
    failed, waited = seen("dev", OPERATION), seen("dev", OPERATION)
    failed.codes["FORBIDDEN"] += 1
    waited.spend("upstream", 0.5)
    others = [(one, Sent(200, 15_900, "MISS")) for one in (failed, waited)]

    for one, sent in [*REQUESTS, *others] * 3:
        log.tell_request(one, "POST", "/graphql", sent)
        usual.tell("request", request_fields(one, "POST", "/graphql", sent))

    momentary = re.compile(rb'("duration_ms": |"timestamp": ")[^,"]*')
    lines = [momentary.sub(b"", line) for line in written]
    assert lines[::2] == lines[1::2]
    assert len(lines) == 2 * 3 * (len(REQUESTS) + 2)


def test_lines_that_are_unlike_are_not_kept_for_ever(written: list[bytes]) -> None:
    log = RequestLog()
    for size in range(5000):
        log.tell_request(seen("dev", OPERATION), "POST", "/graphql", Sent(200, size, "MISS"))

    assert len(written) == 5000
    assert len(log._alike) <= 2000


def test_probes_are_not_told(written: list[bytes]) -> None:
    RequestLog().tell("request", FIELDS, is_probe=True)
    RequestLog().tell("request", {**FIELDS, "status": 503}, is_probe=True)

    assert [json.loads(line)["status"] for line in written] == [503]


def test_what_is_not_to_be_told_is_not(written: list[bytes]) -> None:
    RequestLog(requests=False).tell("request", FIELDS)
    RequestLog(hits=False).tell("request", {**FIELDS, "cache": "HIT"})

    assert written == []


def test_a_line_says_the_time_of_now(written: list[bytes]) -> None:
    before = structlog.processors.TimeStamper(fmt="iso")(None, "info", {})["timestamp"]
    log = RequestLog()
    log.tell("request", FIELDS)
    log.tell("request", FIELDS)
    after = structlog.processors.TimeStamper(fmt="iso")(None, "info", {})["timestamp"]

    times = [json.loads(line)["timestamp"] for line in written]
    assert before[:26] <= times[0] <= times[1] <= after
    assert len(times[0]) == len("2026-11-21T22:25:18.989145Z")
