"""A client that goes away before its answer has begun frees the work for it."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Leavers:
    """Cancels what answers a request once its connection is lost, as `scope["state"]["left"]` says.

    What a request shares with others (fetches, renewals) is detached from it and goes on.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        left: asyncio.Future[None] | None = scope.get("state", {}).get("left")
        task = asyncio.current_task()
        if scope["type"] != "http" or left is None or task is None:
            await self._app(scope, receive, send)
            return
        leaving = _Leaving(task)
        left.add_done_callback(leaving)

        async def sending(message: Message) -> None:
            # What is there already is thrown away by sending it; streams have their own end.
            left.remove_done_callback(leaving)
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except asyncio.CancelledError:
            if not leaving.has_left or task.uncancel():
                raise
        finally:
            left.remove_done_callback(leaving)


class _Leaving:
    """Ends a task when it is called."""

    def __init__(self, task: asyncio.Task[object]) -> None:
        self._task = task
        self.has_left = False

    def __call__(self, _: asyncio.Future[None]) -> None:
        self.has_left = True
        self._task.cancel()
