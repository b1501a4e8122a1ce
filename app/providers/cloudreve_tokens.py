"""
Cloudreve's tokens: renewed once for all callers of all processes, kept before they are used.

Take the turn, read again, renew, keep, use. What is left by a process that is killed: before the
call, a turn that ends by itself; after the call, a pair that nobody knows. A refresh token may be
used again as long as it lives, says Cloudreve's source; where a site thinks otherwise, the pair
before it is tried, and the account is to be linked again once that is refused too.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import TypeVar

import msgspec
import structlog

from app.model.accounts import CredentialStore
from app.model.clock import Clock
from app.model.errors import UpstreamUnauthorized, UpstreamUnavailable
from app.model.renewable import PauseKind, Renewable
from app.providers.cloudreve_outcomes import TokenRefused
from app.providers.cloudreve_renewal import Renewal
from app.providers.http import Upstream
from app.providers.renewals import Renewals
from app.providers.turns import Turn, Turns

T = TypeVar("T")

# A token that ends within this time might end on its way.
_MARGIN = timedelta(seconds=30)
# Rare enough for accounts that nobody links again, soon enough for a refusal by mistake.
_AFTER_REFUSAL = timedelta(minutes=5)
_REMEMBERED = 10_000

_log = structlog.get_logger("providers")


class Session:
    """Asks for accounts with their access tokens, which the store keeps for all processes."""

    def __init__(
        self, upstream: Upstream, store: CredentialStore, clock: Clock, call_timeout: timedelta
    ) -> None:
        self._name = upstream.name
        self._store = store
        self._clock = clock
        self._call_timeout = call_timeout
        # A turn is for a call and writing what came of it. One that a killed process leaves is
        # waited for, and then for the call of whoever has it next.
        life = min(3 * call_timeout, call_timeout + timedelta(seconds=10))
        self._turns = Turns(upstream.name, store, clock, life, patience=life + call_timeout)
        self._renewal = Renewal(upstream)
        self._renewals: Renewals[str] = Renewals()
        self._worked: OrderedDict[str, int] = OrderedDict()

    async def used(self, account_id: str, ask: Callable[[str], Awaitable[T]]) -> T:
        """Return what is answered to the account's token; one that is refused is renewed once.

        Raises `UpstreamError`.
        """
        token = await self._token(account_id, None)
        try:
            answer = await ask(token)
        except TokenRefused:
            token = await self._token(account_id, token)
            answer = await ask(token)
        self._note(account_id, token)
        return answer

    async def aclose(self) -> None:
        """End the renewals under way; what a provider has been asked for is kept if it can be."""
        self._turns.close()
        await self._renewals.aclose(self._call_timeout)

    async def _token(self, account_id: str, refused: str | None) -> str:
        """Return a token other than the refused one.

        It is read each time: none is used once other credentials were linked, in any process.
        """
        stored = await self._store.renewable(account_id)
        usable = partial(self._usable, refused)
        if token := usable(stored):
            return token
        # Those who were refused a token never join a renewal that could return it.
        key = f"{account_id} {stored.revision} {hash(refused)}"
        return await self._renewals.join(
            key, lambda: self._turns.renewed(account_id, usable, self._renew)
        )

    def _usable(self, refused: str | None, stored: Renewable) -> str | None:
        """Return the stored token, None if it is to be renewed; raises while that is no use."""
        now = self._clock()
        pause = stored.pause if stored.pause and now < stored.pause.until else None
        if pause and pause.kind is PauseKind.REFUSED:
            raise self._refusal()
        access = stored.access
        if access and access.token != refused and access.expires - now > _MARGIN:
            return access.token
        if pause:
            raise UpstreamUnavailable(
                f"{self._name} could not renew the account's token just now.", retry_at=pause.until
            )
        return None

    async def _renew(self, turn: Turn, stored: Renewable) -> str | None:
        access = stored.access
        if access and self._worked.get(turn.account_id) == hash(access.token):
            # What came with the current pair has worked, so the one before is not needed.
            stored = msgspec.structs.replace(stored, previous=None)
        try:
            return await self._renewal.token(turn, stored)
        except UpstreamUnauthorized as error:
            if not error.relink:
                raise
            if not await turn.refuse(stored, self._clock() + _AFTER_REFUSAL):
                return None
            _log.warning("account refused", provider=self._name, account=turn.account_id)
            raise self._refusal() from error

    def _refusal(self) -> UpstreamUnauthorized:
        return UpstreamUnauthorized(
            f"{self._name} no longer accepts the account's credentials; link the account again."
        )

    def _note(self, account_id: str, token: str) -> None:
        """Remember that the token worked, of the latest ten thousand accounts."""
        self._worked[account_id] = hash(token)
        self._worked.move_to_end(account_id)
        if len(self._worked) > _REMEMBERED:
            self._worked.popitem(last=False)
