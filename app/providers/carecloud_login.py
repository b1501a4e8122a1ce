"""CareCloud's bearer token: one for the whole provider, as a second login may end the first."""

from datetime import datetime, timedelta
from http import HTTPStatus

from app.model.clock import Clock
from app.model.errors import UpstreamInvalidResponse, UpstreamUnauthorized
from app.providers.call import Answer, Call
from app.providers.carecloud_outcomes import data_of
from app.providers.http import Upstream
from app.providers.payload import local_instants
from app.providers.renewals import Renewals
from app.providers.shapes import carecloud as shapes
from app.providers.telling import reading
from app.settings.providers import CareCloudSettings

# Tokens live seven hours unless the project says otherwise.
_LONGEST_USE = timedelta(hours=6)
_ALL = "all"


class Login:
    """Logs in when a token is asked for and none is good; one login at a time."""

    def __init__(
        self,
        settings: CareCloudSettings,
        upstream: Upstream,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._upstream = upstream
        self._clock = clock
        self._token: str | None = None
        self._use_until: datetime | None = None
        self._renewals: Renewals[str] = Renewals()

    async def token(self) -> str:
        """Return a token that was not refused yet; raises `UpstreamError`."""
        return await self.renewed(refused=None)

    async def renewed(self, refused: str | None) -> str:
        """Return a token other than the refused one, logging in at most once for all callers."""
        is_good = self._use_until is not None and self._clock() < self._use_until
        if self._token is not None and self._token != refused and is_good:
            return self._token
        return await self._renewals.join(_ALL, self._log_in)

    async def aclose(self) -> None:
        """End the login that is under way."""
        await self._renewals.aclose()

    async def _log_in(self) -> str:
        body = {
            "user_external_application_id": self._settings.external_application_id,
            "login": self._settings.login,
            "password": self._settings.password.get_secret_value(),
        }
        headers = {"Accept-Language": self._settings.language}
        call = Call("POST", "/users/actions/login", headers, json=body, is_read=False)
        answer = await self._upstream.ask(call, self._read_login)
        self._use_until = min(self._end(answer), self._clock() + _LONGEST_USE)
        self._token = answer.bearer_token
        return answer.bearer_token

    def _end(self, login: shapes.Login) -> datetime:
        try:
            return local_instants(login.valid_to, self._settings.time_zone)[0]
        except (ArithmeticError, ValueError) as error:
            name = self._upstream.name
            raise UpstreamInvalidResponse(f"{name} names no time that a login ends.") from error

    def _read_login(self, answer: Answer) -> shapes.Login:
        if answer.status == HTTPStatus.BAD_REQUEST:
            name = self._upstream.name
            raise UpstreamUnauthorized(f"{name} refuses the configured login.", relink=False)
        return data_of(answer, reading(shapes.Login, self._upstream.name), self._upstream.name)
