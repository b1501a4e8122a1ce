"""
Answers questions about histories: reads the mirrors side by side and deepens them as needed.

A source that cannot be read in time is left out, and the answer says so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from app.api.deadline import Deadline
from app.begun import begun
from app.history.filter import HistoryFilter
from app.history.window import Missing, Row, Window, count_of, everything
from app.history.windows import Merged, Windows
from app.mirror.mirror import Mirror
from app.mirror.reading import Reading
from app.mirror.store import name_of
from app.mirror.timeline import Timeline
from app.model.accounts import Account
from app.model.entries import Entry, Stream
from app.model.errors import UpstreamError
from app.providers.page import Provider, supports
from app.responses.dependencies import Dependencies


class SourceState(StrEnum):
    FRESH = "FRESH"
    STALE = "STALE"
    UNAVAILABLE = "UNAVAILABLE"
    UNSUPPORTED = "UNSUPPORTED"


class SourceErrorCode(StrEnum):
    UPSTREAM_UNAVAILABLE = "UPSTREAM_UNAVAILABLE"
    UPSTREAM_TIMEOUT = "UPSTREAM_TIMEOUT"
    UPSTREAM_RATE_LIMITED = "UPSTREAM_RATE_LIMITED"
    UPSTREAM_UNAUTHORIZED = "UPSTREAM_UNAUTHORIZED"
    UPSTREAM_INVALID_RESPONSE = "UPSTREAM_INVALID_RESPONSE"


@dataclass(frozen=True)
class Selection:
    """Which entries of these accounts' histories are asked for."""

    accounts: tuple[Account, ...]
    stream: Stream
    chosen: HistoryFilter


@dataclass(frozen=True)
class Question(Selection):
    """Which rows of a selection, merged, are asked for."""

    window: Window


@dataclass
class Source:
    """One account's part in an answer."""

    account: Account
    state: SourceState
    reading: Reading | None = None
    error: UpstreamError | None = None

    @property
    def timeline(self) -> Timeline | None:
        return self.reading.snapshot.timeline if self.reading else None

    @property
    def read_at(self) -> datetime | None:
        return self.reading.snapshot.read_at if self.reading else None

    @property
    def complete(self) -> bool:
        return self.reading is not None and self.reading.snapshot.complete

    @property
    def complete_from(self) -> datetime | None:
        return self.timeline.complete_from if self.timeline else None

    def fail(self, error: UpstreamError) -> None:
        self.state, self.reading, self.error = SourceState.UNAVAILABLE, None, error


class Answer(NamedTuple):
    """The rows, and what each source contributed, in the order of the question's accounts."""

    merged: Merged
    sources: Sequence[Source]
    chosen: HistoryFilter

    @property
    def total(self) -> int | None:
        """Count the rows of all pages; None until every source is known to its beginning."""
        if any(source.state is SourceState.UNAVAILABLE for source in self.sources):
            return None
        return count_of(_timelines(self.sources), self.chosen)


class Whole(NamedTuple):
    """All rows of a selection, oldest first, and what each source contributed."""

    rows: Sequence[Row]
    sources: Sequence[Source]


class Sought(NamedTuple):
    """One entry, None where there is none, and the source in which it was looked for."""

    entry: Entry | None
    source: Source


class Histories:
    """Reads histories for one request, by its deadline."""

    def __init__(
        self,
        mirror: Mirror,
        windows: Windows,
        providers: Mapping[str, Provider],
        deadline: Deadline,
        made_of: Dependencies,
    ) -> None:
        self._mirror = mirror
        self._windows = windows
        self._providers = providers
        self._deadline = deadline
        self._made_of = made_of

    async def answer(self, question: Question) -> Answer:
        """Return the rows asked for; a source that fails is UNAVAILABLE in it, never raised."""
        sources = await self._open(question)
        while True:
            timelines = _timelines(sources.values())
            found = self._windows.of(timelines, question.chosen, question.window)
            if not isinstance(found, Missing):
                self._note(sources.values(), question.stream)
                return Answer(found, list(sources.values()), question.chosen)
            await self._deepen([sources[a] for a in found.accounts], question.stream, found)

    async def whole(self, selection: Selection) -> Whole:
        """Return all rows selected; a source that fails is UNAVAILABLE in it, never raised."""
        sources = await self._open(selection)
        while True:
            found = everything(_timelines(sources.values()), selection.chosen)
            if not isinstance(found, Missing):
                self._note(sources.values(), selection.stream)
                return Whole(found, list(sources.values()))
            await self._deepen([sources[a] for a in found.accounts], selection.stream, found)

    async def entry(self, account: Account, stream: Stream, entry_id: str) -> Sought:
        """Return one entry by its id; raises `UpstreamError`."""
        source = (await self._open(Selection((account,), stream, HistoryFilter())))[account.id]
        while source.timeline is not None:
            for entry in source.timeline.entries:
                if entry.id == entry_id:
                    self._note([source], stream)
                    return Sought(entry, source)
            if source.timeline.horizon is None:
                self._note([source], stream)
                return Sought(None, source)
            missing = Missing(frozenset({account.id}), source.timeline.horizon)
            await self._deepen([source], stream, missing)
        if source.error:
            raise source.error
        return Sought(None, source)

    async def refresh(self, account: Account) -> list[Source]:
        """Ask the provider now for each history it has, and return what came of it."""
        able = [stream for stream in Stream if supports(self._providers[account.provider], stream)]
        demand = self._deadline.urgent()
        readings = await self._deadline.all(
            "history", [self._mirror.read(account, stream, demand) for stream in able]
        )
        return [_source(account, reading) for reading in readings]

    def _note(self, sources: Iterable[Source], stream: Stream) -> None:
        for source in sources:
            if source.reading:
                name = name_of(source.account.id, stream, source.account.revision)
                self._made_of.read(name, source.reading.snapshot.version)

    async def _open(self, selection: Selection) -> dict[str, Source]:
        """Read the mirrors of all accounts side by side."""
        able = [
            a for a in selection.accounts if supports(self._providers[a.provider], selection.stream)
        ]
        demand, stream = self._deadline.demand(), selection.stream
        readings: dict[str, Reading | UpstreamError] = {}
        lacking: list[Account] = []
        for account in able:
            if reading := self._mirror.at_hand(account, stream, demand):
                readings[account.id] = reading
            else:
                lacking.append(account)
        if lacking:
            read = await self._deadline.all(
                "history", [begun(self._mirror.read(one, stream, demand)) for one in lacking]
            )
            readings |= zip((account.id for account in lacking), read, strict=True)
        return {
            account.id: _source(account, readings.get(account.id)) for account in selection.accounts
        }

    async def _deepen(self, sources: list[Source], stream: Stream, missing: Missing) -> None:
        snapshots = await self._deadline.all(
            "history",
            [self._mirror.deepen(source.account, stream, missing.back_to) for source in sources],
        )
        for source, snapshot in zip(sources, snapshots, strict=True):
            if isinstance(snapshot, UpstreamError):
                source.fail(snapshot)
            elif source.reading:
                source.reading = source.reading._replace(snapshot=snapshot)


def _source(account: Account, reading: Reading | UpstreamError | None) -> Source:
    if reading is None:
        return Source(account, SourceState.UNSUPPORTED)
    if isinstance(reading, UpstreamError):
        return Source(account, SourceState.UNAVAILABLE, error=reading)
    state = SourceState.STALE if reading.is_stale else SourceState.FRESH
    return Source(account, state, reading, reading.error)


def _timelines(sources: Iterable[Source]) -> dict[str, Timeline]:
    return {source.account.id: source.timeline for source in sources if source.timeline is not None}
