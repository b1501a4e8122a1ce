"""Each message of `graphql-transport-ws`, in each state of a connection."""

import json
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest
from streaming import PACE, Served, begun, ending, hear, say, served, socket, subscribe, until
from websockets.exceptions import InvalidStatus

from app.model.viewer import Known, Viewer


@pytest.fixture(scope="module")
def one() -> Iterator[Served]:
    with served() as streams:
        yield streams


INIT = {"type": "connection_init"}
ONE = {"id": "a", "type": "subscribe", "payload": {"query": "one"}}
SILENT = {"id": "a", "type": "subscribe", "payload": {"query": "silent"}}
BAD: list[object] = [
    "",
    "x",
    "null",
    "1",
    "[]",
    "{}",
    '"connection_init"',
    b"{}",
    b'{"type":"ping"}',
    "[" * 100_000,
    '{"type":' + "9" * 5000 + "}",
    {"type": "connection_ack"},
    {"type": "next", "id": "a", "payload": {}},
    {"type": "start", "id": "a", "payload": {"query": "one"}},
    {"type": 1},
    {"type": "ping", "payload": 1},
    {"type": "pong", "payload": "x"},
    {"type": "connection_init", "payload": []},
    {"type": "complete"},
    {"type": "complete", "id": 1},
    {"type": "subscribe", "payload": {"query": "one"}},
    {"type": "subscribe", "id": "", "payload": {"query": "one"}},
    {"type": "subscribe", "id": "x" * 129, "payload": {"query": "one"}},
    {"type": "subscribe", "id": "a"},
    {"type": "subscribe", "id": "a", "payload": "one"},
]
# Those are told apart only where they may be sent at all.
BAD_REQUESTS: list[object] = [
    {"type": "subscribe", "id": "a", "payload": payload}
    for payload in (
        {},
        {"query": 1},
        {"query": "one", "variables": []},
        {"query": "one", "operationName": 5},
        {"query": "one", "extensions": "x"},
    )
]


def written(message: Any) -> Any:  # noqa: ANN401 - a text, bytes or an object
    return json.dumps(message) if isinstance(message, dict) else message


@pytest.mark.parametrize("message", BAD, ids=lambda message: str(message)[:40])
async def test_what_is_no_message_closes_before_the_caller_is_known(
    one: Served, message: object
) -> None:
    async with socket(one.url) as client:
        await client.send(written(message))

        assert (await ending(client))[0] == 4400


@pytest.mark.parametrize("message", BAD + BAD_REQUESTS, ids=lambda message: str(message)[:60])
async def test_what_is_no_message_closes_afterwards(one: Served, message: object) -> None:
    async with begun(one.url) as client:
        await client.send(written(message))

        code, reason = await ending(client)

    assert code == 4400
    assert reason


STATES: list[tuple[list[dict[str, Any]], int]] = [
    ([ONE], 4401),
    ([{"type": "ping"}, ONE], 4401),
    ([INIT, INIT], 4429),
    ([INIT, ONE, INIT], 4429),
    ([INIT, SILENT, INIT], 4429),
    ([INIT, SILENT, SILENT], 4409),
    ([INIT, SILENT, ONE], 4409),
    ([], 4408),
    ([{"type": "ping"}], 4408),
    ([{"type": "complete", "id": "a"}], 4408),
]


@pytest.mark.parametrize(("messages", "code"), STATES, ids=str)
async def test_a_message_out_of_turn_closes(
    one: Served, messages: list[dict[str, Any]], code: int
) -> None:
    async with socket(one.url) as client:
        for message in messages:
            await say(client, **message)

        assert (await ending(client))[0] == code

    await until(lambda: (one.source.open, one.streams.open) == (0, 0))


async def test_each_operation_that_exists_is_named_in_the_reason(one: Served) -> None:
    async with begun(one.url) as client:
        await subscribe(client, "ü" * 128, "silent")
        await subscribe(client, "ü" * 128, "silent")

        code, reason = await ending(client)

    assert code == 4409
    assert reason.startswith("Subscriber for üü")
    assert len(reason.encode()) <= 123


async def test_a_single_answer_is_followed_by_complete(one: Served) -> None:
    async with begun(one.url) as client:
        await subscribe(client, "a", "one")
        answers = [await hear(client), await hear(client)]
        await subscribe(client, "a", "one")
        again = await hear(client)

    assert answers == [
        {"id": "a", "type": "next", "payload": {"data": {"value": 1}}},
        {"id": "a", "type": "complete"},
    ]
    assert again["type"] == "next"


async def test_a_subscription_that_ends_is_complete(one: Served) -> None:
    async with begun(one.url) as client:
        await subscribe(client, "a", "three")
        heard = [await hear(client) for _ in range(4)]

    assert [message.get("payload", {}).get("data") for message in heard] == [
        {"value": 1},
        {"value": 2},
        {"value": 3},
        None,
    ]
    assert heard[-1] == {"id": "a", "type": "complete"}


@pytest.mark.parametrize(("word", "types"), [("invalid", ["error"]), ("broken", ["next", "error"])])
async def test_what_cannot_be_executed_ends_by_an_error(
    one: Served, word: str, types: list[str]
) -> None:
    async with begun(one.url) as client:
        await subscribe(client, "a", word)
        heard = [await hear(client) for _ in types]
        await subscribe(client, "b", "one")
        after = await hear(client)

    assert [message["type"] for message in heard] == types
    assert heard[-1]["payload"][0]["extensions"] == {"code": "BAD_USER_INPUT"}
    assert after["id"] == "b"


async def test_a_ping_is_answered_at_any_time_and_a_pong_is_none(one: Served) -> None:
    async with socket(one.url) as client:
        await say(client, type="ping")
        early = await hear(client)
        await say(client, **INIT)
        await hear(client)
        await say(client, type="pong", payload={"x": 1})
        await say(client, type="ping", payload={"x": 1})
        late = await hear(client)

    assert early == {"type": "pong"}
    assert late == {"type": "pong", "payload": {"x": 1}}


async def test_what_is_completed_is_freed_and_its_name_may_be_used_again(one: Served) -> None:
    async with begun(one.url) as client:
        for _ in range(50):
            await subscribe(client, "a", "silent")
            await say(client, id="a", type="complete")
        await subscribe(client, "b", "silent")
        await until(lambda: one.source.open == 1)
        await say(client, id="unknown", type="complete")
        await subscribe(client, "a", "one")
        heard = [await hear(client), await hear(client)]

    assert [message["type"] for message in heard] == ["next", "complete"]
    await until(lambda: one.source.open == 0)


async def test_operations_answer_side_by_side(one: Served) -> None:
    async with begun(one.url) as client:
        await subscribe(client, "a", "ticking")
        await subscribe(client, "b", "ticking")
        await subscribe(client, "c", "one")
        heard = [await hear(client) for _ in range(20)]

    assert {message["id"] for message in heard} == {"a", "b", "c"}


async def test_one_connection_has_so_many_operations_and_no_more(one: Served) -> None:
    async with begun(one.url) as client:
        for number in range(33):
            await subscribe(client, str(number), "silent")
        refusal = await hear(client)
        await until(lambda: one.source.open == 32)
        await say(client, id="7", type="complete")
        await subscribe(client, "33", "three")
        after = await hear(client)

    assert (refusal["id"], refusal["type"]) == ("32", "error")
    assert refusal["payload"][0]["extensions"] == {"code": "RATE_LIMITED"}
    assert (after["id"], after["type"]) == ("33", "next")


@pytest.mark.parametrize("protocols", [[], ["graphql-ws"], ["graphql-ws", "x"]], ids=str)
async def test_another_subprotocol_is_refused(one: Served, protocols: list[str]) -> None:
    async with socket(one.url, protocols=protocols) as client:
        assert (await ending(client))[0] == 4406


async def test_of_several_subprotocols_ours_is_chosen(one: Served) -> None:
    async with begun(one.url, protocols=["graphql-ws", "graphql-transport-ws"]) as client:
        assert client.subprotocol == "graphql-transport-ws"


@pytest.mark.parametrize(("size", "code"), [(1 << 20, 4400), ((1 << 20) + 1, 1009)])
async def test_a_message_has_at_most_a_megabyte(one: Served, size: int, code: int) -> None:
    async with begun(one.url) as client:
        await client.send("x" * size)

        assert (await ending(client))[0] == code


async def test_beyond_so_many_streams_there_is_no_room() -> None:
    with served(most=1) as one:
        async with begun(one.url):
            with pytest.raises(InvalidStatus) as refused:
                async with socket(one.url):
                    pass
        await until(lambda: one.streams.open == 0)
        async with begun(one.url) as client:
            await subscribe(client, "a", "one")
            heard = await hear(client)

    assert refused.value.response.status_code == 503
    assert heard["type"] == "next"


async def test_no_caller_takes_all_the_room_there_is() -> None:
    async def by_name(sent: Sequence[str]) -> Known:
        return Known(Viewer(sent[0], frozenset()))

    with served(by_name, most=16, most_of_one=2) as one:
        async with (
            begun(one.url, {"Authorization": "a"}),
            begun(one.url, {"Authorization": "a"}),
            socket(one.url) as third,
            begun(one.url, {"Authorization": "b"}),
        ):
            await say(third, type="connection_init", payload={"Authorization": "a"})
            refused = await ending(third)

    assert refused[0] == 1013


async def test_who_does_not_say_who_they_are_leave_room_for_those_who_do() -> None:
    with served(pace=PACE._replace(to_begin=timedelta(seconds=30)), most=16) as one:
        async with AsyncExitStack() as silent, begun(one.url) as known:
            for _ in range(4):
                await silent.enter_async_context(socket(one.url))
            with pytest.raises(InvalidStatus) as refused:
                await silent.enter_async_context(socket(one.url))
            await subscribe(known, "a", "one")
            heard = await hear(known)

    assert refused.value.response.status_code == 503
    assert heard["type"] == "next"


async def test_operations_are_executed_in_bounded_number() -> None:
    with served(at_once=1) as one:
        async with begun(one.url) as first, begun(one.url) as second:
            await subscribe(first, "a", "slow")
            await until(one.streams.working.locked)
            await subscribe(second, "b", "one")
            refused = await hear(second)
            answered = await hear(first)
            await subscribe(second, "b", "one")
            later = await hear(second)

    assert refused["payload"][0]["extensions"] == {"code": "RATE_LIMITED"}
    assert (answered["type"], later["type"]) == ("next", "next")


async def test_a_ping_nested_deeper_than_it_can_be_answered_is_refused(one: Served) -> None:
    nested: object = 1
    for _ in range(400):
        nested = [nested]
    async with begun(one.url) as client:
        await say(client, type="ping", payload={"a": nested})

        assert (await ending(client))[0] == 4400


async def test_who_has_no_operations_left_is_told_when_to_come_again() -> None:
    with served(refused=["anonymous"]) as one:
        async with begun(one.url) as client:
            await subscribe(client, "a", "one")
            heard = await hear(client)

    assert heard["type"] == "error"
    assert "7 seconds" in heard["payload"][0]["message"]
    assert heard["payload"][0]["extensions"] == {"code": "RATE_LIMITED"}
