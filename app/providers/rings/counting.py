"""Counting what calls and single tries come to; nothing is changed by it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from time import perf_counter
from typing import TypeVar

from app.metrics.metrics import Metrics
from app.model.errors import (
    GatewayError,
    UpstreamError,
    UpstreamInvalidResponse,
    UpstreamRateLimited,
    UpstreamTimeout,
    UpstreamUnauthorized,
)
from app.observing.observation import asking_upstream
from app.observing.spans import Kind, span
from app.providers.call import Call, CircuitOpen, Crowded, NotAsked, OwnRate, TooSoon

T = TypeVar("T")

ANSWERED = "ok"
_LATE = "timeout"
_OTHER = "unavailable"
# The first that fits; those that were not sent are kinds of the others.
_OUTCOMES: tuple[tuple[type[Exception], str], ...] = (
    (CircuitOpen, "circuit_open"),
    (OwnRate, "own_rate"),
    (TooSoon, "paused"),
    (Crowded, "crowded"),
    (UpstreamTimeout, _LATE),
    (UpstreamRateLimited, "rate_limited"),
    (UpstreamUnauthorized, "unauthorized"),
    (UpstreamInvalidResponse, "invalid"),
    (UpstreamError, _OTHER),
)


# How often the call that is being made was sent before.
_tries: ContextVar[int] = ContextVar("tries", default=0)


class Calls:
    """Counts calls with all their tries, and those that were not sent; outermost."""

    def __init__(self, name: str, metrics: Metrics) -> None:
        self._name = name
        self._counted = metrics.calls
        metrics.expect(name)
        for outcome in (ANSWERED, *(outcome for _, outcome in _OUTCOMES)):
            self._counted.add(name, outcome, amount=0)

    async def around(self, call: Call, send: Callable[[], Awaitable[T]]) -> T:
        del call
        _tries.set(0)
        try:
            with asking_upstream():
                result = await send()
        except GatewayError as error:
            self._counted.add(self._name, outcome_of(error))
            raise
        self._counted.add(self._name, ANSWERED)
        return result


class Exchanges:
    """Counts, measures and traces each try that was sent; innermost."""

    def __init__(self, name: str, metrics: Metrics) -> None:
        self._name = name
        self._seconds = metrics.exchange_seconds
        self._under_way = metrics.places_used.labels(name)

    async def around(self, call: Call, send: Callable[[], Awaitable[T]]) -> T:
        began = perf_counter()
        outcome = ANSWERED
        self._under_way.inc()
        try:
            with span(f"{call.method} {self._name}", self._told(call), Kind.CLIENT):
                return await send()
        except NotAsked:
            outcome = ""
            raise
        except GatewayError as error:
            outcome = outcome_of(error)
            raise
        except asyncio.CancelledError:
            # By the deadline; or the process ends, and nobody reads it any more.
            outcome = _LATE
            raise
        finally:
            self._under_way.dec()
            if outcome:
                seconds = perf_counter() - began
                self._seconds.observe(self._name, outcome, amount=seconds)

    def _told(self, call: Call) -> dict[str, str | int]:
        """Return what a trace says of a try; a path names nobody, as its parameters do."""
        tries = _tries.get()
        _tries.set(tries + 1)
        return {
            "credit_gateway.provider": self._name,
            "http.request.method": call.method,
            "url.template": call.path,
            "http.request.resend_count": tries,
        }


def outcome_of(error: GatewayError) -> str:
    """Return what an error says of a call, in a word; what is no failure of a provider is `ok`."""
    return next((outcome for kind, outcome in _OUTCOMES if isinstance(error, kind)), ANSWERED)
