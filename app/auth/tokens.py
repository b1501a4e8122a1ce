"""JWTs: verified by a key of the issuer's, and remembered until they end."""

from collections import OrderedDict
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple

import jwt

from app.auth import claims
from app.auth.claims import Expected
from app.auth.keys import Key, KeySource
from app.model.clock import Clock
from app.model.errors import Unauthenticated
from app.model.viewer import Known, Viewer

# Some 5 MB; more callers than that at a time are verified again now and then.
_MOST_REMEMBERED = 10_000
# The end of the year 9999, after which a `datetime` cannot be.
_LAST_SECOND = 253_402_300_799


class _Verified(NamedTuple):
    known: Known
    ends: float
    key: Key


class Tokens:
    """Says who sent a token."""

    def __init__(self, keys: KeySource, expected: Expected, clock: Clock) -> None:
        self._keys = keys
        self._expected = expected
        self._clock = clock
        self._jws = jwt.PyJWS()
        # By the token's digest: what is in memory cannot be sent again.
        self._remembered: OrderedDict[bytes, _Verified] = OrderedDict()

    async def known(self, token: str) -> Known:
        """Return who sent a token, and until when it is good.

        Raises `Unauthenticated`, `UpstreamUnavailable` meanwhile.
        """
        digest = _digest(token)
        before = self._good(digest)
        if before:
            return before
        self._remembered.pop(digest, None)
        verified = await self._verified(token)
        self._remembered[digest] = verified
        if len(self._remembered) > _MOST_REMEMBERED:
            self._remembered.popitem(last=False)
        return verified.known

    def remembered(self, token: str) -> Viewer | None:
        """Return who sent a token that was verified before and is good still, None for others."""
        known = self._good(_digest(token))
        return known.viewer if known else None

    def _good(self, digest: bytes) -> Known | None:
        before = self._remembered.get(digest)
        now = self._clock().timestamp()
        if before is None or now >= before.ends or not self._keys.holds(before.key):
            return None
        self._remembered.move_to_end(digest)
        return before.known

    async def _verified(self, token: str) -> _Verified:
        key_id, algorithm = self._names(token)
        key = await self._keys.find(key_id, algorithm)
        if key is None:
            raise _refused("is signed by a key or an algorithm that is not the issuer's")
        try:
            payload = self._jws.decode(token, key.verifies, algorithms=[algorithm])
        except (jwt.PyJWTError, ValueError, TypeError):
            raise _refused("is not signed by its issuer") from None
        viewer, ends = claims.read(payload, self._expected, self._clock().timestamp())
        return _Verified(Known(viewer, _instant(ends)), ends, key)

    def _names(self, token: str) -> tuple[str | None, str]:
        """Return the key and the algorithm that a token names; neither is believed yet."""
        try:
            header = self._jws.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            raise _refused("is not a JWT") from None
        algorithm = header.get("alg")
        if "crit" in header:
            raise _refused("has critical extensions, of which none is known here")
        if not isinstance(algorithm, str):
            raise _refused("names no algorithm")
        return header.get("kid"), algorithm


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()


def _instant(seconds: float) -> datetime:
    """Return the instant so many seconds after 1970; for later ones the last that there is."""
    return datetime.fromtimestamp(min(seconds, _LAST_SECOND), UTC)


def _refused(why: str) -> Unauthenticated:
    return Unauthenticated(f"The token {why}.", sent=True)
