"""
The log of requests: one line for each.

The way of everything that is logged takes some 30 µs, a tenth of what a request takes beside its
execution. Where that way ends in JSON, these lines are written as it would, and go out at once. An
answer that is given again from memory, or a refusal by the head of a request, takes some 20 µs in
all: what is the same of them each time is written once.
"""

import json
from collections.abc import Hashable, Mapping
from http import HTTPStatus
from time import gmtime, strftime, time
from typing import Literal

import structlog

from app.observing.lines import quick
from app.observing.observation import Observation

_log = structlog.get_logger("requests")

Level = Literal["debug", "info", "warning", "error"]
_EVENT = "request"
_HIT = "HIT"
_LEAST_FAILURE = 500
_BROKEN = 500
_OK = HTTPStatus.OK.value
# As many refusals differ by where they went and how.
_MOST_WRITTEN = 100
# And as many answers by who asked for what, and by what they came to; of some 300 bytes each.
_MOST_ALIKE = 2000


class Sent:
    """What came of a request: without a status its client left before there was one."""

    def __init__(self, status: int | None = None, size_bytes: int = 0, cache: str = "-") -> None:
        self.status = status
        self.size_bytes = size_bytes
        self.cache = cache


class RequestLog:
    """Writes the lines; `hits` are those of answers that were given before."""

    def __init__(self, *, requests: bool = True, hits: bool = True) -> None:
        self._requests = requests
        self.tells_hits = requests and hits
        self._written: dict[tuple[str, str, int], bytes] = {}
        self._alike: dict[Hashable, bytes] = {}
        self._second = -1
        self._second_text = b""

    def tell(self, event: str, fields: Mapping[str, object], *, is_probe: bool = False) -> None:
        """Log what has ended; probes that are answered are told at DEBUG."""
        if not self._requests or (fields.get("cache") == _HIT and not self.tells_hits):
            return
        status = fields.get("status")
        level: Level
        if not isinstance(status, int) or status < _LEAST_FAILURE:
            level = "debug" if is_probe else "info"
        else:
            level = "error" if status == _BROKEN else "warning"
        if quick.lines is None:
            getattr(_log, level)(event, **fields)
        elif level != "debug":
            quick.lines.write(self._line(event, level, _inner(fields)))

    def tell_request(
        self, seen: Observation, method: str, path: str, sent: Sent, *, is_probe: bool = False
    ) -> None:
        """Log a request that has ended; what is the same of many is written once."""
        is_usual = sent.status == _OK and not (seen.codes or seen.events)
        if quick.lines is None or not is_usual or "upstream" in seen.spent or is_probe:
            self.tell(_EVENT, request_fields(seen, method, path, sent), is_probe=is_probe)
            return
        if not self._requests or (sent.cache == _HIT and not self.tells_hits):
            return
        answer = sent.size_bytes, sent.cache, *seen.sources.items()
        key = method, path, seen.subject, seen.operation, answer
        told = self._alike.get(key)
        if told is None:
            fields = request_fields(seen, method, path, sent)
            told = _inner({name: one for name, one in fields.items() if name not in _MOMENTARY})
            if len(self._alike) >= _MOST_ALIKE:
                self._alike.clear()
            self._alike[key] = told
        said = seen.request_id.encode(), str(_milliseconds(seen.seconds)).encode(), told
        inner = b'"request_id": "%b", "duration_ms": %b, %b' % said
        quick.lines.write(self._line(_EVENT, "info", inner))

    def tell_hit(self, told: bytes, request_id: str, seconds: float) -> None:
        """Log an answer that is given again; `told` is as `hit_of` wrote it."""
        if self.tells_hits:
            said = b'"request_id": "%b", "duration_ms": %.3f, %b'
            self._tell_quickly(said % (request_id.encode(), seconds * 1000, told), "info")

    def tell_refusal(self, method: str, path: str, status: int) -> None:
        """Log a request of which no more is known than this."""
        if not self._requests:
            return
        key = method, path, status
        told = self._written.get(key)
        if told is None:
            told = _inner({"method": method, "path": path, "status": status})
            if len(self._written) < _MOST_WRITTEN:
                self._written[key] = told
        self._tell_quickly(told, "info" if status < _LEAST_FAILURE else "warning")

    def _tell_quickly(self, told: bytes, level: Level) -> None:
        if quick.lines is None:
            getattr(_log, level)(_EVENT, **json.loads(b"{%b}" % told))
        else:
            quick.lines.write(self._line(_EVENT, level, told))

    def _line(self, event: str, level: Level, told: bytes) -> bytes:
        said = told, event.encode(), level.encode(), self._now()
        return b'{%b, "event": "%b", "level": "%b", "timestamp": "%b"}\n' % said

    def _now(self) -> bytes:
        """Return the time as `timestamp` has it; what is the same for a second is written once."""
        moment = time()
        second = int(moment)
        if second != self._second:
            self._second = second
            self._second_text = strftime("%Y-%m-%dT%H:%M:%S", gmtime(second)).encode()
        return b"%b.%06dZ" % (self._second_text, (moment - second) * 1_000_000)


def fields_of(seen: Observation) -> dict[str, object]:
    """Return what a line says of what was seen; what there was nothing of is left out."""
    operation = seen.operation
    said = {
        "viewer": seen.subject,
        "operation": operation.name if operation else None,
        "type": operation.kind if operation else None,
        "cost": operation.cost if operation else None,
        "sources": _by_provider(seen),
        "codes": dict(seen.codes),
        "events": seen.events,
        "upstream_ms": _milliseconds(seen.spent.get("upstream", 0.0)),
    }
    return {name: value for name, value in said.items() if value}


def hit_of(fields: Mapping[str, object]) -> bytes:
    """Return what the lines say of each time that an answer is given again, for `tell_hit`.

    `fields` are those of the line that told of it first.
    """
    again = {name: value for name, value in fields.items() if name not in _MOMENTARY}
    return _inner({**again, "cache": _HIT})


_MOMENTARY = frozenset({"request_id", "duration_ms", "upstream_ms", "events"})


def request_fields(seen: Observation, method: str, path: str, sent: Sent) -> dict[str, object]:
    """Return what the line of a request says."""
    return {
        "request_id": seen.request_id,
        "duration_ms": _milliseconds(seen.seconds),
        "method": method,
        "path": path,
        "status": sent.status or "left",
        "bytes": sent.size_bytes,
        "cache": sent.cache,
        **fields_of(seen),
    }


def operation_fields(seen: Observation) -> dict[str, object]:
    """Return what the line of a WebSocket's operation says."""
    return {
        "request_id": seen.request_id,
        "duration_ms": _milliseconds(seen.seconds),
        **fields_of(seen),
    }


def _by_provider(seen: Observation) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (provider, state), count in sorted(seen.sources.items()):
        found.setdefault(provider, {})[state] = count
    return found


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)


def _inner(fields: Mapping[str, object]) -> bytes:
    """Write fields as JSON has them between its braces, in ASCII: no line ends within them."""
    return json.dumps(fields)[1:-1].encode()
