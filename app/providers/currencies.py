"""Currency ids resolved to ISO codes, remembered for an hour."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, TypeVar

from app.model.clock import Clock
from app.model.errors import UpstreamInvalidResponse
from app.providers.call import NotAsked
from app.providers.page import Page
from app.providers.renewals import Renewals

T = TypeVar("T")
Table = dict[str, str]
Load = Callable[[], Coroutine[Any, Any, Table]]

# A currency's code never changes; the hour bounds how long a wrong answer is believed.
_REMEMBERED = timedelta(hours=1)


class Currencies:
    """Tables of currency ids, one for each scope (an account or a whole provider)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tables: dict[str, tuple[datetime, Table]] = {}
        self._loads: Renewals[Table] = Renewals()

    async def beside(
        self,
        scope: str,
        load: Load,
        asked: Awaitable[T],
        ids_of: Callable[[T], set[str]],
        name: str,
    ) -> tuple[T, Table]:
        """Return what is asked for, and a table with all the ids in it.

        A table that is not known is loaded at the same time, so that nobody waits for one call
        after the other. An id that the provider does not list either is `UpstreamInvalidResponse`:
        an amount without its currency would be a wrong one.
        """
        is_known = self.known(scope) is not None
        begun = None if is_known else asyncio.ensure_future(self._loaded(scope, load))
        try:
            answer = await asked
            return answer, await self._units(scope, ids_of(answer), load, begun, name)
        finally:
            if begun is not None:
                begun.cancel()  # where nobody needs it
                begun.add_done_callback(lambda done: done.cancelled() or done.exception())

    def known(self, scope: str) -> Table | None:
        """Return the table as it is known now, if it is."""
        read_at, table = self._tables.get(scope, (None, None))
        is_known = read_at is not None and self._clock() - read_at <= _REMEMBERED
        return table if is_known else None

    def read_by(self, scope: str, page: Page) -> bytes:
        """Return the digest of a page that was read by the table as it is known now, else none."""
        return page.digest if page.units is self.known(scope) else b""

    async def aclose(self) -> None:
        """End the loads that are under way."""
        await self._loads.aclose()

    async def _units(
        self,
        scope: str,
        ids: set[str],
        load: Load,
        begun: Awaitable[Table] | None,
        name: str,
    ) -> Table:
        if not ids:
            return {}
        table = self.known(scope)
        if begun is not None:
            # Who found out that the provider works again was sent alone.
            with suppress(NotAsked):
                table = await begun
        if table is None or (begun is None and not ids <= table.keys()):
            table = await self._loaded(scope, load)
        if not ids <= table.keys():
            raise UpstreamInvalidResponse(f"{name} names a currency that it does not list.")
        return table

    async def _loaded(self, scope: str, load: Load) -> Table:
        """Return the table, loaded once for all who ask for it meanwhile."""

        async def loaded() -> Table:
            table = await load()
            self._tables[scope] = (self._clock(), table)
            return table

        return await self._loads.join(scope, loaded)
