"""Import of customers and accounts from JSON lines, each line on its own."""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field

from app.directory.directory import Change, Directory
from app.directory.lines import CustomerLine, parse, reference_of
from app.directory.linking import Forget, Linking, Prove, forget_nothing
from app.model.accounts import ProviderKind
from app.model.errors import GatewayError, NotFound


@dataclass(frozen=True)
class LineOutcome:
    """
    What became of one line, counted from 1.

    `customer` is None where nothing was written; `accounts` are those written or found unchanged.
    `error` is one line that says what to do and holds no credential; None if all went well.
    """

    line: int
    reference: str | None
    customer: Change | None = None
    accounts: tuple[Change, ...] = field(default=())
    error: str | None = None


async def import_lines(
    lines: Iterable[str],
    directory: Directory,
    providers: Mapping[str, ProviderKind],
    prove: Prove | None,
    forget: Forget = forget_nothing,
) -> AsyncIterator[LineOutcome]:
    """
    Yield what became of each line that is not blank; a bad one stops nothing.

    A line is written only if all of it has the right shape. An account that is new or has other
    credentials than given before is proved first, unless `prove` is None, and not written if the
    provider refuses it; the other accounts of its line are.
    """
    importer = _Importer(directory, providers, Linking(directory, prove, forget))
    for number, line in enumerate(lines, start=1):
        # Some editors begin a file with a byte order mark.
        text = line.removeprefix("\ufeff").strip()
        if text:
            yield await _outcome(number, text, importer)


async def _outcome(number: int, text: str, importer: "_Importer") -> LineOutcome:
    try:
        line = parse(text, importer.providers)
    except GatewayError as error:
        return LineOutcome(number, reference_of(text), error=_one_line(str(error)))
    try:
        return await importer.write(number, line)
    except GatewayError as error:
        return LineOutcome(number, line.reference, error=_one_line(str(error)))


@dataclass(frozen=True)
class _Importer:
    directory: Directory
    providers: Mapping[str, ProviderKind]
    linking: Linking

    async def write(self, number: int, line: CustomerLine) -> LineOutcome:
        """Write a customer and each account that can be."""
        customer = await self.directory.put_customer(line.reference, line.display_name)
        (kept,) = await self.directory.customers_by_reference([line.reference])
        if kept is None:
            raise NotFound("the customer was deleted meanwhile; import the line again")
        accounts: list[Change] = []
        errors: list[str] = []
        for index, account in enumerate(line.accounts):
            try:
                accounts.append((await self.linking.link(kept.id, account)).change)
            except GatewayError as error:
                errors.append(f"accounts[{index}]: {_without(str(error), account.credentials)}")
        said = _one_line("; ".join(errors)) or None
        return LineOutcome(number, line.reference, customer, tuple(accounts), said)


def _without(text: str, credentials: Mapping[str, str]) -> str:
    # The errors of providers hold nothing that was sent; this keeps it so, whatever they become.
    for secret in credentials.values():
        text = text.replace(secret, "***")
    return text


def _one_line(text: str) -> str:
    return "".join(part if part.isprintable() else " " for part in text)
