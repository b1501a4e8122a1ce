"""Commands about customers' accounts at providers."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from app.api import ids
from app.api.ids import NodeId, NodeKind, written
from app.cli import tables
from app.cli.opening import customer_of, opened_directory
from app.cli.options import DEFAULT_CONFIG, Config, loaded
from app.cli.tables import AsJson
from app.directory.directory import Linked
from app.directory.lines import AccountLine, parse_account
from app.directory.linking import Linking
from app.model.accounts import CREDENTIALS, Account, ProviderKind
from app.model.errors import BadUserInput, GatewayError, NotFound, UpstreamError
from app.services import services
from app.settings import Settings

accounts = typer.Typer(help="Accounts of customers at providers.", no_args_is_help=True)

_Reference = Annotated[str, typer.Argument(help="The customer's reference.")]


class NotLinked(GatewayError):
    """The provider did not accept the credentials, or could not be asked; nothing is stored."""


@accounts.command("list")
def list_accounts(
    reference: _Reference,
    as_json: AsJson = False,  # noqa: FBT002 - a flag
    config: Config = DEFAULT_CONFIG,
) -> None:
    """List a customer's accounts.

    The ids are those of the API.

    Example: credit-gateway accounts list C-1001 --config gateway.toml
    """

    async def found() -> list[Account]:
        async with opened_directory(loaded(config)) as directory:
            customer = await customer_of(directory, reference)
            (linked,) = await directory.accounts_by_customer([customer.id])
            return linked

    rows = [
        {
            "id": written(NodeId(NodeKind.ACCOUNT, one.id)),
            "provider": one.provider,
            "label": one.label,
            "status": one.status,
            "linkedAt": one.linked_at,
        }
        for one in asyncio.run(found())
    ]
    headings = {name: name for name in ("id", "provider", "label", "status")}
    tables.show({**headings, "linkedAt": "linked at"}, rows, as_json=as_json)


@accounts.command("link")
def link_account(
    reference: _Reference,
    provider: Annotated[str, typer.Argument(help="The configured provider's name.")],
    label: Annotated[str | None, typer.Option(help="To tell several accounts apart.")] = None,
    credentials: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="JSON as in an import; else standard input is read."),
    ] = None,
    verify: Annotated[  # noqa: FBT002 - it is a pair of flags
        bool, typer.Option("--verify/--no-verify", help="Try credentials before they are stored.")
    ] = True,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Link an account, or give it other credentials.

    Prints its id and what was done. The credentials are read, never written as an argument, which
    others on this machine could see: from a file or standard input as JSON, or typed in on a
    terminal, unseen.

    Example: credit-gateway accounts link C-1001 hosting --label main --credentials key.json
    """
    settings = loaded(config)
    kinds = settings.provider_kinds()
    shape = {"provider": provider, "label": label}
    given = _given(credentials, kinds[provider]) if provider in kinds else None
    line = parse_account({**shape, "credentials": given}, kinds)
    linked = asyncio.run(_link(settings, reference, line, verify=verify))
    typer.echo(f"{written(NodeId(NodeKind.ACCOUNT, linked.account_id))}\t{linked.change}")


@accounts.command("unlink")
def unlink_account(
    account_id: Annotated[str, typer.Argument(metavar="ID", help="As `accounts list` shows it.")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Delete an account with all that belongs to it.

    These are its credentials and all that was read of it.

    Example: credit-gateway accounts unlink YTo2ZjFhOWQwM2JjNDhlMjc1 --config gateway.toml
    """
    named = ids.read(account_id)

    async def unlink() -> bool:
        async with services(loaded(config), serving=False) as opened:
            owner = named.owner if named and named.kind is NodeKind.ACCOUNT else ""
            (account,) = await opened.directory.accounts_by_id([owner])
            return account is not None and await opened.linking.unlink(account)

    if not asyncio.run(unlink()):
        raise NotFound(f"no account has the id {account_id}; see `accounts list`")
    typer.echo(f"{account_id}\tUNLINKED")


def _given(file: Path | None, kind: ProviderKind) -> Any:  # noqa: ANN401 - whatever is written there
    if file is None and sys.stdin.isatty():
        secret = typer.prompt(CREDENTIALS[kind], hide_input=True, err=True)
        return {kind.lower(): {CREDENTIALS[kind]: secret}}
    try:
        text = sys.stdin.buffer.read() if file is None else file.read_bytes()
        return msgspec.json.decode(text)
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        raise OSError(f"{file}: {reason}; name a file with the credentials in JSON") from None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        example = f'{{"{kind.lower()}": {{"{CREDENTIALS[kind]}": "…"}}}}'
        raise BadUserInput(f"the credentials are not JSON; write {example}") from None


async def _link(settings: Settings, reference: str, line: AccountLine, *, verify: bool) -> Linked:
    async with services(settings, serving=False) as opened:
        customer = await customer_of(opened.directory, reference)
        unproved = Linking(opened.directory, None, opened.linking.forget)
        try:
            return await (opened.linking if verify else unproved).link(customer.id, line)
        except UpstreamError as error:
            advice = "give other credentials" if error.field else "link it again later"
            raise NotLinked(f"{error.code}: {error} The account is as before; {advice}") from error
