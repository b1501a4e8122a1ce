"""
Operations on a Redis that may be away: nobody waits long for it, and then nobody at all.

Each operation runs in a task of its own, which nobody cancels: a caller that goes away or loses
patience leaves it to its end, so that no connection is left with an answer that nobody read.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextvars import Context
from time import perf_counter
from typing import Any, TypeVar

import structlog
from redis.asyncio.cluster import RedisCluster
from redis.exceptions import NoScriptError

from app.metrics.metrics import Metrics
from app.redis.connection import Client, embedded, ping
from app.redis.failures import is_refusal, is_silence, is_timeout
from app.redis.lines import Lines, Word
from app.redis.scripts import Script

__all__ = ["PATIENCE_SECONDS", "Guard", "RedisAway", "RedisBusy", "Script"]

T = TypeVar("T")

_log = structlog.get_logger("redis")

# Longer than a slow Redis needs, shorter than a person notices.
PATIENCE_SECONDS = 0.12
# Between two looks at whether Redis is back.
_REST_SECONDS = 0.5
# More would only wait for this process; a connection pool's limit of 100 would be an error.
_AT_ONCE = 32
# A timer this much too late says that this process was busy, and nothing of Redis.
_STALLED_SECONDS = 2 * PATIENCE_SECONDS
# In so many turns of the event loop a connection is made and an answer is read.
_TURNS = 12
_STALLS_ALLOWED = 2
_REFUSAL_LOGGED_EVERY_SECONDS = 60.0


class RedisAway(Exception):
    """Redis cannot be used now; nobody's fault, and whoever asks does without it."""


class RedisBusy(RedisAway):
    """Here it is too busy to ask Redis or to hear it; Redis itself may be well."""


def _reason(away: RedisAway) -> str:
    """Return in a word why Redis did not do what it was asked."""
    if isinstance(away, RedisBusy):
        return "busy"
    if isinstance(away.__cause__, Exception):
        return "silence" if is_silence(away.__cause__) else "refusal"
    return "away"


class Guard:
    """Asks one Redis, for a bounded time; while it is away, answers so at once."""

    def __init__(self, client: Client, metrics: Metrics | None = None) -> None:
        self._client = client
        self._metrics = metrics or Metrics()
        self.embedded = embedded(client)
        self.is_cluster = isinstance(client, RedisCluster)
        self._lines = (
            None
            if isinstance(client, RedisCluster) or self.embedded
            else Lines(client.connection_pool)
        )
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._running: set[asyncio.Task[Any]] = set()
        self._watch: asyncio.Task[None] | None = None
        self._stalls = 0
        self._stalled_at = 0.0
        self._refusal_logged_at = float("-inf")

    @property
    def is_embedded(self) -> bool:
        """Whether Redis is in this process, where nothing can be late or lost."""
        return self.embedded is not None

    @property
    def is_away(self) -> bool:
        """Whether Redis did not answer and has not been seen since."""
        return self._watch is not None

    async def ask(self, operation: Callable[[Client], Awaitable[T]]) -> T:
        """Return what the operation returns, or raise RedisAway; the caller's errors pass."""
        began = perf_counter()
        try:
            answer = await self._asked(operation)
        except RedisAway as away:
            self._metrics.redis_failures.add(_reason(away))
            raise
        self._metrics.redis_seconds.observe(amount=perf_counter() - began)
        return answer

    async def _asked(self, operation: Callable[[Client], Awaitable[T]]) -> T:
        if self.is_away:
            raise RedisAway("Redis is away")
        try:
            if self.is_embedded:
                async with self._room:
                    return await operation(self._client)
            return await self._answer(operation)
        except Exception as error:
            if is_silence(error):
                self._leave(error)
            elif is_refusal(error):
                self._note_refusal(error)
            else:
                raise
            raise RedisAway(type(error).__name__) from error

    async def command(self, *words: Word) -> Any:  # noqa: ANN401 (whatever Redis answers)
        """Return what Redis answers to a command, whose keys lie together; raises as `ask` does."""
        return await self.ask(lambda client: self._tell(client)(*words))

    async def run(
        self, script: Script, keys: Sequence[str], args: Sequence[str | bytes | int]
    ) -> Any:  # noqa: ANN401 (what a script returns is its own)
        """Return what the script returns, in one round trip where Redis knows it already."""
        words = (len(keys), *keys, *args)

        async def evaluate(client: Client) -> Any:  # noqa: ANN401 (as above)
            tell = self._tell(client)
            try:
                return await tell("EVALSHA", script.sha1, *words)
            except NoScriptError:
                return await tell("EVAL", script.source, *words)

        return await self.ask(evaluate)

    async def aclose(self) -> None:
        """End what still runs here; the client stays open."""
        tasks = [*self._running, *([self._watch] if self._watch else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._watch = None
        if self._lines:
            await self._lines.aclose()

    def _tell(self, client: Client) -> Callable[..., Awaitable[Any]]:
        """Return what sends a command; a client whose servers are many knows which of them."""
        tell: Callable[..., Awaitable[Any]] = client.execute_command
        return self._lines.ask if self._lines else tell

    async def _answer(self, operation: Callable[[Client], Awaitable[T]]) -> T:
        clock = asyncio.get_running_loop().time
        asked_at = clock()
        await self._enter()
        entered_at = clock()
        task = self._started(self._attempt(operation))
        # In a busy process a turn takes long, but in each of them an answer that came is heard.
        for _ in range(_TURNS):
            await asyncio.wait({task}, timeout=PATIENCE_SECONDS / _TURNS)
            if task.done():
                break
            if self.is_away:
                raise RedisAway("Redis is away")
        stalled = clock() - entered_at > _STALLED_SECONDS
        if task.done() and not (stalled and is_timeout(task.exception())):
            self._stalls = 0
            return task.result()
        if stalled and not self._is_one_too_many(asked_at):
            raise RedisBusy("this process was too busy to hear Redis")
        raise TimeoutError

    async def _enter(self) -> None:
        """Take a place among those that ask; a full house says nothing of Redis."""
        if not self._room.locked():
            await self._room.acquire()
            return
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._room.acquire()
        except TimeoutError:
            raise RedisBusy("too many ask at once") from None
        if self.is_away:
            self._room.release()
            raise RedisAway("Redis is away")

    async def _attempt(self, operation: Callable[[Client], Awaitable[T]]) -> T:
        try:
            if isinstance(self._client, RedisCluster):
                await self._client.initialize()
            return await operation(self._client)
        finally:
            self._room.release()

    def _started(self, attempt: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(attempt)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            # Where nobody waits any more, nobody wants the error either.
            task.exception()

    def _is_one_too_many(self, asked_at: float) -> bool:
        """Count a stall once, however many callers it hit."""
        if asked_at >= self._stalled_at:
            self._stalls += 1
            self._stalled_at = asyncio.get_running_loop().time()
        return self._stalls > _STALLS_ALLOWED

    def _leave(self, error: Exception) -> None:
        if self.is_away:
            return
        _log.warning("redis is away", error=type(error).__name__)
        self._watch = asyncio.get_running_loop().create_task(
            self._await_return(), context=Context()
        )

    async def _await_return(self) -> None:
        look: asyncio.Task[bool] | None = None
        while True:
            await asyncio.sleep(_REST_SECONDS)
            # A look that takes longer goes on: it ends with what it found.
            look = look or self._started(ping(self._client))
            await asyncio.wait({look}, timeout=_REST_SECONDS)
            if look.done():
                if not look.cancelled() and not look.exception() and look.result():
                    break
                look = None
        self._watch = None
        self._stalls = 0
        _log.info("redis is back")

    def _note_refusal(self, error: Exception) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._refusal_logged_at >= _REFUSAL_LOGGED_EVERY_SECONDS:
            self._refusal_logged_at = now
            _log.warning("redis refuses", error=type(error).__name__)
