"""What a request passes on its way in, whichever transport brings it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from app.api.answering import Answering
from app.api.context import Context
from app.api.execution import Executor
from app.api.streams.streams import Streams
from app.model.viewer import Viewer
from app.redis.rates import Allowance


@dataclass(frozen=True)
class Entrance:
    """Lives as long as the process.

    `who` says who is calling; it raises `Unauthenticated`, and `UpstreamUnavailable` where it
    cannot tell now. `take` counts one operation of a caller. `executor` is for subscriptions,
    `answering` for all else.
    """

    who: Callable[[HTTPConnection], Awaitable[Viewer]]
    take: Callable[[Viewer], Awaitable[Allowance]]
    make_context: Callable[[HTTPConnection, Viewer], Context]
    executor: Executor
    streams: Streams
    answering: Answering
