"""Reading windows from a mirror as the gateway does."""

import asyncio

from list_provider import ACCOUNT, CHANGES

from app.history.filter import CreditChangeFilter
from app.history.window import Missing, Slice, Window, window_of
from app.mirror.mirror import Mirror


async def seen(mirror: Mirror, window: Window) -> Slice:
    """Return a window, reading as deep as it needs."""
    snapshot = (await mirror.read(ACCOUNT, CHANGES)).snapshot
    while True:
        found = window_of({ACCOUNT.id: snapshot.timeline}, CreditChangeFilter(), window)
        if not isinstance(found, Missing):
            return found
        snapshot = await mirror.deepen(ACCOUNT, CHANGES, found.back_to)


async def settled(mirror: Mirror) -> None:
    """Wait until no fetch is under way."""
    flights = [keeper.flights._tasks for keeper in mirror._keepers.values()]
    while under_way := [task for tasks in flights for task in tasks.values()]:
        await asyncio.wait(under_way)
