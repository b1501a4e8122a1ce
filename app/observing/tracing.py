"""Whether and where traces are sent; what does that is loaded only where it is configured."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from opentelemetry.trace import Tracer

if TYPE_CHECKING:
    from app.observing.export import Export


class Tracing:
    """Sends traces to a collector while it is `opened`; without an `endpoint` there are none.

    `share` is that of requests which are traced, where their callers do not decide it.
    """

    def __init__(self, endpoint: str | None = None, share: float = 1.0) -> None:
        self._endpoint = endpoint
        self._share = share
        self._export: Export | None = None
        self.tracer: Tracer | None = None

    @property
    def sent(self) -> tuple[int, int]:
        """How many spans a collector has taken, and how many it has not."""
        return (self._export.taken, self._export.lost) if self._export else (0, 0)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Trace for as long as this lasts; what is not sent by then is sent in a few seconds."""
        if self._endpoint is None:
            yield
            return
        from app.observing.export import Export  # noqa: PLC0415 - most do not need to load it

        self._export = Export(self._endpoint, self._share)
        self.tracer = self._export.tracer
        try:
            yield
        finally:
            self.tracer = None
            await asyncio.to_thread(self._export.close)
