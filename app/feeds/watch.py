"""
Watches one history: looks at it when it may have changed, and when it is to be read again.

All processes that watch a history have it read from its provider once: each asks the mirror for
it, where it is fresh no more, and the mirror has one of them read it and tells the others.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from contextvars import Context
from datetime import datetime, timedelta

import structlog

from app.feeds.difference import Seen, lacks_a_beginning, newest_part
from app.mirror.mirror import Mirror
from app.mirror.reading import Reading
from app.mirror.snapshot import Snapshot
from app.mirror.store import PURGED
from app.model.accounts import Account
from app.model.clock import Clock
from app.model.entries import Entry, Stream
from app.model.errors import GatewayError, NotFound, UpstreamError

_log = structlog.get_logger("feeds")

# A history that is being deepened changes with every page; it is not looked at each time.
_SHORTEST_PAUSE = 0.2
# However long nothing is to be done, the clock may be moved meanwhile; to look costs nothing then.
_LONGEST_PAUSE = 5.0
# A refresh reads five pages at most, each within its provider's timeout, of 5 s unless configured.
_PATIENCE = timedelta(seconds=30)

IsCurrent = Callable[[Account], Awaitable[bool]]
"""Says whether an account is still linked with the same credentials."""
Tell = Callable[[Account, Sequence[Entry]], None]


class Watch:
    """Tells what is new in one account's history, from the first look on, until it is ended.

    `gone` is called where the account is gone, or has other credentials.
    """

    def __init__(
        self,
        mirror: Mirror,
        account: Account,
        stream: Stream,
        clock: Clock,
        *,
        is_current: IsCurrent,
        tell: Tell,
        gone: Callable[[], None],
    ) -> None:
        self.account = account
        # Set once it was looked at, or could not be.
        self.began = asyncio.Event()
        self._mirror = mirror
        self._stream = stream
        self._clock = clock
        self._is_current = is_current
        self._tell = tell
        self._gone = gone
        self._word = asyncio.Event()
        self._is_in_doubt = False
        self._seen: Seen | None = None
        self._shown: object = None
        # It is for all who listen, and belongs to no request.
        self.task = asyncio.create_task(self._watch(), context=Context())

    def end(self) -> None:
        """Tell nothing more."""
        self._tell = _nothing
        self.task.cancel()

    async def _watch(self) -> None:
        with self._mirror.heeding(self.account, self._stream, self._heard):
            while True:
                self._word.clear()
                pause = await self._look_safely()
                self.began.set()
                await asyncio.sleep(_SHORTEST_PAUSE)
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._word.wait()

    def _heard(self, word: str) -> None:
        if word == PURGED:
            self._is_in_doubt = True
        self._word.set()

    async def _look_safely(self) -> float:
        """Look, and return after how many seconds to look again without a word."""
        try:
            reading = await self._look()
        except UpstreamError as error:
            return self._until(error.retry_at)
        except GatewayError:
            return _LONGEST_PAUSE  # the account is gone, which ends the watch soon
        except Exception:  # noqa: BLE001 - whatever happened, it looks again
            _log.exception("a look at a history broke", account=self.account.id)
            return _LONGEST_PAUSE
        if reading.is_stale:
            return self._until(reading.error.retry_at if reading.error else None)
        return self._until(reading.snapshot.read_at + self._mirror.polled_every(self.account))

    async def _look(self) -> Reading:
        account = self.account
        if self._is_in_doubt:
            await self._require_current(account)
            self._is_in_doubt = False
        reading = await self._mirror.poll(account, self._stream, _PATIENCE)
        snapshot = reading.snapshot
        if self._shown == _shown(snapshot):
            return reading
        part = newest_part(snapshot)
        lacks = self._seen.lacks(part) if self._seen else lacks_a_beginning(part)
        if lacks and not snapshot.complete:
            snapshot = await self._mirror.deepen(account, self._stream, lacks.back_to)
            part = newest_part(snapshot)
        seen, news = self._seen.then(part) if self._seen else (Seen.first(part), [])
        # What was read with other credentials may be somebody else's.
        if news:
            await self._require_current(account)
        self._seen, self._shown = seen, _shown(snapshot)
        if news:
            self._tell(account, news)
        return reading

    async def _require_current(self, account: Account) -> None:
        if not await self._is_current(account):
            self._gone()
            raise NotFound("The account is gone, or has other credentials.")

    def _until(self, at: datetime | None) -> float:
        seconds = (at - self._clock()).total_seconds() if at else _LONGEST_PAUSE
        return min(max(seconds, 0), _LONGEST_PAUSE)


def _shown(snapshot: Snapshot) -> object:
    """Return what is the same for as long as the entries are; a refresh mostly brings none."""
    return snapshot.block_names, snapshot.complete


def _nothing(_: Account, __: Sequence[Entry]) -> None:
    pass
