"""The clients graphql-ws and graphql-sse hear of an entry that is added, and end cleanly."""

from collections.abc import Iterator
from typing import Any

import pytest
from asked_by_clients import AT_ONCE, arrivals, asked_with_a_token, ids_before
from node_scripts import answer_of, needs_clients
from world import World, world

pytestmark = needs_clients


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("listening"), entries=10, more=AT_ONCE) as served:
        yield served


def told_by(one: World, script: str) -> dict[str, Any]:
    """Return what a client is told, once it is proved that it heard its own news only."""
    before = ids_before(one, "creditChanges")
    with asked_with_a_token(one) as gateway:
        task = {**gateway, "reference": "C-1001", "other": "C-1002"}
        told: dict[str, Any] = answer_of(script, {**task, "arrivals": arrivals("creditChanges")})
    after = ids_before(one, "creditChanges")
    assert told["answer"]["data"] == {"viewer": {"subject": "anna"}}
    assert told["answered"] is True
    (heard,) = told["heard"]
    assert heard["data"]["creditChangeAdded"]["id"] in set(after) - set(before)
    assert told["overheard"] == []
    return told


def test_a_websocket_tells_of_an_entry_and_is_closed_as_usual(one: World) -> None:
    told = told_by(one, "websocket.mjs")

    assert told["closed"]["code"] == 1000


def test_server_sent_events_tell_of_an_entry_and_leave_no_request_open(one: World) -> None:
    told = told_by(one, "events.mjs")

    assert (told["requests"], told["open"]) == (3, 0)
