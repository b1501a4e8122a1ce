"""Development tokens, as an issuer would make them."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import jwt
import typer

from app.model.clock import utc_now
from app.model.errors import ConfigurationError
from app.model.viewer import Scope
from app.settings import AuthSettings, load


def issue(
    config: Path, subject: str, customer: str | None, scopes: Sequence[Scope], ttl: timedelta
) -> None:
    """Print a token; raises `ConfigurationError` where no key for such tokens is configured."""
    auth = load(config).auth
    if auth.mode != "jwt" or auth.development_key is None:
        raise ConfigurationError(
            "auth.development_key: is not configured, so only the issuer makes tokens; set it in "
            'place of other keys, with auth.mode = "jwt", or make an API key with `keys create`'
        )
    if not subject:
        raise typer.BadParameter("name a subject", param_hint="--subject")
    typer.echo(_issued(auth, subject, customer, scopes, ttl))


def _issued(
    auth: AuthSettings, subject: str, customer: str | None, scopes: Sequence[Scope], ttl: timedelta
) -> str:
    assert auth.development_key is not None  # noqa: S101 - the command has looked
    now = utc_now()
    claims: dict[str, object] = {auth.customer_claim: customer} if customer else {}
    # The registered claims win over a customer claim of one of their names.
    claims |= {
        "iss": auth.issuer,
        "aud": auth.audience,
        "sub": subject,
        "iat": int(now.timestamp()),
        "exp": int((now + ttl).timestamp()),
        "scope": " ".join(scopes),
    }
    return jwt.encode(claims, auth.development_key.get_secret_value(), "HS256")
