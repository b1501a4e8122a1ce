"""Linking accounts of customers at providers, and unlinking them."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import msgspec
import typer

from app.api import ids
from app.api.ids import NodeId, NodeKind, written
from app.cli.gateway import opened_gateway
from app.cli.opening import customer_of
from app.directory.directory import Linked
from app.directory.lines import AccountLine, parse_account
from app.directory.linking import Linking
from app.model.accounts import CREDENTIALS, ProviderKind
from app.model.errors import BadUserInput, GatewayError, NotFound, UpstreamError
from app.settings import Settings, load


class NotLinked(GatewayError):
    """The provider did not accept the credentials, or could not be asked; nothing is stored."""


def link(
    config: Path,
    reference: str,
    provider: str,
    label: str | None,
    credentials: Path | None,
    *,
    verify: bool,
) -> None:
    """Link an account and print its id; without a file, standard input has the credentials."""
    settings = load(config)
    kinds = settings.provider_kinds()
    shape = {"provider": provider, "label": label}
    given = _given(credentials, kinds[provider]) if provider in kinds else None
    line = parse_account({**shape, "credentials": given}, kinds)
    linked = asyncio.run(_link(settings, reference, line, verify=verify))
    typer.echo(f"{written(NodeId(NodeKind.ACCOUNT, linked.account_id))}\t{linked.change}")


def unlink(config: Path, account_id: str) -> None:
    """Delete the account of this id; raises `NotFound`."""
    named = ids.read(account_id)

    async def unlinked() -> bool:
        async with opened_gateway(load(config), serving=False) as opened:
            owner = named.owner if named and named.kind is NodeKind.ACCOUNT else ""
            (account,) = await opened.directory.accounts_by_id([owner])
            return account is not None and await opened.linking.unlink(account)

    if not asyncio.run(unlinked()):
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
    async with opened_gateway(settings, serving=False) as opened:
        customer = await customer_of(opened.directory, reference)
        unproved = Linking(opened.directory, None, opened.linking.forget)
        try:
            return await (opened.linking if verify else unproved).link(customer.id, line)
        except UpstreamError as error:
            advice = "give other credentials" if error.field else "link it again later"
            raise NotLinked(f"{error.code}: {error} The account is as before; {advice}") from error
