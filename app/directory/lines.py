"""The shape of an import line, and what is wrong with a line that does not have it."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from app.model.accounts import CREDENTIALS, ProviderKind
from app.model.errors import BadUserInput
from app.model.unshown import Unshown

_CONTROL = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
_Text = Annotated[str, Meta(min_length=1, max_length=200, pattern=rf"\A[^{_CONTROL}]*\Z")]
# A space or line end around a credential is a slip of copying, and no provider would take it.
_Secret = Annotated[
    str, Meta(min_length=1, max_length=10_000, pattern=rf"\A(?!\s)[^{_CONTROL}]*(?<!\s)\Z")
]
_T = TypeVar("_T")


class _AccountShape(Unshown, frozen=True, forbid_unknown_fields=True):
    provider: str
    credentials: msgspec.Raw
    label: _Text | None = None


class _LineShape(Unshown, frozen=True, forbid_unknown_fields=True, rename="camel"):
    reference: _Text
    display_name: _Text | None = None
    accounts: tuple[msgspec.Raw, ...] = ()


class AccountLine(Unshown, frozen=True):
    """An account to import, its credentials as they are kept."""

    provider: str
    kind: ProviderKind
    label: str | None
    credentials: Mapping[str, str]


class CustomerLine(Unshown, frozen=True):
    """A customer to import, with accounts."""

    reference: str
    display_name: str | None
    accounts: tuple[AccountLine, ...]


_KINDS = {kind.lower() for kind in ProviderKind}
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_TEXT = "write 1 to 200 characters without control characters"
_FIELDS = {
    "reference": _TEXT,
    "displayName": f"{_TEXT}, or leave it out",
    "label": f"{_TEXT}, or leave it out",
    "provider": "write the name of a configured provider",
    "accounts": "write a list of accounts",
    "credentials": "write the credentials that the provider's kind takes",
}


def parse(line: str, providers: Mapping[str, ProviderKind]) -> CustomerLine:
    """Return what a line says; `BadUserInput`, without any value of the line, if it cannot be."""
    shape = _decoded(line, _LineShape, "")
    accounts = tuple(
        _account(raw, f"accounts[{index}]", providers) for index, raw in enumerate(shape.accounts)
    )
    seen: set[tuple[str, str | None]] = set()
    for index, account in enumerate(accounts):
        if (account.provider, account.label) in seen:
            told = "another account of this provider has it; write a label of its own"
            raise _wrong(f"accounts[{index}].label", told)
        seen.add((account.provider, account.label))
    return CustomerLine(shape.reference, shape.display_name, accounts)


def parse_account(shape: Mapping[str, Any], providers: Mapping[str, ProviderKind]) -> AccountLine:
    """Return what one of a line's accounts says; `BadUserInput` as `parse`, with its `field`."""
    return _account(msgspec.Raw(_json(shape)), "", providers)


def parse_customer(reference: str, display_name: str | None) -> tuple[str, str | None]:
    """Return both as they may be kept; `BadUserInput` as `parse`, with its `field`."""
    shape = {"reference": reference, "displayName": display_name}
    line = _decoded(msgspec.Raw(_json(shape)), _LineShape, "")
    return line.reference, line.display_name


def reference_of(line: str) -> str | None:
    """Return the reference of a line that is wrong elsewhere, None if it has none to show."""
    try:
        found = msgspec.json.decode(line)
        return msgspec.convert(found["reference"], _Text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, KeyError, TypeError):
        return None


def _account(raw: msgspec.Raw, place: str, providers: Mapping[str, ProviderKind]) -> AccountLine:
    shape = _decoded(raw, _AccountShape, place)
    kind = providers.get(shape.provider)
    if kind is None:
        configured = ", ".join(sorted(providers)) or "none"
        raise _wrong(_named(place, "provider"), f"is not configured; configured: {configured}")
    return AccountLine(shape.provider, kind, shape.label, _flat(shape.credentials, kind, place))


def _flat(raw: msgspec.Raw, kind: ProviderKind, place: str) -> Mapping[str, str]:
    """Return the one kind of credentials there is, by the name of its text."""
    name, text = kind.lower(), CREDENTIALS[kind]
    told = f'write {{"{name}": {{"{text}": "…"}}}}, and nothing else'
    wrong = _wrong(_named(place, "credentials"), told)
    try:
        given = msgspec.json.decode(raw, type=dict[str, dict[str, _Secret] | None])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise wrong from None
    # Another kind may stand there with null, as a form leaves what was not filled in.
    flat = {one: texts for one, texts in given.items() if texts is not None}
    if not given.keys() <= _KINDS or flat.keys() != {name} or flat[name].keys() != {text}:
        raise wrong
    return flat[name]


def _decoded(text: str | msgspec.Raw, shape: type[_T], place: str) -> _T:
    try:
        return msgspec.json.decode(text, type=shape)
    except msgspec.ValidationError as error:
        name, told = _problem(str(error), place)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        name, told = "", "is not one JSON object; write one on each line"
    raise _wrong(name, told)


def _problem(message: str, place: str) -> tuple[str, str]:
    """Return the field's whole name, and what to write for what the decoder said is wrong."""
    said, _, path = message.partition(" - at `$")
    field = path.removesuffix("`").lstrip(".").partition("[")[0]
    name = _named(place, field)
    if field in _FIELDS:
        return name, _FIELDS[field]
    if missing := _MISSING.fullmatch(said):
        name, told = _problem(f" - at `$.{missing[1]}`", place)
        return name, f"{told}; it is missing"
    # What is left names an unknown field or a type; never a value.
    return name, f"{said[0].lower()}{said[1:]}; write a line as the documentation shows it"


def _json(shape: Mapping[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(shape)
    except UnicodeEncodeError:
        raise BadUserInput("a text is not in UTF-8; write it in UTF-8") from None


def _named(place: str, field: str) -> str:
    return ".".join(part for part in (place, field) if part)


def _wrong(name: str, told: str) -> BadUserInput:
    error = BadUserInput(f"{name}: {told}" if name else told)
    error.field = name or None
    return error
