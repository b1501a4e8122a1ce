"""Gateways as processes that are stopped by signals, and clients that ask them meanwhile."""

import asyncio
import os
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import httpx
from commands import COMMAND

QUERY = """{ customer(reference: "C-1001") { creditChanges(first: 10) {
  nodes { id } sources { state } } } }"""
_PROBED_EVERY_SECONDS = 0.05
_PACE_SECONDS = 0.02


class Served:
    """One gateway as a process of its own group; a port of 0 is any free one."""

    def __init__(self, config: Path, *more: str) -> None:
        command = [str(COMMAND), "serve", "--config", str(config), "--port", "0", *more]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout
        found = re.search(r"(http://\S+)/graphql", self.process.stdout.readline())
        assert found, "a gateway did not start"
        self.origin = found[1]

    def tell(self, sig: signal.Signals) -> None:
        self.process.send_signal(sig)

    def tell_group(self, sig: signal.Signals) -> None:
        """Send a signal to the process and its workers, as a terminal does."""
        os.killpg(self.process.pid, sig)

    def ended(self, within: float = 60) -> int:
        """Return the exit status once it has ended."""
        return self.process.wait(within)

    def end(self) -> None:
        if self.process.poll() is None:
            self.tell_group(signal.SIGKILL)
        self.process.communicate()

    async def until_ready(self) -> Self:
        async with client(self.origin) as http:
            async with asyncio.timeout(60):
                while not await is_ready(http):  # noqa: ASYNC110 - it is in another process
                    await asyncio.sleep(_PROBED_EVERY_SECONDS)
        return self


@contextmanager
def served(config: Path, *more: str) -> Iterator[Served]:
    one = Served(config, *more)
    try:
        yield one
    finally:
        one.end()


def client(origin: str = "") -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=None)
    return httpx.AsyncClient(base_url=origin, timeout=20, limits=limits, trust_env=False)


async def is_ready(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/readyz")).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


class Balancer:
    """Sends each request to a gateway that was ready when it was last asked, and tries no other."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self._ready: list[httpx.AsyncClient] = []
        self._turn = 0

    async def watch(self, origin: str) -> None:
        """Ask a gateway again and again whether it is ready, for ever."""
        async with client(origin) as probe, client(origin) as http:
            try:
                while True:
                    if not await is_ready(probe):
                        self._leave(http)
                    elif http not in self._ready:
                        self._ready.append(http)
                    await asyncio.sleep(_PROBED_EVERY_SECONDS)
            finally:
                self._leave(http)

    async def ask_for_ever(self) -> None:
        while True:
            if self._ready:
                self._turn += 1
                chosen = self._ready[self._turn % len(self._ready)]
                self.outcomes[await outcome(chosen)] += 1
            else:
                self.outcomes["nobody ready"] += 1
            await asyncio.sleep(_PACE_SECONDS)

    def _leave(self, http: httpx.AsyncClient) -> None:
        if http in self._ready:
            self._ready.remove(http)


async def outcome(http: httpx.AsyncClient) -> str:
    """Ask, and return `answered`, or what came in place of an answer."""
    try:
        response = await http.post("/graphql", json={"query": QUERY})
    except httpx.ConnectError:
        return "refused"  # nobody listens, so nothing was sent
    except httpx.TransportError as error:
        return f"lost: {type(error).__name__}"
    if response.status_code == httpx.codes.OK and "errors" not in response.json():
        return "answered"
    return f"HTTP {response.status_code}"


async def until_refused(http: httpx.AsyncClient) -> Counter[str]:
    """Ask one after the other, until nobody listens any more; return what came of it."""
    outcomes: Counter[str] = Counter()
    while not outcomes["refused"]:
        outcomes[await outcome(http)] += 1
    return outcomes
