"""`/metrics`, and what of it is read from its owners when it is asked for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from app.api.context import Services
from app.metrics.metrics import Metrics
from app.observing.lines import quick
from app.observing.tracing import Tracing
from app.providers.health import ProviderState
from app.server.limits import Limits
from app.server.readiness import Phase, Readiness

# Another process that is asked tells what this one was then.
_WRITTEN_EVERY = timedelta(seconds=1)


class Scraping:
    """Answers `/metrics`, open like the probes, as it tells of nobody."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def answer(self, http: Request) -> Response:
        accept = ",".join(http.headers.getlist("accept"))
        body, media_type = self._metrics.exposition(accept)
        return Response(body, headers={"Content-Type": media_type, "Cache-Control": "no-store"})


def watch_process(metrics: Metrics, readiness: Readiness, limits: Limits) -> None:
    """Tell what this process does, from its start to its end."""

    def read() -> None:
        metrics.in_flight.set(limits.in_flight)
        metrics.most_in_flight.set(limits.max_in_flight)
        for phase in Phase:
            metrics.phases.labels(phase.value).set(phase is readiness.phase)

    metrics.read_from(read)


def watch_services(metrics: Metrics, opened: Services) -> None:
    """Tell how providers, Redis and listeners are."""

    def read() -> None:
        for name, provider in opened.providers.items():
            health = provider.health
            for state in ProviderState:
                metrics.provider_state.labels(name, state).set(state is health.state)
            since = health.since.timestamp() if health.since else 0
            metrics.provider_since.labels(name).set(since)
        metrics.redis_up.set(not opened.guard.is_away)
        for stream, count in opened.feeds.listening().items():
            metrics.subscriptions_open.labels(stream.value).set(count)

    metrics.read_from(read)


def watch_telling(metrics: Metrics, tracing: Tracing) -> None:
    """Tell what could not be told: lines of the log, and what was traced."""
    told = {"taken": 0, "lost": 0, "dropped": 0}

    def read() -> None:
        dropped = quick.lines.dropped if quick.lines else 0
        metrics.spans.add("taken", amount=tracing.taken - told["taken"])
        metrics.spans.add("lost", amount=tracing.lost - told["lost"])
        metrics.lines_dropped.add(amount=dropped - told["dropped"])
        told.update(taken=tracing.taken, lost=tracing.lost, dropped=dropped)

    metrics.read_from(read)


@asynccontextmanager
async def written(metrics: Metrics) -> AsyncIterator[None]:
    """Keep what other processes may tell of this one up to date, where there are any."""
    if not metrics.are_shared:
        yield
        return

    async def write_for_ever() -> None:
        while True:
            metrics.write()
            await asyncio.sleep(_WRITTEN_EVERY.total_seconds())

    task = asyncio.create_task(write_for_ever())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        metrics.write()
