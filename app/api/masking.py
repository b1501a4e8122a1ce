"""GraphQL's own messages without what they quote: a value that was sent may be a credential."""

import re

_VALUE = re.compile(
    r"(?:(?P<mended>\?) Found|, found|(?P<kind>cannot represent [^:]*)): .*", re.DOTALL
)
_CAUSE = re.compile(r", but encountered error .*", re.DOTALL)
_TOKEN = re.compile(r"\b(String|BlockString|Name|Int|Float) '.*'", re.DOTALL)
_DIGITS = re.compile(r", did you mean '0\..*", re.DOTALL)
# A credential in the place of a field's name would be quoted as that.
_VARIABLE = re.compile(r"^Variable '\$\w*' is not defined")
_NO_CREDENTIAL = re.compile(r"(type '\w*Credentials' not to include) unknown field .*", re.DOTALL)


def masked(message: str) -> str:
    """Return the message of a `GraphQLError` of graphql-core, cut where it quotes a value."""
    if message.startswith("Syntax Error: "):
        return _DIGITS.sub(".", _TOKEN.sub(r"\1", message))
    message = _NO_CREDENTIAL.sub(r"\1 other fields.", _CAUSE.sub(".", message))
    message = _VARIABLE.sub("A variable is not defined", message)
    return _VALUE.sub(lambda cut: cut["mended"] or f"{cut['kind'] or ''}.", message)
