"""Every kind of provider emulated: at the sandbox, or by what the tests know of it alone."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters import Store, adapter
from kinds import KNOWN, Row
from upstreams import upstream

from app.model.clock import utc_now
from app.model.entries import Stream
from app.providers.page import Provider
from app.sandbox import Sandbox, SandboxServer

REFERENCE = "C-1001"
_NEWEST = datetime(2026, 11, 1, 12, tzinfo=UTC)


class Emulations:
    """One account at each kind of provider, with so many entries in each of its histories."""

    def __init__(self, server: SandboxServer, entries: int) -> None:
        self._server = server
        # Two entries in each second, as a list may have them.
        self._rows = [
            Row(f"e{number}", _NEWEST - timedelta(seconds=number // 2), 10 * number - 300)
            for number in range(entries)
        ]

    @asynccontextmanager
    async def reached(self, kind: str, **changed: Any) -> AsyncIterator[Provider]:  # noqa: ANN401 - any setting
        """Make an adapter that reads the account; `changed` are settings."""
        contract = KNOWN[kind].contract
        settings = {**contract.settings, **changed}
        if contract.emulate is not None:
            async with (
                upstream(contract.emulate(self._rows)) as server,
                adapter(kind, server.url, clock=utc_now, **settings) as provider,
            ):
                yield provider
            return
        sandbox = self._server.sandbox
        accounts = sandbox.sample_customers()[0]["accounts"]
        given = next(one["credentials"][kind] for one in accounts if kind in one["credentials"])
        url = self._server.url + sandbox.upstreams[kind].base_path
        async with adapter(kind, url, store=Store(given), clock=utc_now, **settings) as provider:
            yield provider

    def times(self, kind: str, stream: Stream) -> list[datetime]:
        """Return when the entries happened, in the list's own order."""
        if KNOWN[kind].contract.emulate is not None:
            return [row.at for row in self._rows]
        rows = self._server.sandbox.upstreams[kind].account(REFERENCE, 0).newest_first(stream.value)
        assert all(KNOWN[kind].contract.time_field[stream] in row.fields for row in rows)
        return [row.at for row in rows]

    def add(self, kind: str, stream: Stream) -> None:
        """Add an entry that is newer than all others."""
        if KNOWN[kind].contract.emulate is None:
            self._server.sandbox.add_entry(kind, stream.value, REFERENCE)
        else:
            self._rows.insert(0, Row("new", _NEWEST + timedelta(minutes=1), 100))


@contextmanager
def emulations(entries: int) -> Iterator[Emulations]:
    """Serve the sandbox for those that it has."""
    with SandboxServer(Sandbox(entries=entries)) as server:
        yield Emulations(server, entries)
