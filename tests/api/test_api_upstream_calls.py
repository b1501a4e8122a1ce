"""Providers are asked no more than an answer needs."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from lists import at, customer_list, merged, rows_of, until
from world import World, gateway, world

LISTS = {
    "cloudreve /user/creditChanges": "cloud",
    "hostup /billing/credit-log": "hosting",
    "carecloud /credit-history": "loyalty",
}
# What one page of each provider's list holds here: the sandbox's own size, or as configured below.
PAGE_SIZES = {"cloud": 100, "hosting": 25, "loyalty": 13}
FIRST = '{ customer(reference: "C-1001") { creditChanges(first: 50) { nodes { id } } } }'


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("calls")
    with world(folder, more="page_size = 13", entries=120) as one:
        yield one


@pytest.fixture
def cold(served: World) -> Iterator[World]:
    with gateway(served.settings, served.sandbox, served.folder) as one:
        served.sandbox.reset_calls()
        yield one


@pytest.fixture(scope="module")
def whole(served: World) -> list[dict[str, Any]]:
    return merged(served, "creditChanges", "C-1001")


def pages_read(one: World) -> Counter[str]:
    calls = one.sandbox.calls()
    return Counter({name: calls[path] for path, name in LISTS.items() if path in calls})


def pages_needed(whole: list[dict[str, Any]], count: int) -> dict[str, int]:
    """Return how many pages of each list reach below the last of the first `count` rows.

    A page is enough when its last entry is older than that row, or when it is the list's last.
    """
    last = at(whole[count - 1])
    return {name: _needed(times_of(whole, name), last, size) for name, size in PAGE_SIZES.items()}


def times_of(whole: list[dict[str, Any]], name: str) -> list[datetime]:
    return [at(row) for row in whole if row["account"]["provider"]["name"] == name]


def _needed(newest_first: list[datetime], last: datetime, size: int) -> int:
    pages = 1
    while size * pages < len(newest_first) and newest_first[size * pages - 1] >= last:
        pages += 1
    return pages


def test_pages_are_read_only_as_far_as_the_merge_needs(
    cold: World, whole: list[dict[str, Any]]
) -> None:
    asked = customer_list(cold, "creditChanges", "C-1001")

    first = asked.page(first=50)
    after_first = pages_read(cold)
    second = asked.page(first=50, after=first["pageInfo"]["endCursor"])
    after_second = pages_read(cold)

    assert rows_of(first) + rows_of(second) == whole[:100]
    assert after_first == pages_needed(whole, 50)
    assert after_second == pages_needed(whole, 100)
    assert after_second.total() > after_first.total()


def test_one_page_of_each_list_answers_a_first_page_that_it_reaches(cold: World) -> None:
    cold.data('{ customer(reference: "C-1001") { creditChanges(first: 10) { nodes { id } } } }')

    assert pages_read(cold) == {"cloud": 1, "hosting": 1, "loyalty": 1}


def test_asking_again_while_it_is_fresh_asks_nobody(cold: World) -> None:
    first = cold.data(FIRST)
    cold.sandbox.reset_calls()

    cold.clock.ahead += timedelta(seconds=50)
    again = cold.data(FIRST)

    assert again == first
    assert cold.sandbox.calls() == {}


def test_a_refresh_with_nothing_new_reads_one_page_of_each_list(cold: World) -> None:
    customer_list(cold, "creditChanges", "C-1001").rows()
    cold.sandbox.reset_calls()

    cold.clock.ahead += timedelta(seconds=61)
    cold.data(FIRST)

    until(lambda: pages_read(cold) == {"cloud": 1, "hosting": 1, "loyalty": 1})
    cold.data(FIRST)
    assert pages_read(cold).total() == 3


def test_fifty_equal_requests_at_once_are_one_call_for_each_list(cold: World) -> None:
    async def ask_all() -> list[Any]:
        async with httpx.AsyncClient(base_url=cold.url, trust_env=False, timeout=20) as http:
            query = FIRST.replace("50", "10")
            asked = (http.post("/graphql", json={"query": query}) for _ in range(50))
            return [response.json() for response in await asyncio.gather(*asked)]

    answers = asyncio.run(ask_all())

    assert all(answer == answers[0] for answer in answers)
    assert len(answers[0]["data"]["customer"]["creditChanges"]["nodes"]) == 10
    assert pages_read(cold) == {"cloud": 1, "hosting": 1, "loyalty": 1}


def test_two_aliases_with_the_same_arguments_are_one_load(cold: World) -> None:
    customer = cold.data("""{ customer(reference: "C-1001") {
      a: creditChanges(first: 10) { nodes { id } }
      b: creditChanges(first: 10) { nodes { id } }
    } }""")["customer"]

    assert customer["a"] == customer["b"]
    assert pages_read(cold) == {"cloud": 1, "hosting": 1, "loyalty": 1}


def test_a_client_that_goes_away_does_not_cancel_the_answer_of_others(cold: World) -> None:
    cold.sandbox.set_fault("hostup", {"kind": "latency", "ms": 2000})
    query = {"query": FIRST.replace("50", "10")}

    async def ask() -> tuple[object, httpx.Response]:
        async with httpx.AsyncClient(base_url=cold.url, trust_env=False, timeout=20) as http:
            hasty_after = httpx.Timeout(20, read=0.2)
            hasty = asyncio.create_task(http.post("/graphql", json=query, timeout=hasty_after))
            await asyncio.sleep(0.05)
            patient = asyncio.create_task(http.post("/graphql", json=query))
            gone = (await asyncio.gather(hasty, return_exceptions=True))[0]
            return gone, await patient

    try:
        gone, response = asyncio.run(ask())
    finally:
        cold.sandbox.clear_fault("hostup")

    assert isinstance(gone, httpx.ReadTimeout)
    assert "errors" not in response.json()
    assert pages_read(cold) == {"cloud": 1, "hosting": 1, "loyalty": 1}
