"""The commands, put together."""

import typer

from app.cli.commands import accounts, customers, histories, keys, serving, setup, tokens, vaults

application = typer.Typer(
    name="credit-gateway",
    help="One GraphQL answer over the credit histories of several providers.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
application.command()(serving.demo)
application.command()(serving.serve)
application.command()(serving.sandbox)
application.command()(setup.check)
application.command()(setup.schema)
application.command()(histories.sync)
application.command()(histories.export)
application.add_typer(customers.customers, name="customers")
application.add_typer(accounts.accounts, name="accounts")
application.command()(tokens.token)
application.add_typer(keys.keys, name="keys")
application.add_typer(vaults.vault, name="vault")
