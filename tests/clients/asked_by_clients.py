"""Gateways for the JavaScript clients, and what their pages have to be."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

from issuing import by_library, guarded
from lists import customer_list
from world import World, gateway

DEVELOPMENT_KEY = "a key of tests for development, no secret"
SCOPES = "credits:read:any accounts:write:any"
# Every answer asks the providers again, so that what arrives in between is in the next pages; and
# pages of one row take more questions than a caller may usually ask.
AT_ONCE = """
[cache]
fresh_for = "0s"

[limits]
rate = "100000/minute"
"""
_SOURCES = {
    "creditChanges": ("credit_changes", ("hostup", "cloudreve", "carecloud")),
    "payments": ("payments", ("hostup", "cloudreve")),
}
ARRIVALS = 12
Told = dict[str, Any]


@contextmanager
def asked_with_a_token(one: World) -> Iterator[dict[str, str]]:
    """Serve another gateway of a world's customers; yields where, for whom, and its sandbox."""
    with guarded(one, development_key=DEVELOPMENT_KEY) as served:
        token = by_library(DEVELOPMENT_KEY, scope=SCOPES)
        yield {"url": served.url, "token": token, "sandbox": sandbox_url(one)}


def sandbox_url(one: World) -> str:
    base = urlsplit(str(one.settings.providers["cloud"].base_url))
    return f"{base.scheme}://{base.netloc}"


def arrivals(field: str, reference: str = "C-1001") -> list[dict[str, str]]:
    """Return what is put into the sandbox one by one, of each provider in turn."""
    stream, providers = _SOURCES[field]
    return [
        {
            "provider": providers[number % len(providers)],
            "stream": stream,
            "reference": reference,
        }
        for number in range(ARRIVALS)
    ]


def ids_before(one: World, field: str, reference: str = "C-1001") -> list[str]:
    """Return the ids of all rows, newest first, as a gateway shows them that has read nothing."""
    with gateway(one.settings, one.sandbox, one.folder) as fresh:
        return [row["id"] for row in customer_list(fresh, field, reference).rows()]


def check_pages(told: Told, before: Sequence[str], *, falling: bool = True) -> None:
    """Demand that every row of `before` came once, in order, and in the order of its own time.

    What a client shows and what came over the wire are looked at alike, because some clients hide
    a row that comes twice.
    """
    shown = [row["id"] for row in told["rows"]]
    came = [id_ for page in told["pages"] for id_ in page]
    existed = set(before)
    assert [id_ for id_ in shown if id_ in existed] == list(before)
    assert len(shown) == len(set(shown))
    assert sorted(came) == sorted(shown)
    times = [row["at"] for row in told["rows"]]
    assert all(a >= b if falling else a <= b for a, b in pairwise(times))


def page_task(
    gateway_: Mapping[str, str], *, size: int, direction: str = "forwards", **more: object
) -> dict[str, object]:
    return {
        **gateway_,
        "reference": "C-1001",
        "orderBy": "NEWEST_FIRST",
        "size": size,
        "direction": direction,
        **more,
    }
