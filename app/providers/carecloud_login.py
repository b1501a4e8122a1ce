"""CareCloud's bearer token: one for the whole provider, as a second login may end the first."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus

from app.model.clock import Clock
from app.model.errors import UpstreamUnauthorized
from app.providers.http import Answer, Call, Upstream
from app.providers.payload import local_instants
from app.providers.shapes import carecloud as shapes
from app.settings.providers import CareCloudSettings

# Tokens live seven hours unless the project says otherwise.
_LONGEST_USE = timedelta(hours=6)


class LoginRefused(UpstreamUnauthorized):
    """The bearer token has expired or was ended; a new login may be accepted."""


class Login:
    """Logs in when a token is asked for and none is good; one login at a time."""

    def __init__(
        self,
        settings: CareCloudSettings,
        upstream: Upstream,
        clock: Clock,
        read: Callable[[Answer, type[shapes.Login]], shapes.Login],
    ) -> None:
        self._settings = settings
        self._upstream = upstream
        self._clock = clock
        self._read = read
        self._token: str | None = None
        self._use_until: datetime | None = None
        self._lock = asyncio.Lock()

    async def token(self) -> str:
        """Return a token that was not refused yet; raises `UpstreamError`."""
        return await self.renewed(refused=None)

    async def renewed(self, refused: str | None) -> str:
        """Return a token other than the refused one, logging in at most once for all callers."""
        async with self._lock:
            if (
                self._token is None
                or self._token == refused
                or self._use_until is None
                or self._clock() >= self._use_until
            ):
                await self._log_in()
            assert self._token is not None  # noqa: S101 - `_log_in` returned
            return self._token

    async def _log_in(self) -> None:
        body = {
            "user_external_application_id": self._settings.external_application_id,
            "login": self._settings.login,
            "password": self._settings.password.get_secret_value(),
        }
        headers = {"Accept-Language": self._settings.language}
        call = Call("POST", "/users/actions/login", headers, json=body, is_read=False)
        answer = await self._upstream.ask(call, self._read_login)
        ends, _ = local_instants(answer.valid_to, self._settings.time_zone)
        self._token = answer.bearer_token
        self._use_until = min(ends, self._clock() + _LONGEST_USE)

    def _read_login(self, answer: Answer) -> shapes.Login:
        if answer.status == HTTPStatus.BAD_REQUEST:
            name = self._upstream.name
            raise UpstreamUnauthorized(f"{name} refuses the configured login.", relink=False)
        return self._read(answer, shapes.Login)
