"""What a verified token says: who calls, until when, and what for."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from app.model.errors import Unauthenticated
from app.model.viewer import Scope, Viewer

# What clocks of issuers and ours may differ by.
_LEEWAY_SECONDS = 30


class _Claims(msgspec.Struct):
    """The claims of RFC 7519 that are looked at, and the names that issuers have for scopes."""

    iss: str
    sub: str
    aud: str | list[str]
    exp: int | float
    nbf: int | float | None = None
    iat: int | float | None = None
    scope: str | list[str] | None = None
    scp: str | list[str] | None = None
    scopes: str | list[str] | None = None


@dataclass(frozen=True)
class Expected:
    """What tokens have to say. `customer_claim` is the name of the claim, not its value."""

    issuer: str
    audience: str
    customer_claim: str


def read(payload: bytes, expected: Expected, now: float) -> tuple[Viewer, float]:
    """
    Return who calls and when its token ends, in seconds since 1970 as `now` is.

    Raises `Unauthenticated`, which says which claim is wrong and never what it holds.
    """
    try:
        said = msgspec.json.decode(payload)
        claims = msgspec.convert(said, _Claims)
    except (ValueError, RecursionError):
        raise _refused("does not have the claims iss, sub, aud and exp") from None
    if claims.iss != expected.issuer:
        raise _refused("is of another issuer")
    if expected.audience not in ([claims.aud] if isinstance(claims.aud, str) else claims.aud):
        raise _refused("is for another audience")
    _check_times(claims, now)
    if not claims.sub:
        raise _refused("names no subject")
    return Viewer(claims.sub, _scopes(claims), _reference(said, expected)), claims.exp


def _check_times(claims: _Claims, now: float) -> None:
    if claims.exp <= now:
        raise _refused("has expired")
    for begins in (claims.nbf, claims.iat):
        if begins is not None and begins > now + _LEEWAY_SECONDS:
            raise _refused("is not valid yet")


def _scopes(claims: _Claims) -> frozenset[Scope]:
    """Return the scopes that are ours; a token may have others for others."""
    named = {
        scope for one in (claims.scope, claims.scp, claims.scopes) if one for scope in _each(one)
    }
    return frozenset(scope for scope in Scope if scope.value in named)


def _each(scopes: str | list[str]) -> Iterable[str]:
    return scopes.split(" ") if isinstance(scopes, str) else scopes


def _reference(said: dict[str, Any], expected: Expected) -> str | None:
    reference = said.get(expected.customer_claim)
    if reference is not None and not isinstance(reference, str):
        raise _refused("names its customer by something else than a string")
    return reference or None


def _refused(why: str) -> Unauthenticated:
    return Unauthenticated(f"The token {why}.", sent=True)
