"""Commands that prepare and prove an installation."""

import typer

from app.cli.commands.options import DEFAULT_CONFIG, AsJson, Config
from app.server import garbage


def schema() -> None:
    """Print the schema in GraphQL's definition language.

    Example: credit-gateway schema > schema.graphql
    """
    with garbage.loading():
        from app.api.schema import sdl

    typer.echo(sdl(), nl=False)


def check(
    as_json: AsJson = False,  # noqa: FBT002 - a flag
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Prove the configuration, and whatever it names.

    That is the file, the cache, the directory, and each provider, which is asked for the balance of
    one of its accounts.

    Example: credit-gateway check --config gateway.toml
    """
    with garbage.loading():
        from app.cli.proving import prove

    prove(config, as_json=as_json)
