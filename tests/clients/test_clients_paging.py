"""Apollo Client and urql join the pages of a list that grows meanwhile."""

from collections.abc import Iterator

import pytest
from asked_by_clients import (
    AT_ONCE,
    arrivals,
    asked_with_a_token,
    check_pages,
    ids_before,
    page_task,
)
from node_scripts import answer_of, needs_clients
from world import World, world

pytestmark = needs_clients
CLIENTS = ["apollo.mjs", "urql.mjs"]
SIZES = [1, 7, 20, 100]
# Entries arrive before the first page, or where paging ends.
WAYS = [
    *(("forwards", "NEWEST_FIRST", size) for size in SIZES),
    *(("backwards", "NEWEST_FIRST", size) for size in SIZES),
    ("forwards", "OLDEST_FIRST", 7),
]


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("paging"), entries=20, more=AT_ONCE) as served:
        yield served


@pytest.mark.parametrize(("direction", "order", "size"), WAYS)
@pytest.mark.parametrize("client", CLIENTS)
def test_every_row_comes_once_and_in_order_while_entries_arrive(
    one: World, client: str, direction: str, order: str, size: int
) -> None:
    newest_first = ids_before(one, "creditChanges")
    before = newest_first if order == "NEWEST_FIRST" else newest_first[::-1]
    with asked_with_a_token(one) as gateway:
        task = page_task(gateway, size=size, direction=direction, orderBy=order)
        told = answer_of(client, {**task, "arrivals": arrivals("creditChanges")})

    check_pages(told, before, falling=order == "NEWEST_FIRST")
    assert len(before) >= 60
    assert told["arrived"] == min(len(told["pages"]), 12) > 0
    assert all(len(page) == size for page in told["pages"][:-1])
    assert len(ids_before(one, "creditChanges")) == len(before) + told["arrived"]


@pytest.mark.parametrize("wrong", ["repeat", "skip", "turn"])
@pytest.mark.parametrize("client", CLIENTS)
def test_a_row_that_is_repeated_missing_or_misplaced_is_noticed(
    one: World, client: str, wrong: str
) -> None:
    before = ids_before(one, "creditChanges")
    with asked_with_a_token(one) as gateway:
        told = answer_of(client, {**page_task(gateway, size=20), "doctor": wrong})

    with pytest.raises(AssertionError):
        check_pages(told, before)
