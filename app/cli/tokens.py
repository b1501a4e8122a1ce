"""The command that issues development tokens."""

from datetime import timedelta
from typing import Annotated

import jwt
import typer

from app.cli.options import DEFAULT_CONFIG, SCOPES, Config, loaded
from app.model.clock import utc_now
from app.model.errors import ConfigurationError
from app.model.viewer import Scope
from app.settings import AuthSettings
from app.settings.values import duration


def _ttl(written: str) -> timedelta:
    try:
        length = duration(written)
    except ValueError:
        length = timedelta(0)
    if length < timedelta(seconds=1):
        raise typer.BadParameter('write a duration of a second or more such as "15m" or "1h"')
    return length


def token(
    subject: Annotated[str, typer.Option(help="Who is calling.", show_default=False)],
    customer: Annotated[
        str | None, typer.Option(metavar="REFERENCE", help="The caller's own customer.")
    ] = None,
    scope: Annotated[list[Scope] | None, typer.Option(metavar="SCOPE", help=SCOPES)] = None,
    ttl: Annotated[
        timedelta, typer.Option(parser=_ttl, metavar="DURATION", help="How long it is valid.")
    ] = "1h",  # type: ignore[assignment] # parsed like what is written
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Print a development JWT.

    There are none but where auth.development_key is configured.

    Example: credit-gateway token --subject anna --customer C-1001 --scope credits:read
    """
    auth = loaded(config).auth
    if auth.mode != "jwt" or auth.development_key is None:
        raise ConfigurationError(
            "auth.development_key: is not configured, so only the issuer makes tokens; set it in "
            'place of other keys, with auth.mode = "jwt", or make an API key with `keys create`'
        )
    if not subject:
        raise typer.BadParameter("name a subject", param_hint="--subject")
    typer.echo(_issued(auth, subject, customer, scope or [], ttl))


def _issued(
    auth: AuthSettings, subject: str, customer: str | None, scopes: list[Scope], ttl: timedelta
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
