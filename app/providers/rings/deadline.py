"""One end for a call with all its tries, from the first byte that is sent to the last one read."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from app.model.errors import UpstreamError, UpstreamTimeout
from app.providers.call import Call

T = TypeVar("T")


class Deadline:
    """Ends a call after `timeout`, whatever it is waiting for.

    It is the call's own and not that of a request: every call is made by work that requests share
    or that outlives them, and a request that cannot wait leaves it to the others.
    """

    def __init__(self, name: str, timeout: timedelta) -> None:
        self._name = name
        self._seconds = timeout.total_seconds()

    async def around(self, call: Call, send: Callable[[], Awaitable[T]]) -> T:
        """Return what is answered in time.

        What ends here may say by its cause how the provider failed before it was asked again; then
        it did answer, and that is what is raised.
        """
        del call
        try:
            async with asyncio.timeout(self._seconds):
                return await send()
        except TimeoutError as error:
            before = error.__cause__.__cause__ if error.__cause__ else None
            if isinstance(before, UpstreamError):
                raise before from error
            raise UpstreamTimeout(f"{self._name} did not answer in time.") from error
