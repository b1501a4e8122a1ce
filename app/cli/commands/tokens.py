"""The command that issues development tokens."""

from datetime import timedelta
from typing import Annotated

import typer

from app.cli.commands.options import DEFAULT_CONFIG, SCOPES, Config
from app.model.viewer import Scope
from app.server import garbage


def _ttl(written: str) -> timedelta:
    with garbage.loading():
        from app.settings.values import duration

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
    with garbage.loading():
        from app.cli.tokens import issue

    issue(config, subject, customer, scope or [], ttl)
