"""Whose turn it is to renew an account's credentials, over all processes of one store."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from secrets import SystemRandom, token_hex

from app.model.accounts import CredentialStore
from app.model.clock import Clock
from app.model.errors import UpstreamError, UpstreamTimeout, UpstreamUnauthorized
from app.model.renewable import Pause, PauseKind, Renewable, Renewed

# A turn of another process is looked at often at first, as a renewal takes one call.
_FIRST_LOOK_SECONDS, _LONGEST_LOOK_SECONDS = 0.03, 0.5
# As long as the mirror leaves alone what failed once.
_AFTER_FAILURE = timedelta(seconds=1)
_LONGEST_AFTER_FAILURE = timedelta(seconds=30)

_chance = SystemRandom()


class TurnLost(Exception):
    """The turn ended while it was used; somebody else may have it."""


class Turn:
    """A turn that was taken. It ends by itself, so who is killed with it keeps nobody for long."""

    def __init__(
        self, store: CredentialStore, clock: Clock, life: timedelta, account_id: str
    ) -> None:
        self.account_id = account_id
        self._store = store
        self._clock = clock
        self._life = life
        self._name = token_hex(8)
        self._is_over = False

    async def take(self) -> bool:
        """Say whether it is ours for its whole life from now on."""
        now = self._clock()
        self._is_over = False
        return await self._store.take_turn(self.account_id, self._name, now, now + self._life)

    async def prolong(self) -> None:
        """Begin its life again; raises `TurnLost`."""
        if not await self.take():
            raise TurnLost

    async def keep(self, before: Renewable, renewed: Renewed) -> bool:
        """Keep a renewed pair and end; False where other ones were linked or renewed."""
        self._is_over = await self._store.keep_renewed(self.account_id, before, renewed)
        return self._is_over

    async def refuse(self, before: Renewable, until: datetime) -> bool:
        """Have the account linked again and end; False where that or a renewal happened."""
        self._is_over = await self._store.refuse(self.account_id, before, until)
        return self._is_over

    async def end(self, pause: Pause | None) -> None:
        """Let others have it after the pause; if that fails, when it ends by itself."""
        if not self._is_over:
            with suppress(UpstreamError):
                await self._store.end_turn(self.account_id, self._name, pause)


class Turns:
    """Waits for a turn, and for what was renewed in the turn of another process."""

    def __init__(
        self,
        name: str,
        store: CredentialStore,
        clock: Clock,
        life: timedelta,
        patience: timedelta,
    ) -> None:
        self._name = name
        self._store = store
        self._clock = clock
        self._life = life
        self._patience = patience
        self._is_closing = False

    def close(self) -> None:
        """Wait no longer; a turn that is ours goes on."""
        self._is_closing = True

    async def renewed(
        self,
        account_id: str,
        usable: Callable[[Renewable], str | None],
        renew: Callable[[Turn, Renewable], Awaitable[str | None]],
    ) -> str:
        """Return what is usable of the account's credentials once they are renewed.

        `renew` has the turn and is told what is to be renewed; it returns None where others were
        linked or renewed meanwhile. Raises `UpstreamError`.
        """
        turn, look = Turn(self._store, self._clock, self._life, account_id), _FIRST_LOOK_SECONDS
        time = asyncio.get_running_loop().time
        deadline = time() + self._patience.total_seconds()
        while time() < deadline and not self._is_closing:
            stored = await self._store.renewable(account_id)
            if token := usable(stored):
                return token
            is_taken = stored.taken_until is not None and self._clock() < stored.taken_until
            if not is_taken and await turn.take():
                if token := await self._within(turn, usable, renew):
                    return token
            else:
                await asyncio.sleep(look * _chance.uniform(0.5, 1.5))
                look = min(1.5 * look, _LONGEST_LOOK_SECONDS)
        raise UpstreamTimeout(f"{self._name} did not renew the account's token in time.")

    async def _within(
        self,
        turn: Turn,
        usable: Callable[[Renewable], str | None],
        renew: Callable[[Turn, Renewable], Awaitable[str | None]],
    ) -> str | None:
        pause = None
        try:
            # Whoever had the turn before may have renewed them.
            stored = await self._store.renewable(turn.account_id)
            token = usable(stored) or await renew(turn, stored)
        except TurnLost:
            token = None
        except UpstreamError as error:
            pause = self._pause_after(error)
            raise
        finally:
            await turn.end(pause)
        return token

    def _pause_after(self, error: UpstreamError) -> Pause | None:
        if isinstance(error, UpstreamUnauthorized):
            return None
        now = self._clock()
        until = min(error.retry_at or now, now + _LONGEST_AFTER_FAILURE)
        return Pause(PauseKind.FAILED, max(until, now + _AFTER_FAILURE))
