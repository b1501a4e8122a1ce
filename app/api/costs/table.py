"""
What each field costs, and why: the one place to change it.

The unit is a row of a list with its plain fields: it takes some 0.04 ms to write. A call of a
provider counts as ten: with reading and translating its page it takes about as long as ten rows,
and of calls a provider grants some 120 a minute to all callers together. So the limit of 2,000 is
some 0.1 s of work here, or 200 calls. Calls for what is then known for hours, such as a login, are
not counted.

Nothing here depends on what is stored, so that the same question always costs the same. What is
only known then is assumed: a customer has one account at each configured provider, each account
one unit, its histories fit on WHOLE pages, and they go back THREE_YEARS.
"""

from collections.abc import Callable, Mapping
from math import ceil
from typing import NamedTuple

from app.api import ids
from app.api.costs.arguments import Arguments
from app.history.summary import MOST_BUCKETS, SummaryBucket
from app.model.entries import CreditChangeKind

CALL = 10
# A thousand entries, a hundred on a page.
WHOLE = 10
# The smallest page that a provider of ours chooses itself.
_SMALLEST_PAGE = 25
# As `app.api.paging` takes where neither `first` nor `last` is given.
_DEFAULT_ROWS = 50
THREE_YEARS = 1_096
# A point is some numbers that were added up already; an open range by day must be affordable.
_POINTS_FOR_A_ROW = 4
# No month is shorter, and so on: at least so many days are in a bucket.
_DAYS = {
    SummaryBucket.DAY: 1,
    SummaryBucket.WEEK: 7,
    SummaryBucket.MONTH: 28,
    SummaryBucket.QUARTER: 90,
    SummaryBucket.YEAR: 365,
}
# A search over tables or a history in memory: a few tenths of a millisecond.
_COUNTING = 10
_WRITING = 10
# Proofs take a login or a renewal of the token, and one page.
_PROVING = 3 * CALL
# The whole of it is some 500 rows in 17 ms; graphql-core's own rule lets nobody ask much deeper.
INTROSPECTION = 600


class Configured(NamedTuple):
    """How many of the configured providers serve each thing, and the largest page."""

    accounts: int
    credit_changes: int
    payments: int
    balances: int
    page_limit: int


Count = Callable[[Configured, Arguments], int]


def _none(_: Configured, __: Arguments) -> int:
    return 0


class Weight(NamedTuple):
    """What one field costs; the reason first.

    `own` is counted once. A list has `rows`, or else `as_above`, as many as the nearest field
    above says by its `scale`; each row counts 1 and what is asked of it.
    """

    why: str
    own: Count = _none
    rows: Count | None = None
    as_above: bool = False
    scale: Count | None = None


def _fixed(count: int) -> Count:
    return lambda _, __: count


def _accounts(configured: Configured, _: Arguments) -> int:
    return configured.accounts


def _page(configured: Configured, arguments: Arguments) -> int:
    return arguments.rows(_DEFAULT_ROWS, configured.page_limit)


def _calls_for_a_page(histories: int, configured: Configured, arguments: Arguments) -> int:
    """One newest page each, and further ones until they hold all rows, wherever these are from."""
    oldest_first = arguments.value("orderBy") not in (None, "NEWEST_FIRST")
    goes_back = any(arguments.has(name) for name in ("after", "last", "before", "filter"))
    pages = WHOLE if goes_back or oldest_first else 1
    return CALL * (histories * pages + _page(configured, arguments) // _SMALLEST_PAGE)


def _customer_changes(configured: Configured, arguments: Arguments) -> int:
    return 1 + _calls_for_a_page(configured.credit_changes, configured, arguments)


def _customer_payments(configured: Configured, arguments: Arguments) -> int:
    return 1 + _calls_for_a_page(configured.payments, configured, arguments)


def _account_page(configured: Configured, arguments: Arguments) -> int:
    return 1 + _calls_for_a_page(1, configured, arguments)


def _whole_changes(configured: Configured, _: Arguments) -> int:
    return 1 + CALL * WHOLE * configured.credit_changes


def _points(_: Configured, arguments: Arguments) -> int:
    """Return how many rows the points of a series are worth."""
    days = arguments.days("from", "to")
    bucket = arguments.value("bucket") or SummaryBucket.MONTH
    shortest = next((length for name, length in _DAYS.items() if name == bucket), 1)
    # Two more, of which the range holds a part.
    points = min((THREE_YEARS if days is None else days) // shortest + 2, MOST_BUCKETS)
    return ceil(points / _POINTS_FOR_A_ROW)


def _balances(configured: Configured, _: Arguments) -> int:
    return 1 + CALL * (configured.balances + configured.credit_changes)


def _nodes(_: Configured, arguments: Arguments) -> int:
    """Count each history once that has to be searched for one of its entries."""
    searched, found = set(), 1
    for one in [*arguments.texts("ids"), *arguments.texts("id")]:
        named = ids.read(one) if isinstance(one, str) else None
        if named and named.entry is not None:
            searched.add((named.kind, named.owner))
        elif named is None and not isinstance(one, str):
            found += CALL * WHOLE  # a number may still be an id once it is read
    return found + CALL * WHOLE * len(searched)


def _ids(_: Configured, arguments: Arguments) -> int:
    return len(arguments.texts("ids"))


def _refresh(configured: Configured, _: Arguments) -> int:
    streams = [configured.credit_changes, configured.payments, configured.balances]
    return CALL * sum(1 for served in streams if served) + _WRITING


def _watch(configured: Configured, _: Arguments) -> int:
    return 1 + CALL * configured.accounts


PLAIN = Weight("is written with the row or object that holds it")
_LOOKUP = Weight("one row of the directory, loaded with others", own=_fixed(1))
_PAGE_ROWS = Weight("as many as its connection has on a page", as_above=True)
_SOURCES = Weight("one for each account", rows=_accounts)
_WORDS = Weight("a few words, written with what holds them")
_COUNTED = Weight("counts all rows of all pages", own=_fixed(_COUNTING))
_WATCHED = Weight("reads the newest page of each account, and tells one row at a time", own=_watch)

TABLE: Mapping[str, Weight] = {
    "Query.node": Weight("an entry is searched for in its whole history", own=_nodes),
    "Query.nodes": Weight("as `node` for each id; a history once", own=_nodes, rows=_ids),
    "Query.viewer": Weight("known already", own=_fixed(1)),
    "Query.customer": _LOOKUP,
    "Query.customers": Weight("one page of the directory", own=_fixed(1), scale=_page),
    "Query.providers": Weight("one for each that is configured", rows=_accounts),
    "Viewer.customer": _LOOKUP,
    "Viewer.scopes": _WORDS,
    "Provider.capabilities": _WORDS,
    "CustomerConnection.edges": _PAGE_ROWS,
    "CustomerConnection.nodes": _PAGE_ROWS,
    "CustomerConnection.totalCount": _COUNTED,
    "Customer.accounts": Weight("one for each provider", own=_fixed(1), rows=_accounts),
    "Customer.creditChanges": Weight(
        "the pages of each provider that the merge needs", own=_customer_changes, scale=_page
    ),
    "Customer.payments": Weight(
        "the pages of each provider that the merge needs", own=_customer_payments, scale=_page
    ),
    "Customer.balances": Weight(
        "what each provider reports, and the newest page to compare it with",
        own=_balances,
        rows=_accounts,
    ),
    "Customer.creditSummary": Weight(
        "reads whole histories; a series has a point for each bucket of the range",
        own=_whole_changes,
        scale=_points,
    ),
    "Account.customer": _LOOKUP,
    "Account.creditChanges": Weight("pages of one provider", own=_account_page, scale=_page),
    "Account.payments": Weight("pages of one provider", own=_account_page, scale=_page),
    "Account.balance": Weight(
        "what the provider reports, and the newest page to compare it with",
        own=_fixed(1 + 2 * CALL),
    ),
    "CreditChangeConnection.edges": _PAGE_ROWS,
    "CreditChangeConnection.nodes": _PAGE_ROWS,
    "CreditChangeConnection.sources": _SOURCES,
    "CreditChangeConnection.totalCount": _COUNTED,
    "PaymentConnection.edges": _PAGE_ROWS,
    "PaymentConnection.nodes": _PAGE_ROWS,
    "PaymentConnection.sources": _SOURCES,
    "PaymentConnection.totalCount": _COUNTED,
    "CreditSummary.units": Weight("one unit for each account", rows=_accounts),
    "CreditSummary.sources": _SOURCES,
    "UnitSummary.byKind": Weight("at most every kind", rows=_fixed(len(CreditChangeKind))),
    "UnitSummary.byProvider": Weight("at most every provider", rows=_accounts),
    "UnitSummary.series": Weight("a row for some buckets of the summary's range", as_above=True),
    "Money.formatted": Weight("half the time of a row, by the locale's own rules", own=_fixed(1)),
    "Mutation.linkAccount": Weight(
        "proves the credentials at the provider, then writes", own=_fixed(_PROVING + _WRITING)
    ),
    "Mutation.unlinkAccount": Weight("writes, and purges mirrors", own=_fixed(_WRITING)),
    "Mutation.refreshAccount": Weight("asks for all that its provider serves", own=_refresh),
    "Mutation.createCustomer": Weight("writes", own=_fixed(_WRITING)),
    "Mutation.deleteCustomer": Weight("writes, and purges mirrors", own=_fixed(_WRITING)),
    "RefreshAccountPayload.sources": Weight("one for each history", rows=_fixed(2)),
    "Subscription.creditChangeAdded": _WATCHED,
    "Subscription.paymentChanged": _WATCHED,
}
"""By `Type.field`; what is not in it is PLAIN."""
