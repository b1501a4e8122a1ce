"""Asking a gateway in this process, as any viewer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Self

import orjson
from world import World

from app.api.context import Context, Services
from app.api.deadline import Deadline
from app.api.execution import Executor
from app.api.requests import Request
from app.auth.anonymous import ANONYMOUS
from app.main import executor
from app.model.viewer import Viewer
from app.services import services


class Asked:
    """The services of a gateway, which answer whoever asks."""

    def __init__(self, opened: Services, executes: Executor) -> None:
        self.services = opened
        self._executor = executes

    def over(self, services: Services) -> Self:
        """Return what asks other services by the same rules."""
        return type(self)(services, self._executor)

    async def ask(
        self,
        query: str,
        viewer: Viewer = ANONYMOUS,
        **variables: Any,  # noqa: ANN401 - whatever a query takes
    ) -> dict[str, Any]:
        """Return the whole answer to a query."""
        context = Context(self.services, viewer, Deadline(timedelta(seconds=5)))
        response = await self._executor.answer(Request(query, variables=variables), context)
        return written(response.body)


def written(body: dict[str, Any]) -> dict[str, Any]:
    """Return an answer as its reader has it; parts of it may be written already."""
    read: dict[str, Any] = orjson.loads(orjson.dumps(body))
    return read


@asynccontextmanager
async def asking(served: World) -> AsyncIterator[Asked]:
    """Open another gateway of the same configuration; its cache is empty."""
    async with services(served.settings, served.clock) as opened:
        yield Asked(opened, executor(served.settings, opened))
