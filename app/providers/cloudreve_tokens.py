"""Cloudreve's access tokens: kept in memory, renewed once for all who wait for one."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from app.model.accounts import AccountStatus, CredentialStore
from app.model.clock import Clock
from app.model.errors import UpstreamUnauthorized
from app.providers.cloudreve_outcomes import data_of
from app.providers.http import Call, Upstream
from app.providers.renewals import Renewals
from app.providers.shapes import cloudreve as shapes

# A token that ends within this time might end on its way.
_MARGIN = timedelta(seconds=30)


class _Access(NamedTuple):
    token: str
    expires: datetime


class Session:
    """Access tokens by account. The renewed refresh token is stored before either is used."""

    def __init__(
        self,
        upstream: Upstream,
        store: CredentialStore,
        clock: Clock,
    ) -> None:
        self._upstream = upstream
        self._store = store
        self._clock = clock
        self._access: dict[str, _Access] = {}
        self._renewals = Renewals()

    async def token(self, account_id: str) -> str:
        """Return a token that was not refused yet; raises `UpstreamError`."""
        return await self.renewed(account_id, refused=None)

    async def renewed(self, account_id: str, refused: str | None) -> str:
        """Return a token other than the refused one, renewing at most once for all callers."""
        known = self._access.get(account_id)
        if known and known.token != refused and known.expires - self._clock() > _MARGIN:
            return known.token
        return await self._renewals.join(account_id, lambda: self._renew(account_id))

    async def aclose(self) -> None:
        """End the renewals that are under way."""
        await self._renewals.aclose()

    async def _renew(self, account_id: str) -> str:
        credentials = await self._store.credentials(account_id)
        body: dict[str, Any] = {"refresh_token": credentials["refreshToken"]}
        call = Call("POST", "/session/token/refresh", json=body, is_read=False)
        try:
            tokens = await self._upstream.ask(
                call, lambda answer: data_of(answer, shapes.Tokens, self._upstream.name)
            )
        except UpstreamUnauthorized:
            self._access.pop(account_id, None)
            await self._store.mark(account_id, AccountStatus.NEEDS_RELINK)
            raise
        await self._store.replace_credentials(
            account_id, {**credentials, "refreshToken": tokens.refresh_token}
        )
        self._access[account_id] = _Access(tokens.access_token, tokens.access_expires)
        return tokens.access_token
