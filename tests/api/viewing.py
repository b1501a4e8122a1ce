"""Asking a gateway in this process, as any viewer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from world import World

from app.api.context import Context, Services
from app.api.deadline import Deadline
from app.api.execution import Request, answer
from app.auth.anonymous import ANONYMOUS
from app.main import services
from app.model.viewer import Viewer


class Asked:
    """The services of a gateway, which answer whoever asks."""

    def __init__(self, opened: Services) -> None:
        self.services = opened

    async def ask(
        self,
        query: str,
        viewer: Viewer = ANONYMOUS,
        **variables: Any,  # noqa: ANN401 - whatever a query takes
    ) -> dict[str, Any]:
        """Return the whole answer to a query."""
        deadline = Deadline(asyncio.get_running_loop().time() + 5)
        context = Context(self.services, viewer, deadline)
        response = await answer(Request(query, variables=variables), context, most_tokens=2000)
        return response.body


@asynccontextmanager
async def asking(served: World) -> AsyncIterator[Asked]:
    """Open another gateway of the same configuration; its cache is empty."""
    async with services(served.settings, served.clock) as opened:
        yield Asked(opened)
