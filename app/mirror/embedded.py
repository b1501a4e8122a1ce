"""Documents of an embedded Redis: kept in this process, and otherwise as `store` keeps them."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from secrets import token_hex
from time import monotonic

from app.mirror.documents import Lease
from app.mirror.store import (
    CHANNEL,
    FAILED,
    FAILURE_KEPT_FOR,
    LEASE,
    PURGED,
    WORKS,
    DocumentStore,
    Encoded,
    Found,
    RedisStore,
    Saved,
)
from app.redis.embedded import Embedded
from app.redis.guard import Guard

_FOR_EVER = float("inf")


@dataclass
class _Document:
    version: str | None = None
    state: bytes | None = None
    blocks: dict[str, bytes] = field(default_factory=dict)
    failure: bytes | None = None
    failed_until: float = _FOR_EVER
    era: str = ""
    until: float = 0.0


class _Shelf:
    """The documents, first that which expires first, and by whom and until when each is leased."""

    def __init__(self) -> None:
        self.documents: OrderedDict[str, _Document] = OrderedDict()
        self.leases: dict[str, tuple[str, float]] = {}


class EmbeddedStore:
    """Keeps the documents of all who use one embedded Redis; each call is over at once."""

    is_away = False

    def __init__(self, embedded: Embedded, *, kept_for: timedelta) -> None:
        self._embedded = embedded
        self._kept_for_seconds = kept_for.total_seconds()
        self._shelf = embedded.one(_Shelf)

    async def look(
        self, name: str, known: tuple[str, Sequence[str]] = ("", ()), lease: Lease | None = None
    ) -> Found:
        """Return a document as it is, and take a lease where one is asked for and free."""
        is_ours = lease is not None and self._take(lease)
        there = self._there(name)
        if there is None:
            return Found(None, None, (), {}, None, "", is_ours)
        version, names = known
        blocks = {}
        if there.version != version:
            blocks = {block: data for block, data in there.blocks.items() if block not in names}
        failure = there.failure if monotonic() < there.failed_until else None
        return Found(
            there.version, there.state, tuple(there.blocks), blocks, failure, there.era, is_ours
        )

    async def versions(self, names: Sequence[str]) -> list[str | None]:
        """Return the versions of these documents as they are, None where there is none."""
        found = (self._there(name) for name in names)
        return [there.version if there else None for there in found]

    async def save(
        self,
        name: str,
        document: Encoded,
        *,
        over: str | None,
        era: str,
        lease: Lease | None = None,
    ) -> Saved:
        """Write a document over that version; blocks without data are those it has already."""
        there = self._there(name) or _Document()
        if there.era not in {"", era}:
            return Saved.PURGED
        if there.version not in {None, over, document.version}:
            return Saved.OTHER
        blocks = {
            block: there.blocks.get(block) if data is None else data
            for block, data in document.blocks.items()
        }
        whole = {block: data for block, data in blocks.items() if data is not None}
        if len(whole) < len(blocks):
            return Saved.INCOMPLETE
        self._put(name, _Document(document.version, document.state, whole, era=era or there.era))
        if lease:
            await self.release(lease)
        self._embedded.tell(CHANNEL, f"{name} {document.version}")
        return Saved.SAVED

    async def fail(self, name: str, failure: bytes) -> None:
        """Write why a document could not be read."""
        there, now = self._there(name), monotonic()
        if there is None:
            there = _Document(failed_until=now)
            self._put(name, there)
        if there.failed_until <= now:
            there.failed_until = now + FAILURE_KEPT_FOR.total_seconds()
        there.failure = failure
        self._embedded.tell(CHANNEL, f"{name} {FAILED}")

    async def purge(self, name: str) -> None:
        """Take a document away, also from the memory of all who share it."""
        self._put(name, _Document(era=token_hex(8)))
        for work in WORKS:
            self._shelf.leases.pop(f"{name}:{work}", None)
        self._embedded.tell(CHANNEL, f"{name} {PURGED}")

    async def renew(self, lease: Lease) -> None:
        if self._holder(lease) == lease.token:
            self._begin(lease)

    async def release(self, lease: Lease) -> None:
        if self._holder(lease) == lease.token:
            del self._shelf.leases[_key(lease)]

    def _there(self, name: str) -> _Document | None:
        documents, now = self._shelf.documents, monotonic()
        while documents and (oldest := next(iter(documents.items())))[1].until <= now:
            del documents[oldest[0]]
        return documents.get(name)

    def _put(self, name: str, document: _Document) -> None:
        document.until = monotonic() + self._kept_for_seconds
        self._shelf.documents[name] = document
        self._shelf.documents.move_to_end(name)

    def _take(self, lease: Lease) -> bool:
        holder = self._holder(lease)
        if holder is None:
            self._begin(lease)
        return holder in {None, lease.token}

    def _holder(self, lease: Lease) -> str | None:
        token, until = self._shelf.leases.get(_key(lease), (None, 0.0))
        return token if monotonic() < until else None

    def _begin(self, lease: Lease) -> None:
        self._shelf.leases[_key(lease)] = (lease.token, monotonic() + LEASE.total_seconds())


def _key(lease: Lease) -> str:
    return f"{lease.document}:{lease.work}"


def document_store(guard: Guard, *, kept_for: timedelta) -> DocumentStore:
    """Return what keeps documents in a Redis, so long after they were written."""
    if guard.embedded:
        return EmbeddedStore(guard.embedded, kept_for=kept_for)
    return RedisStore(guard, kept_for=kept_for)
