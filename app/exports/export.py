"""
A whole list, ready to be written.

Everything of it is known before the first row is given: what cannot be read is an error, and what
is known cannot get lost on the way. What is held of it are the histories as the mirrors have them,
and one slice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from app.api.context import Context
from app.api.histories import Question, Source, SourceState
from app.api.types.accounts import Account
from app.api.types.entries import CreditChange, Payment
from app.exports.asking import Asked
from app.exports.form import Format
from app.exports.formats import writer_of
from app.exports.rows import rows_of
from app.history.filter import HistoryFilter
from app.history.window import Row, Slice, Window, window_of
from app.model import entries
from app.model.entries import Stream
from app.model.errors import GatewayError, NotFound
from app.observing.observation import note_source

# Nobody else has a turn meanwhile: 50 take some 1.5 ms, of which a tenth is for being a slice.
_SLICE = 50


class Incomplete(GatewayError):
    """Not every history can be read whole: nothing is exported. `sources` are those."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.sources = sources
        super().__init__(" ".join(map(told, sources)))


def told(source: Source) -> str:
    """Say of a source that it cannot be read whole, and why."""
    return f"The history of one account at {source.account.provider} is not whole: {source.error}"


@dataclass(frozen=True)
class Export:
    """The rows that were asked for, and the sources that they are from."""

    asked: Asked
    sources: Sequence[Source]
    accounts: dict[str, Account]

    @property
    def is_stale(self) -> bool:
        return any(source.state is SourceState.STALE for source in self.sources)

    @property
    def read_at(self) -> datetime | None:
        """When the source was read that was read longest ago; None where there is none."""
        return min((source.read_at for source in self.sources if source.read_at), default=None)

    def parts(self, form: Format) -> Iterator[bytes]:
        """Yield the export in a format, a slice at a time; raises `BrokenRows`."""
        rows = rows_of(self.asked.stream)
        writer = writer_of(form, rows.paths)
        begin = writer.begin()
        for some in self._slices():
            yield begin + writer.write(rows.shown([self._shown(row) for row in some]))
            begin = b""

    def _slices(self) -> Iterator[list[Row]]:
        """Yield the rows in their order: of so many entries at a time those that are wanted."""
        timelines = {
            source.account.id: source.timeline for source in self.sources if source.timeline
        }
        within, keep, after = _bounds(self.asked), self.asked.chosen.keeps(), None
        while True:
            window = Window(_SLICE, after=after, oldest_first=self.asked.oldest_first)
            # Unfiltered, so that looking for the next row never takes longer than a slice.
            found = window_of(timelines, within, window)
            assert isinstance(found, Slice)  # noqa: S101 - all of it is known
            yield [row for row in found.rows if keep(row.entry)]
            if not found.has_next:
                return
            after = found.rows[-1].key

    def _shown(self, row: Row) -> CreditChange | Payment:
        account = self.accounts[row.key[1]]
        if self.asked.stream is Stream.CREDIT_CHANGES:
            return CreditChange.of(cast("entries.CreditChange", row.entry), account)
        return Payment.of(cast("entries.Payment", row.entry), account)


async def visible(context: Context, reference: str) -> str:
    """Return the id of a customer that the viewer may see; raises `NotFound` for any other."""
    customer = await context.loaders.customers_by_reference.load(reference)
    if customer is None:
        raise NotFound("There is no such customer, or none that you may see.")
    return customer.id


async def opened(context: Context, customer_id: str, asked: Asked) -> Export:
    """Return the export of a customer's entries, all of which are known; raises `Incomplete`."""
    records = await context.loaders.accounts_by_customer.load(customer_id)
    accounts = tuple(one for one in records if asked.chosen.takes(one))
    # What the oldest row is can be told only where all are known.
    oldest = Window(1, oldest_first=True)
    answer = await context.loaders.answers.load(
        Question(accounts, asked.stream, _bounds(asked), oldest)
    )
    for source in answer.sources:
        context.services.metrics.sources.add(source.account.provider, source.state)
        note_source(source.account.provider, source.state)
    if lost := [one for one in answer.sources if one.state is SourceState.UNAVAILABLE]:
        raise Incomplete(lost)
    shown = {one.id: Account.of(one, context.services) for one in accounts}
    return Export(asked, answer.sources, shown)


def _bounds(asked: Asked) -> HistoryFilter:
    return HistoryFilter(start=asked.chosen.start, end=asked.chosen.end)
