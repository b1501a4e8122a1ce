"""A process that offers load to a gateway and prints what came of it, as JSON.

Arguments: host, port, connections, seconds, and requests a second; 0 for as many as are answered.
The bytes of a request come by standard input.
"""

import asyncio
import json
import sys
from collections import deque
from itertools import count
from time import perf_counter

import msgspec
import uvloop

_TICK_SECONDS = 0.002


class Outcome(msgspec.Struct):
    """Answers by status, the seconds that each took; `late` could not be sent as all waited."""

    answered: dict[str, list[float]] = {}
    seconds: float = 0.0
    lost: int = 0
    late: int = 0
    without_retry_after: int = 0

    def rate(self, status: int) -> float:
        """Return how many a second were answered so."""
        return len(self.answered.get(str(status), ())) / self.seconds

    def within(self, status: int, share: float) -> float:
        """Return the seconds within which that share of them was answered."""
        taken = sorted(self.answered[str(status)])
        return taken[int(len(taken) * share)]


class _Connection(asyncio.Protocol):
    def __init__(self, load: "_Load") -> None:
        self._load = load
        self._buffer = b""
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self._load.idle.append(self)

    def send(self) -> None:
        self._sent_at = self._load.now()
        self._transport.write(self._load.request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        if len(body) < length:
            return
        self._buffer = b""
        self._load.note(head, self._load.now() - self._sent_at)
        self._sent_at = 0.0
        self._load.idle.append(self)
        if not self._load.rate:
            self._load.offer()

    def connection_lost(self, _: Exception | None) -> None:
        self._load.outcome.lost += self._sent_at > 0


class _Load:
    def __init__(self, rate: float, request: bytes) -> None:
        self.now = perf_counter
        self.rate = rate
        self.request = request
        self.idle: deque[_Connection] = deque()
        self.outcome = Outcome()
        self._until = 0.0

    def note(self, head: bytes, seconds: float) -> None:
        status = head[9:12].decode()
        self.outcome.answered.setdefault(status, []).append(seconds)
        if status == "503" and b"\r\nretry-after:" not in head.lower():
            self.outcome.without_retry_after += 1

    def offer(self) -> None:
        if self.now() >= self._until:
            return
        if self.idle:
            self.idle.popleft().send()
        else:
            self.outcome.late += 1

    async def go_on(self, seconds: float) -> None:
        began = self.now()
        self._until = began + seconds
        if not self.rate:
            for _ in range(len(self.idle)):
                self.offer()
            await asyncio.sleep(seconds)
        else:
            due = count(1)
            at = began
            while self.now() < self._until:
                while at < self.now():
                    self.offer()
                    at = began + next(due) / self.rate
                await asyncio.sleep(_TICK_SECONDS)
        self.outcome.seconds = self.now() - began
        self._until = 0.0


async def _main(host: str, port: str, connections: str, seconds: str, rate: str) -> None:
    load = _Load(float(rate), sys.stdin.buffer.read())
    loop = asyncio.get_running_loop()
    for _ in range(int(connections)):
        await loop.create_connection(lambda: _Connection(load), host, int(port))
    await load.go_on(float(seconds))
    sys.stdout.write(json.dumps(msgspec.to_builtins(load.outcome)))


if __name__ == "__main__":
    uvloop.run(_main(*sys.argv[1:]))
