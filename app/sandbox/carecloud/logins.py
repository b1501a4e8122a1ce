"""The one user of the CareCloud project, and the tokens of its logins."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any

from app.sandbox.timeline import PRAGUE, local
from app.sandbox.upstream import Surroundings

APPLICATION_ID = "sandbox-app"
LOGIN = "gateway"
PASSWORD = "sandbox-password"  # noqa: S105 - invented, and told by control

LOGIN_FIELDS = {
    "user_external_application_id": APPLICATION_ID,
    "login": LOGIN,
    "password": PASSWORD,
}
LIFE = timedelta(hours=7)

_TOKEN_BYTES = 20
_USER = {
    "user_id": "838b73aacb5ac326cec4030c80",
    "login": LOGIN,
    "first_name": "Gateway",
    "last_name": "Sandbox",
    "email": "gateway@project.example",
    "phone": 420_000_000_000,
    "user_role_id": "86e05affc7a7befcd513ab400c",
    "store_id": "86e05affc7a7abecd513ab4001",
}


class Logins:
    """Issues bearer tokens; a second login leaves the first token valid."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self._expiries: dict[str, datetime] = {}

    def log_in(self, given: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return what a login answers; None when the credentials are wrong."""
        if any(given.get(name) != value for name, value in LOGIN_FIELDS.items()):
            return None
        token = token_hex(_TOKEN_BYTES)
        expires = self.around.clock() + self.around.settings.access_life_or(LIFE)
        self._expiries[token] = expires
        return {"bearer_token": token, "valid_to": local(expires, PRAGUE), "user": _USER}

    def knows(self, token: str) -> bool:
        """Tell whether a bearer token is accepted."""
        expires = self._expiries.get(token)
        return expires is not None and expires > self.around.clock()

    def expire(self) -> None:
        """Stop accepting every token."""
        self._expiries.clear()
