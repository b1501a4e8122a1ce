"""The gateway as commands use it, which serve nobody."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.api.context import Services
from app.cli import logs
from app.services import services
from app.settings import Settings


@asynccontextmanager
async def opened_gateway(settings: Settings, *, serving: bool = True) -> AsyncIterator[Services]:
    """Open all that serves, and close it in the end; `serving` is that of `services`.

    What fails meanwhile is told by the command itself; no more than errors are logged.
    """
    logs.configure(logging.ERROR)
    async with services(settings, serving=serving) as opened:
        yield opened
