"""Taking away what was read of accounts that are gone, or have other credentials now."""

import asyncio
from collections.abc import Mapping

import structlog

from app.mirror.mirror import Mirror
from app.mirror.reported import Reported
from app.redis.guard import RedisAway, RedisBusy

_log = structlog.get_logger("mirror")
_TRIES_WHILE_BUSY = 5
_PAUSE_SECONDS = 0.1


class Forgetting:
    """Forgets histories and balances, in all processes within a second."""

    def __init__(self, mirror: Mirror, reported: Reported) -> None:
        self._mirror = mirror
        self._reported = reported

    async def __call__(self, revisions: Mapping[str, int]) -> None:
        """Take away what was read of each account, by its id, at that revision."""
        await asyncio.gather(*(self._forget(*one) for one in revisions.items()))

    async def _forget(self, account_id: str, revision: int) -> None:
        for _ in range(_TRIES_WHILE_BUSY):
            outcomes = await asyncio.gather(
                self._mirror.purge(account_id, revision),
                self._reported.purge(account_id, revision),
                return_exceptions=True,
            )
            failed = [one for one in outcomes if one is not None]
            if not any(isinstance(one, RedisBusy) for one in failed):
                break
            await asyncio.sleep(_PAUSE_SECONDS)
        for error in failed:
            if not isinstance(error, RedisAway):
                raise error
        if failed:
            # Nobody is served from it: the directory knows no such account or revision any more.
            # What was read stays in Redis until it expires there, as long after the last writing as
            # it could be served or was to be read anew (24 h unless configured otherwise), and in
            # the memory of other processes until other histories need the room.
            _log.warning("what was read stays in Redis until it expires", account=account_id)
