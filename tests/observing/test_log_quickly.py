"""Lines that go out at once are, to the byte, what everything that is logged would have made."""

import json
import os
from collections.abc import Iterator

import pytest
import structlog
from structlog.testing import capture_logs

from app.observing.lines import Lines, quick
from app.observing.requests import RequestLog

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
