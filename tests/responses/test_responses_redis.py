"""Whatever becomes of what is kept in Redis, and of Redis itself, no answer is wrong."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import msgspec
import pytest
from asking_again import (
    CHANGES,
    LONG,
    account_of,
    add_entry,
    ask,
    both,
    data,
    is_hit,
    kept,
    newest,
    settled,
    sharing,
    written,
)
from hypothesis import given
from hypothesis import strategies as st
from lists import until
from redis_server import RedisServer, needs_redis
from world import World, world

from app.responses.kept import Kept, Written, decoded, encoded
from app.responses.lookups import Kind, Lookup

REFRESH = "mutation($id: ID!) { refreshAccount(input: { accountId: $id }) { account { id } } }"
ONLY_REDIS = {"CACHE__RESPONSE_MEMORY": "1B"}
OTHERS = {"r": "C-1002"}
SAMPLE = encoded(
    Kept(
        b"the key",
        b'{"data":{}}',
        datetime(2026, 1, 1, tzinfo=UTC),
        {"{a}:1:balance": "v"},
        {Lookup(Kind.CUSTOMER_BY_ID, "c"): None, Lookup(Kind.ACCOUNTS_BY_CUSTOMER, "c"): []},
        0.0,
    )
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("redis"), more=LONG, entries=20) as one:
        yield one


def put(redis: RedisServer, values: dict[bytes, bytes]) -> None:
    with redis.client() as client:
        for name, value in values.items():
            client.set(name, value)


def shows(one: World, amount: str) -> bool:
    return newest(ask(one)) == amount


def swapped(values: dict[bytes, bytes]) -> dict[bytes, bytes]:
    (name, value), (other_name, other) = values.items()
    return {name: other, other_name: value}


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda value: value[:-1],
    "cut to half": lambda value: value[: len(value) // 2],
    "empty": lambda _: b"",
    "garbage": lambda _: b"\x00\xff{garbage",
    "of another kind": lambda _: b"\x93\x01\x02\x03",
    "more than there was": lambda value: value + value,
    "a text": lambda _: b'{"data": {"customer": null}}',
}


@needs_redis
@pytest.mark.parametrize("what", DAMAGE)
def test_what_is_damaged_in_redis_is_not_given(served: World, what: str) -> None:
    with both(served, **ONLY_REDIS) as (one, two, redis):
        first = ask(one)
        values = settled(redis)
        put(redis, {name: DAMAGE[what](value) for name, value in values.items()})
        answer = ask(two)
        put(redis, values)
        control = ask(two)

    assert data(answer) == data(first)
    assert not is_hit(answer)
    assert is_hit(control)


@needs_redis
def test_what_is_no_value_in_redis_is_not_given(served: World) -> None:
    with both(served, **ONLY_REDIS) as (one, two, redis):
        first = ask(one)
        with redis.client() as client:
            for name in settled(redis):
                client.delete(name)
                client.hset(name, "v", "1")
        answer = ask(two)

    assert data(answer) == data(first)
    assert not is_hit(answer)


@needs_redis
def test_what_was_made_for_somebody_else_is_not_given_under_another_name(served: World) -> None:
    with both(served, **ONLY_REDIS) as (one, two, redis):
        mine, others = ask(one), ask(one, CHANGES, OTHERS)
        values = settled(redis, 2)
        put(redis, swapped(values))
        answers = [ask(two), ask(two, CHANGES, OTHERS)]
        put(redis, values)
        control = [ask(two), ask(two, CHANGES, OTHERS)]

    assert data(mine) != data(others)
    assert [data(each) for each in answers] == [data(mine), data(others)]
    assert not any(is_hit(each) for each in answers)
    assert all(is_hit(each) for each in control)


class AnyKey(bytes):
    """Equal to every key."""

    __hash__ = bytes.__hash__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, bytes)

    def __ne__(self, other: object) -> bool:
        return not isinstance(other, bytes)


@needs_redis
def test_a_cache_that_does_not_compare_the_key_would_be_noticed(
    served: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def believed(value: bytes) -> Written | None:
        found = decoded(value)
        return msgspec.structs.replace(found, key=AnyKey()) if found else None

    monkeypatch.setattr("app.responses.shared.decoded", believed)
    with both(served, **ONLY_REDIS) as (one, two, redis):
        mine, others = ask(one), ask(one, CHANGES, OTHERS)
        put(redis, swapped(settled(redis, 2)))
        answer = ask(two)

    assert data(answer) == data(others) != data(mine)


@given(st.data())
def test_whatever_lies_in_redis_is_read_or_is_nothing(sample: st.DataObject) -> None:
    value = bytearray(SAMPLE)
    places = st.integers(0, len(value) - 1)
    for place, byte in sample.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=6)):
        value[place] = byte
    start = sample.draw(places)
    found = decoded(bytes(value[start:] if sample.draw(st.booleans()) else value))

    assert found is None or found.until.tzinfo is not None


def test_what_is_written_is_read_as_it_was() -> None:
    found = decoded(SAMPLE)

    assert found is not None
    assert (found.key, found.body) == (b"the key", b'{"data":{}}')
    assert found.until == datetime(2026, 1, 1, tzinfo=UTC)
    assert [Lookup(*each) for each in found.lookups] == [
        Lookup(Kind.CUSTOMER_BY_ID, "c"),
        Lookup(Kind.ACCOUNTS_BY_CUSTOMER, "c"),
    ]


@needs_redis
def test_what_was_made_of_documents_that_redis_has_lost_is_not_given_from_there(
    served: World,
) -> None:
    with both(served) as (one, _, redis):
        first = ask(one)
        values = settled(redis)
        with redis.client() as client:
            client.flushall()
        put(redis, values)
        with sharing(served, redis) as third:
            answer = ask(third)

    assert not is_hit(answer)
    assert data(answer)["customer"]["reference"] == data(first)["customer"]["reference"]


@needs_redis
@pytest.mark.parametrize("more", [{}, ONLY_REDIS], ids=["everywhere", "in Redis"])
def test_without_redis_answers_go_on_and_with_it_they_are_given_again(
    served: World, more: dict[str, str]
) -> None:
    with both(served, **more) as (one, two, redis):
        ask(one)
        settled(redis)
        before = [newest(kept(each)) for each in (one, two)]
        redis.pause()
        ends = time.monotonic() + 3
        away = []
        while time.monotonic() < ends:
            away += [ask(one), ask(two)]
        redis.go_on()
        back = [newest(kept(each)) for each in (one, two)]

    assert {newest(each) for each in away} == set(before) == set(back)
    assert len(set(before)) == 1
    # Each serves what it has itself, and an answer of that is as good as one that is made anew.
    assert [is_hit(each) for each in away[-2:]] == [True, more == {}]


@needs_redis
def test_what_one_reads_while_redis_is_away_is_shown_at_once_and_to_all_once_it_is_back(
    served: World,
) -> None:
    with both(served) as (one, two, redis):
        account = account_of(one, "hosting")
        before = [newest(kept(each)) for each in (one, two)]
        redis.pause()
        ends = time.monotonic() + 3
        while time.monotonic() < ends:
            ask(one), ask(two)
        was_hit = is_hit(ask(one))
        add_entry(one, "77.07")
        one.data(REFRESH, {"id": account})
        at_once, again = newest(ask(one)), ask(one)
        redis.go_on()
        two.data(REFRESH, {"id": account})
        until(lambda: shows(one, "77.07") and shows(two, "77.07"))

    assert was_hit
    assert before[0] == before[1] != "77.07"
    assert at_once == newest(again) == "77.07"


@needs_redis
def test_what_changes_while_one_cannot_hear_it_is_seen_once_it_can(served: World) -> None:
    with both(served) as (one, two, redis):
        account = account_of(one, "hosting")
        ask(one)
        settled(redis)
        before = [newest(kept(each)) for each in (one, two)]
        for number in range(5):
            amount = f"{90 + number}.09"
            add_entry(one, amount)
            with redis.client() as client:
                client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            one.data(REFRESH, {"id": account})
            at_once = newest(ask(one))
            until(partial(shows, two, amount), seconds=5)
            later = [newest(kept(each)) for each in (one, two)]

            assert at_once == amount
            assert later == [amount] * 2

    assert before[0] == before[1]


@needs_redis
@pytest.mark.parametrize("how", ["flushed", "killed"])
def test_a_redis_that_forgets_everything_costs_no_answer(tmp_path: Path, how: str) -> None:
    with world(tmp_path, more=LONG, entries=20) as served, both(served) as (one, two, redis):
        account = account_of(one, "hosting")
        ask(one)
        settled(redis)
        before = [newest(kept(each)) for each in (one, two)]
        if how == "killed":
            redis.kill()
            redis.start()
        else:
            with redis.client() as client:
                client.flushall()
        meanwhile = [newest(ask(each)) for each in (one, two)]
        add_entry(one, "99.09")
        until(lambda: is_hit(ask(one)) and is_hit(ask(two)))
        one.clock.ahead += timedelta(seconds=10)
        one.data(REFRESH, {"id": account})
        until(lambda: newest(ask(two)) == "99.09", seconds=5)
        after = [newest(kept(each)) for each in (one, two)]
        again = written(redis)

    assert before == meanwhile
    assert after == ["99.09"] * 2
    assert again
