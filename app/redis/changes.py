"""What processes tell each other: names of things that changed."""

import asyncio
from collections.abc import Callable
from time import monotonic

import structlog

from app.redis.connection import Client, embedded
from app.redis.guard import Guard
from app.redis.subscription import PONG, Silent, Subscription, subscribed

_log = structlog.get_logger("redis")

_PING_EVERY_SECONDS = 0.4
# A ping and the time for its answer: what was confirmed longer ago is not certain. What changes is
# to be seen everywhere within a second, also where a connection hangs and nothing is told.
_CERTAIN_SECONDS = 0.9
# A Redis that is only slow is not left for that.
_SILENT_SECONDS = 1.0
# A cancellation takes no longer to be heard.
_LOST_AFTER_SECONDS = 0.1
_PAUSES_SECONDS = (0.05, 0.1, 0.2, 0.5, 1.0)


class Changes:
    """One subscription of this process to one channel, kept up for ever once it is started."""

    def __init__(self, client: Client, channel: str) -> None:
        self._client = client
        self._channel = channel
        self._embedded = embedded(client)
        self._listeners: list[tuple[Callable[[str], None], Callable[[], None]]] = []
        self._listeners_at_once: list[Callable[[str], None]] = []
        self._task: asyncio.Task[None] | None = None
        self._certain_until = 0.0
        # Grows with each new subscription.
        self.epoch = 0

    @property
    def is_live(self) -> bool:
        """Whether nothing that was published since the last `epoch` began can have been missed."""
        return monotonic() < self._certain_until

    def listen(
        self, heard: Callable[[str], None], lost: Callable[[], None], *, at_once: bool = False
    ) -> None:
        """Call `heard` with each name, and `lost` when names may have been missed.

        `at_once` it is called for what this process changes too, before that is heard from Redis.
        """
        self._listeners.append((heard, lost))
        if at_once:
            self._listeners_at_once.append(heard)

    def made(self, name: str) -> None:
        """Tell whoever listens at once in this process what it changed itself."""
        for heard in self._listeners_at_once:
            _call(heard, name)

    async def publish(self, guard: Guard, name: str) -> None:
        """Tell every process; raises RedisAway."""
        if self._embedded:
            self._embedded.tell(self._channel, name)
        else:
            await guard.ask(lambda client: client.publish(self._channel, name))

    def start(self) -> None:
        """Subscribe in the background, again after each loss; what is embedded is heard at once."""
        if self._embedded:
            if not self.is_live:
                self._embedded.listen(self._channel, self._tell)
                self.epoch += 1
                self._certain_until = float("inf")
        elif self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._subscribe_for_ever())

    async def aclose(self) -> None:
        """End the subscription; the client stays open."""
        if self._embedded and self.is_live:
            self._embedded.leave(self._channel, self._tell)
            self._end_epoch(self.epoch - 1)
        if self._task is not None:
            # Before Python 3.12 a cancellation is lost that comes when a send has just ended.
            while not self._task.done():
                self._task.cancel()
                await asyncio.wait({self._task}, timeout=_LOST_AFTER_SECONDS)
            self._task = None

    async def _subscribe_for_ever(self) -> None:
        failures = 0
        while True:
            before = self.epoch
            try:
                async with subscribed(self._client, self._channel) as subscription:
                    await self._hear(subscription)
            except Exception as error:  # noqa: BLE001 (whatever happened, it subscribes again)
                problem = type(error).__name__
            finally:
                self._end_epoch(before)
            failures = 0 if self.epoch > before else failures + 1
            _log.debug("redis tells no changes", error=problem)
            await asyncio.sleep(_PAUSES_SECONDS[min(failures, len(_PAUSES_SECONDS) - 1)])

    async def _hear(self, subscription: Subscription) -> None:
        self.epoch += 1
        self._certain_until = monotonic() + _CERTAIN_SECONDS
        pinged_at, answered = monotonic(), True
        while True:
            if not answered and monotonic() >= pinged_at + _SILENT_SECONDS:
                raise Silent
            if answered and monotonic() >= pinged_at + _PING_EVERY_SECONDS:
                pinged_at, answered = monotonic(), False
                await subscription.ping()
            patience = _PING_EVERY_SECONDS if answered else _SILENT_SECONDS
            found = await subscription.next(max(pinged_at + patience - monotonic(), 0.01))
            if found is PONG:
                answered = True
                # What was sent before the ping was answered has been heard.
                self._certain_until = pinged_at + _CERTAIN_SECONDS
            elif found is not None:
                self._tell(found)

    def _tell(self, name: str) -> None:
        for heard, _ in self._listeners:
            _call(heard, name)

    def _end_epoch(self, before: int) -> None:
        self._certain_until = 0.0
        if self.epoch > before:
            for _, lost in self._listeners:
                _call(lost)


def _call(listener: Callable[..., None], *args: str) -> None:
    try:
        listener(*args)
    except Exception:  # noqa: BLE001 (one listener must not silence the others)
        _log.exception("a listener failed")
