"""Cloudreve's tokens: signed, so that they outlive a restart of the sandbox."""

import base64
import hmac
import json
import time
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

from app.sandbox.timeline import with_fraction
from app.sandbox.upstream import SINGLE_USE, Surroundings

ACCESS = "access"
REFRESH = "refresh"
ACCESS_LIFE = timedelta(hours=1)
REFRESH_LIFE = timedelta(days=14)

LOGIN_REQUIRED = 401
CREDENTIAL_INVALID = 40020

_FOR_EVER = 32_503_680_000  # the year 3000, for the tokens of the sample customers


class TokenRefused(Exception):
    """A token is not accepted; `code` is what the provider answers."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Tokens:
    """Issues and reads tokens; what was issued before a floor is no longer accepted."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self._secret = sha256(f"cloudreve/{around.seed}".encode()).digest()
        self._floors = {ACCESS: 0, REFRESH: 0}
        self._last = 0
        self._spent: set[str] = set()

    def first(self, user_id: str) -> str:
        """Return a user's first refresh token, always the same."""
        token_id = sha256(self._secret + user_id.encode()).hexdigest()[:32]
        return self._sign(REFRESH, user_id, _FOR_EVER, issued=0, token_id=token_id)

    def pair(self, user_id: str) -> dict[str, str]:
        """Return the token object: both tokens new, with their expiries."""
        now = self.around.clock()
        access_expires = now + self.around.settings.access_life_or(ACCESS_LIFE)
        refresh_expires = now + REFRESH_LIFE
        return {
            "access_token": self._issue(ACCESS, user_id, access_expires),
            "refresh_token": self._issue(REFRESH, user_id, refresh_expires),
            "access_expires": with_fraction(access_expires),
            "refresh_expires": with_fraction(refresh_expires),
        }

    def refreshed(self, token: str) -> dict[str, str]:
        """Return a new pair for a refresh token, which stays valid unless it is single-use."""
        claims = self._read(token)
        if claims is None or claims["typ"] != REFRESH or not self._accepted(claims):
            raise TokenRefused(CREDENTIAL_INVALID)
        if self.around.settings.rotate == SINGLE_USE:
            self._spent.add(claims["jti"])
        return self.pair(claims["sub"])

    def user_id(self, token: str) -> str:
        """Return whose access token this is."""
        claims = self._read(token)
        if claims is not None and claims["typ"] == REFRESH:
            raise TokenRefused(CREDENTIAL_INVALID)
        if claims is None or not self._accepted(claims):
            raise TokenRefused(LOGIN_REQUIRED)
        return str(claims["sub"])

    def expire(self, kind: str) -> None:
        """Stop accepting every token of a kind that was issued until now."""
        self._floors[kind] = self._next()

    def _accepted(self, claims: dict[str, Any]) -> bool:
        return (
            claims["seq"] >= self._floors[claims["typ"]]
            and claims["exp"] > self.around.clock().timestamp()
            and claims["jti"] not in self._spent
        )

    def _issue(self, kind: str, user_id: str, expires: datetime) -> str:
        return self._sign(
            kind, user_id, expires.timestamp(), issued=self._next(), token_id=uuid4().hex
        )

    def _next(self) -> int:
        self._last = max(time.time_ns(), self._last + 1)
        return self._last

    def _sign(self, kind: str, user_id: str, expires: float, *, issued: int, token_id: str) -> str:
        claims = {"typ": kind, "sub": user_id, "exp": expires, "seq": issued, "jti": token_id}
        parts = ({"alg": "HS256", "typ": "JWT"}, claims)
        texts = (json.dumps(part, separators=(",", ":")) for part in parts)
        signed = ".".join(_unpadded(text.encode()) for text in texts)
        return f"{signed}.{self._signature(signed)}"

    def _signature(self, signed: str) -> str:
        return _unpadded(hmac.digest(self._secret, signed.encode(), "sha256"))

    def _read(self, token: str) -> dict[str, Any] | None:
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._signature(signed).encode(), signature.encode()):
            return None
        payload = signed.partition(".")[2]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return claims if isinstance(claims, dict) else None


def _unpadded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
