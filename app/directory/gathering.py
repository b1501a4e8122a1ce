"""Accounts that are asked for at the same moment, read together."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from app.directory.database import Database
from app.directory.server import MOST_VALUES, Wanted
from app.directory.tables import accounts

_BY_ID = Wanted(list(accounts.c), accounts.c.id)


class Gathering:
    """Reads the row of an account anew for whoever asks, once for all who ask at that moment.

    Nothing is kept: what was written before somebody asks is in what they are given. Where a read
    waits for nothing, each reads for itself: to gather would take as long, and some turns of the
    event loop beside.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asked: dict[str, list[asyncio.Future[Any]]] = {}
        self._reading: set[asyncio.Task[None]] = set()

    async def row(self, account_id: str) -> Any:  # noqa: ANN401 - as the library's own rows
        """Return an account with its credentials as they are kept; None where there is none."""
        if (found := self._database.rows_at_once(_BY_ID, [account_id])) is not None:
            return found[0] if found else None
        loop = asyncio.get_running_loop()
        if not self._asked or len(self._asked) >= MOST_VALUES:
            self._asked = {}
            # It begins once all who were about to ask have asked.
            task = loop.create_task(self._read(self._asked))
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)
        answer = loop.create_future()
        self._asked.setdefault(account_id, []).append(answer)
        return await answer

    async def _read(self, asked: Mapping[str, list[asyncio.Future[Any]]]) -> None:
        if asked is self._asked:
            self._asked = {}
        try:
            rows = {row.id: row for row in await self._database.rows(_BY_ID, list(asked))}
        except Exception as error:  # noqa: BLE001 - whatever it is, it is theirs who asked
            for _, answer in _awaited(asked):
                answer.set_exception(error)
        else:
            for account_id, answer in _awaited(asked):
                answer.set_result(rows.get(account_id))


def _awaited(
    asked: Mapping[str, list[asyncio.Future[Any]]],
) -> Iterator[tuple[str, asyncio.Future[Any]]]:
    """Yield what somebody still waits for; who went away has cancelled it."""
    for account_id, answers in asked.items():
        yield from ((account_id, answer) for answer in answers if not answer.done())
