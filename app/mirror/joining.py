"""
How two parts of one provider's list are put together, both newest first; no I/O.

The list may have moved between the reads of the two. They join only where something that both
show proves that nothing is missing between them. Entries without ids of their own are compared as
multisets of whole instants, because equal rows are different rows.
"""

from collections import Counter
from datetime import datetime
from itertools import takewhile

from app.model.entries import CreditChange, Entry
from app.providers.page import Page

Entries = tuple[Entry, ...]


def spliced(newest: Entries, known: Entries) -> Entries | None:
    """Join what was read from the newest end to what is known; None where they do not join.

    What was read now replaces what was known. The overlap is equal row by row, or, where entries
    came, went or were corrected in between, at the last instant that was read wholly.
    """
    new_ids = [entry.id for entry in newest]
    known_ids = [entry.id for entry in known[: len(newest)]]
    for arrived in range(len(newest)):
        overlap = new_ids[arrived:]
        if overlap == known_ids[: len(overlap)]:
            return (*newest, *known[len(overlap) :])
    *_, whole, last = (None, None, *_instants(newest))
    if whole is None or last is None or _at(last, newest) - _at(last, known):
        return None
    return _joined_at(whole, newest, known)


def followed(
    known: Entries, page: Page, counted: int | None, expected: Entry | None = None
) -> Entries | None:
    """Return the known entries and those of the page after them; None where that is not proven.

    A cursor proves it. An offset does by the rows of the overlap, while the provider counts what it
    `counted` before; the number of a page by an entry that is known, by a balance that goes on, or
    by the entry that was `expected` there.
    """
    if page.overlap:
        overlap = page.entries[: page.overlap]
        if page.total == counted and _ids(overlap) == _ids(known[-page.overlap :]):
            return (*known, *page.entries[page.overlap :])
        return continued_by(known, page.entries)
    whole = unseen(known, page.entries)
    if page.shifts and len(whole) == len(known) + len(page.entries):
        first = page.entries[0].id if page.entries else None
        is_expected = expected is not None and expected.id == first
        return whole if is_expected or _goes_on(known, page.entries) else None
    return whole


def unseen(known: Entries, page: Entries) -> Entries:
    """Return the known entries and those of a page whose ids do not occur among them."""
    seen = {entry.id for entry in known if entry.has_own_id}
    return (*known, *(entry for entry in page if entry.id not in seen))


def continued_by(known: Entries, again: Entries) -> Entries | None:
    """Return the known entries and what a page shows after them that shows their end again.

    None where it does not show their end, or not so that it can be told.
    """
    if all(entry.has_own_id for entry in again):
        places = {entry.id: place for place, entry in enumerate(known)}
        shown = [place for place, entry in enumerate(again) if entry.id in places]
        if not shown:
            return None
        first, last = shown[0], shown[-1]
        if again[last].id == known[-1].id:
            return (*known[: places[again[first].id]], *again[first:])
        return (*known, *again[last + 1 :])
    newest, whole = (*_instants(again), None, None)[:2]
    # The page may begin amid its first instant, and what is known may end amid its last.
    if newest and known and newest > known[-1].at and (joined := _joined_at(newest, known, again)):
        return joined
    return _joined_at(whole, known, again) if whole else None


def _ids(entries: Entries) -> list[str]:
    return [entry.id for entry in entries]


def _instants(entries: Entries) -> list[datetime]:
    return sorted({entry.at for entry in entries}, reverse=True)


def _joined_at(at: datetime, upper: Entries, lower: Entries) -> Entries | None:
    """Join two lists at an instant whose entries they both show, wholly; None where they do not."""
    upper_until, lower_until = _until(at, upper), _until(at, lower)
    if upper_until is None or lower_until is None:
        return None
    shared = _at(at, upper)
    if not shared or shared != _at(at, lower):
        return None
    return (*upper[:upper_until], *lower[lower_until:])


def _at(at: datetime, entries: Entries) -> Counter[str]:
    """Count the entries of an instant."""
    return Counter(entry.id for entry in entries if entry.at == at)


def _until(at: datetime, entries: Entries) -> int | None:
    """Return how many entries at the newest end are not older; None where times are not in order.

    A local time that occurs twice may be out of order, and so may a list that was corrected.
    """
    until = sum(1 for _ in takewhile(lambda entry: entry.at >= at, entries))
    is_sorted = all(entry.at < at for entry in entries[until:])
    is_certain = all(entry.at_second is None for entry in entries[:until] if entry.at == at)
    return until if is_sorted and is_certain else None


def _goes_on(known: Entries, fresh: Entries) -> bool:
    """Say whether the balance before the last known entry is the one after the first fresh one."""
    newer, older = (known or (None,))[-1], (fresh or (None,))[0]
    if not isinstance(newer, CreditChange) or not isinstance(older, CreditChange):
        return False
    after, before = newer.balance_after, older.balance_after
    if after is None or before is None or after.unit != before.unit:
        return False
    return after.amount - newer.amount.amount == before.amount and newer.amount.unit == after.unit
