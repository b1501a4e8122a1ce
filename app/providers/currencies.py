"""Currency ids resolved to ISO codes, remembered for an hour."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from app.model.clock import Clock
from app.model.errors import UpstreamInvalidResponse

# A currency's code never changes; the hour bounds how long a wrong answer is believed.
_REMEMBERED = timedelta(hours=1)


class Currencies:
    """Tables of currency ids, one for each scope (an account or a whole provider)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tables: dict[str, tuple[datetime, dict[str, str]]] = {}

    async def units(
        self, scope: str, ids: set[str], load: Callable[[], Awaitable[dict[str, str]]], name: str
    ) -> dict[str, str]:
        """Return a table with all the ids, loading it when one is missing or it is old.

        An id that the provider does not list either is `UpstreamInvalidResponse`: an amount
        without its currency would be a wrong one.
        """
        if not ids:
            return {}
        read_at, table = self._tables.get(scope, (None, {}))
        if read_at is None or self._clock() - read_at > _REMEMBERED or not ids <= table.keys():
            table = await load()
            self._tables[scope] = (self._clock(), table)
        if not ids <= table.keys():
            raise UpstreamInvalidResponse(f"{name} names a currency that it does not list.")
        return table
