"""Which document a request means: the one it holds, or one that is known by its hash."""

import re
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from typing import Protocol, cast

from app.api.documents import Document, Documents, Rejected, invalid
from app.api.requests import Request
from app.model.errors import ConfigurationError
from app.redis.connection import Client
from app.redis.guard import Guard, RedisAway

_KEY = "cg:document:"
# A client whose document was forgotten sends it once more; so little is lost by forgetting soon,
# and what nobody asks for by its hash is forgotten at once.
_KEPT_SECONDS = 24 * 60 * 60
_KEPT_UNTIL_ASKED_SECONDS = 10 * 60
# Longer than nearly any operation that a person wrote; what is longer is sent each time.
_MOST_BYTES = 8 << 10
_MOST_NAMES = 1000
_HASH = re.compile(r"[0-9a-f]{64}")
_PREFIX = "sha256:"


class Library(Protocol):
    """Finds documents."""

    async def document(self, request: Request) -> Document:
        """Return the document that a request means; raises `Rejected`."""
        ...


class AutomaticLibrary:
    """Keeps each document that a caller sends with its hash, for all callers and processes."""

    def __init__(self, documents: Documents, guard: Guard) -> None:
        self._documents = documents
        self._guard = guard
        self._texts: OrderedDict[str, str] = OrderedDict()

    async def document(self, request: Request) -> Document:
        name = _hash_in(request.document_id) if request.document_id else None
        if request.query is None:
            return self._documents.read(await self._found(name))
        if request.document_id is None:
            return self._documents.read(request.query)
        if sha256(request.query.encode()).hexdigest() != name:
            raise invalid("The hash is not the SHA-256 of the `query`.", "BAD_USER_INPUT")
        document = self._documents.read(request.query)
        if document.may_be_kept and len(document.text.encode()) <= _MOST_BYTES:
            await self._keep(name, document.text)
        return document

    async def _found(self, name: str | None) -> str:
        text = None
        if name is not None:
            text = self._texts.get(name) or await self._shared(name)
        if name is None or text is None:
            # These very words are what clients wait for.
            raise invalid("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")
        self._remember(name, text)
        return text

    async def _shared(self, name: str) -> str | None:
        async def look(client: Client) -> bytes | None:
            found = await client.getex(_KEY + name, ex=_KEPT_SECONDS)
            return cast("bytes | None", found)

        with suppress(RedisAway):
            found = await self._guard.ask(look)
            # Whoever can write there must not choose what is executed under a hash.
            if found is not None and sha256(found).hexdigest() == name:
                return found.decode()
        return None

    async def _keep(self, name: str, text: str) -> None:
        # Who sends it does so because some process did not know it.
        self._remember(name, text)
        with suppress(RedisAway):
            await self._guard.ask(
                lambda client: client.set(_KEY + name, text.encode(), ex=_KEPT_UNTIL_ASKED_SECONDS)
            )

    def _remember(self, name: str, text: str) -> None:
        self._texts[name] = text
        self._texts.move_to_end(name)
        if len(self._texts) > _MOST_NAMES:
            self._texts.popitem(last=False)


class TrustedLibrary:
    """Knows the documents of its operator, and executes no other."""

    def __init__(self, documents: Documents, texts: Mapping[str, str]) -> None:
        """Check every document; raises `ConfigurationError` for one that cannot be executed."""
        self._documents: dict[str, Document] = {}
        for name, text in texts.items():
            try:
                self._documents[_name_in(name)] = documents.read(text)
            except Rejected as rejected:
                raise ConfigurationError(
                    f"graphql.trusted_documents: {name}: {rejected.errors[0]['message']}"
                ) from None
        self._by_text = {document.text: document for document in self._documents.values()}

    async def document(self, request: Request) -> Document:
        found = self._documents.get(_name_in(request.document_id or ""))
        if request.query is not None and (found is None or found.text != request.query):
            found = self._by_text.get(request.query)
        if found is None:
            raise invalid(
                "Only documents that this gateway's operator trusts are executed.",
                "DOCUMENT_NOT_TRUSTED",
            )
        return found


def _hash_in(document_id: str) -> str | None:
    name = _name_in(document_id)
    return name if _HASH.fullmatch(name) else None


def _name_in(document_id: str) -> str:
    """Return the name of a document as it is looked up; a hash has no case and needs no prefix."""
    name = document_id.removeprefix(_PREFIX)
    return name.lower() if _HASH.fullmatch(name.lower()) else name
