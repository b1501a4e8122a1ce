"""Reading whole histories into the cache, several accounts at a time."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

from app.api.context import Services
from app.cli.bars import Bars, counted
from app.cli.reading import deeper, newest, told
from app.mirror.snapshot import Snapshot
from app.model.accounts import Account, Customer
from app.model.entries import Stream
from app.model.errors import GatewayError, UpstreamTimeout
from app.providers.page import supports

Owned = tuple[Customer, Account]

_AT_ONCE = 8
# A Redis that was away for a moment is seen again within a second.
_TIMES_TO_SHARE = 5
_BETWEEN_TIMES = timedelta(seconds=1)


class Filling:
    """Fills the cache and counts what is whole in it; failures are told, not raised."""

    def __init__(self, opened: Services, bars: Bars) -> None:
        self._opened = opened
        self._bars = bars
        self._entries = dict.fromkeys(Stream, 0)
        self._complete = 0
        self.failed = 0

    def __str__(self) -> str:
        counts = f"{self._complete} complete, {self.failed} failed"
        return f"Accounts: {counts}; {counted(self._entries)}."

    async def fill(self, accounts: AsyncIterator[Owned]) -> None:
        """Read all accounts, never taking more of them than are being read."""
        running: set[asyncio.Task[None]] = set()
        try:
            async for customer, account in accounts:
                running.add(asyncio.create_task(self._account(customer, account)))
                if len(running) == _AT_ONCE:
                    done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                    await asyncio.gather(*done)
            await asyncio.gather(*running)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _account(self, customer: Customer, account: Account) -> None:
        bar = self._bars.begin(customer.reference, account.provider, account.label)
        counts: dict[Stream, int] = {}
        is_whole = True
        for stream in Stream:
            if not supports(self._opened.providers[account.provider], stream):
                continue
            try:
                async for snapshot in self._deeper(account, stream):
                    counts[stream] = len(snapshot.entries)
                    bar.show(counts)
            except GatewayError as error:
                is_whole = False
                history = stream.replace("_", " ")
                self._bars.error(f"{bar.name}, {history}: {told(error, 'sync again')}")
            else:
                self._entries[stream] += counts[stream]
        bar.end(counts, is_whole=is_whole)
        self._complete += is_whole
        self.failed += not is_whole

    async def _deeper(self, account: Account, stream: Stream) -> AsyncIterator[Snapshot]:
        """Yield ever more of a fresh history until it is whole and kept; raises `GatewayError`."""
        reading = await newest(self._opened, account, stream)
        if reading.is_stale:
            raise reading.error or UpstreamTimeout("The newest entries are not here in time.")
        async for snapshot in deeper(self._opened, account, stream, reading.snapshot):
            yield snapshot
        for _ in range(_TIMES_TO_SHARE):
            if await self._opened.mirror.share(account, stream):
                return
            await asyncio.sleep(_BETWEEN_TIMES.total_seconds())
        raise CacheAway("The cache does not keep the history: see that Redis answers.")


class CacheAway(GatewayError):
    """What was read is known to this process alone; the operator's turn."""
