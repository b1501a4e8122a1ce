"""The `Authorization` header: nothing else of a request says who is calling."""

import re
from collections.abc import Sequence

from app.model.errors import Unauthenticated

# Above what issuers with many groups write, and little to look at for whoever sends rubbish.
_MOST_CHARACTERS = 16 << 10
# RFC 6750, 2.1.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")


def sent_token(authorization: Sequence[str]) -> str:
    """Return the token or API key in the headers of this name; raises `Unauthenticated`."""
    if not authorization:
        raise Unauthenticated(
            "Say who is calling: send a token or an API key as `Authorization: Bearer …`.",
            sent=False,
        )
    if len(authorization) > 1:
        raise Unauthenticated("Send one Authorization header.", sent=True)
    scheme, _, token = authorization[0].partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated("The Authorization header has to begin with Bearer.", sent=False)
    token = token.strip(" ")
    if len(token) > _MOST_CHARACTERS:
        raise Unauthenticated("The token is too long.", sent=True)
    if not _TOKEN.fullmatch(token):
        raise Unauthenticated("The token is neither a JWT nor an API key.", sent=True)
    return token
