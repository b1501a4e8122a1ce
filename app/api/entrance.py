"""What a request passes on its way in, whichever transport brings it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from app.api.context import Context
from app.api.execution import Executor
from app.model.viewer import Viewer


@dataclass(frozen=True)
class Entrance:
    """Lives as long as the process.

    `who` says who is calling; it raises `Unauthenticated`, and `UpstreamUnavailable` where it
    cannot tell now.
    """

    who: Callable[[HTTPConnection], Awaitable[Viewer]]
    make_context: Callable[[HTTPConnection, Viewer], Context]
    executor: Executor
