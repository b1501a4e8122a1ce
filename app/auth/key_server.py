"""Reading an issuer's published keys: one exchange, bounded in time and size, no redirects."""

import asyncio
from http import HTTPStatus

import aiohttp
import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from app.auth.keys import Key
from app.model.signing import algorithms
from app.outgoing.body import PLAIN, TooLarge, body_of, coding_of
from app.outgoing.client import Client, encoded

# Some callers wait for it: short of the request's time, long enough for a distant server.
_TIMEOUT_SECONDS = 3
# Sets of a few keys with their certificates have some 10 KB.
_MOST_BYTES = 256 << 10
_READERS = {
    "RSA": RSAAlgorithm.from_jwk,
    "EC": ECAlgorithm.from_jwk,
    "OKP": OKPAlgorithm.from_jwk,
}


class KeysUnreadable(Exception):
    """The key server gave no keys; the message says why and holds nothing that it sent."""


class _Set(msgspec.Struct):
    keys: list[msgspec.Raw]


class _Published(msgspec.Struct, omit_defaults=True):
    """What of a JWK is looked at; with `d` it would be a private key."""

    kty: str
    kid: str | None = None
    use: str | None = None
    alg: str | None = None
    key_ops: list[str] | None = None
    crv: str | None = None
    n: str | None = None
    e: str | None = None
    x: str | None = None
    y: str | None = None
    d: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class KeyServer:
    """An issuer's address of keys (RFC 7517)."""

    def __init__(self, url: str) -> None:
        self._url = encoded(url)
        self._client = Client(
            {
                "Accept": "application/jwk-set+json, application/json",
                "Accept-Encoding": "identity",
            },
            most_connections=1,
        )

    async def read(self) -> tuple[Key, ...]:
        """Return the keys that may verify tokens; raises `KeysUnreadable`."""
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                body = await self._body()
        except TimeoutError:
            raise KeysUnreadable("no answer in time") from None
        except (aiohttp.ClientError, OSError):
            raise KeysUnreadable("it could not be reached") from None
        return published_keys(body)

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _body(self) -> bytes:
        async with self._client.request("GET", self._url) as response:
            if response.status != HTTPStatus.OK:
                raise KeysUnreadable(f"it answered with HTTP {response.status}")
            if coding_of(response) not in PLAIN:
                raise KeysUnreadable("it compressed its answer")
            try:
                return await body_of(response, _MOST_BYTES)
            except TooLarge:
                raise KeysUnreadable("its answer is too large") from None


def published_keys(body: bytes) -> tuple[Key, ...]:
    """Return those keys of a set that may verify tokens; `KeysUnreadable` where there is none."""
    try:
        written = msgspec.json.decode(body, type=_Set).keys
    except (ValueError, RecursionError):
        raise KeysUnreadable("its answer is no set of keys") from None
    keys = tuple(key for key in map(_key, written) if key)
    if not keys:
        raise KeysUnreadable("it publishes no key that may verify tokens")
    return keys


def _key(written: msgspec.Raw) -> Key | None:
    """Return a key; None for what is not for signatures, is private, or cannot be read."""
    try:
        one = msgspec.json.decode(written, type=_Published)
    except (ValueError, RecursionError):
        return None
    for_signatures = one.use in {None, "sig"} and "verify" in (one.key_ops or ["verify"])
    if one.kty not in _READERS or one.d is not msgspec.UNSET or not for_signatures:
        return None
    try:
        key = _READERS[one.kty](msgspec.to_builtins(one))
    except (jwt.PyJWTError, UnsupportedAlgorithm, ValueError):
        return None
    allowed = algorithms(key)
    if one.alg is not None:
        allowed &= {one.alg}
    return Key(key, allowed, one.kid) if allowed else None  # type: ignore[arg-type]
