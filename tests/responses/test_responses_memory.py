"""However much is asked, what is kept of it takes no more than it may."""

import gc
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import TypeVar

import pytest
from asking_again import C_1001, CHANGES, LONG, ask, is_hit, kept
from hypothesis import given
from hypothesis import strategies as st
from world import World, gateway, world

from app import settings
from app.responses.budget import Budget, Room
from app.responses.kept import Kept
from app.responses.lookups import Kind, Lookup, Lookups
from app.responses.memory import Memory
from app.server.given import Answers

T = TypeVar("T")
UNTIL = datetime(2030, 1, 1, tzinfo=UTC)
MOST = 200_000


def answer(key: bytes, size: int, documents: Mapping[str, str], lookups: int = 1) -> Kept:
    found = {Lookup(Kind.CUSTOMER_BY_ID, str(number)): None for number in range(lookups)}
    return Kept(key, b"x" * size, UNTIL, documents, found, 0.0)


keys = st.sampled_from([b"a", b"b", b"c", b"d", b"e"])
sizes = st.sampled_from([0, 500, 1500, 3000, 20_000])
names = st.dictionaries(st.sampled_from(["1", "2", "3"]), st.just("v"), max_size=3)


@given(st.lists(st.one_of(st.tuples(keys, sizes, names), st.sampled_from(["1", "2", None]))))
def test_what_is_in_memory_is_bounded_and_gone_with_its_documents(
    steps: list[tuple[bytes, int, Mapping[str, str]] | str | None],
) -> None:
    budget = Budget(9_000)
    memory, put = Memory(budget), []
    for step in steps:
        if isinstance(step, tuple):
            one = answer(*step)
            put.append(one)
            memory.put(one)
        else:
            memory.changed(step)
            assert all(one.is_gone for one in put if step is None or step in one.documents)
        there = [one for one in (memory.get(key) for key in (b"a", b"b", b"c", b"d", b"e")) if one]

        assert budget.bytes == sum(one.weight for one in there) <= 9_000
        # Whoever has one in hand that nobody would take away is told so.
        assert all(one.is_gone != (one in there) for one in put)


def test_what_was_used_longest_ago_makes_room_wherever_it_lies() -> None:
    budget = Budget(10)
    here, there = set[str](), set[str]()
    rooms = {
        name: Room(weight, partial(place.remove, name))
        for name, place, weight in (
            ("a", here, 4),
            ("b", there, 4),
            ("c", here, 4),
            ("d", there, 9),
        )
    }
    told = []
    for name, place in (("a", here), ("b", there)):
        place.add(name)
        assert budget.take(rooms[name])
    budget.use(rooms["a"])
    for name, place in (("c", here), ("d", there)):
        place.add(name)
        assert budget.take(rooms[name])
        told.append((sorted(here), sorted(there), budget.bytes))
    budget.end(rooms["d"])
    budget.end(rooms["d"])
    budget.use(rooms["d"])

    assert told == [(["a", "c"], [], 8), ([], ["d"], 9)]
    assert (there, budget.bytes) == (set(), 0)
    assert not budget.take(Room(11, here.clear))


def test_what_was_sent_of_an_answer_goes_with_it() -> None:
    budget = Budget(9_000)
    memory, sent = Memory(budget), ["compressed"]
    kept = answer(b"a", 500, {"1": "v"})
    memory.put(kept)
    copy = Room(300, sent.clear)
    kept.copies.add(copy)
    assert budget.take(copy)
    before = budget.bytes
    memory.changed("1")

    assert before == kept.weight + 300
    assert (sent, budget.bytes, kept.is_gone) == ([], 0, True)


def test_an_answer_weighs_all_that_it_holds() -> None:
    small = answer(b"k", 0, {})
    others = [
        answer(b"k" * 1001, 0, {}),
        answer(b"k", 1000, {}),
        answer(b"k", 0, {str(number): "v" for number in range(10)}),
        answer(b"k", 0, {}, lookups=10),
        Kept(b"k", b"", UNTIL, {}, {Lookup(Kind.CUSTOMER_BY_ID, "c" * 1000): None}, 0.0),
        Kept(b"k", b"", UNTIL, {}, {Lookup(Kind.ACCOUNTS_BY_CUSTOMER, "0"): [0] * 10}, 0.0),
    ]

    assert all(each.weight >= small.weight + 999 for each in others)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("memory"), more=LONG, entries=15) as one:
        yield one


@pytest.fixture
def small(served: World) -> Iterator[World]:
    """Serve a gateway that keeps some answers at most."""
    environ = {"GATEWAY_CACHE__RESPONSE_MEMORY": f"{MOST}B"}
    configured = settings.load(served.folder / "gateway.toml", environ)
    with gateway(configured, served.sandbox, served.folder) as one:
        yield one


def many(one: World, times: int) -> None:
    """Ask so many times, each time something else."""
    for number in range(times):
        response = ask(one, CHANGES, {**C_1001, "n": number % 90 + 1, "other": number})
        assert response.status_code == 200


def living(kind: type[T]) -> list[T]:
    gc.collect()
    return [one for one in gc.get_objects() if type(one) is kind]


def test_thousands_of_different_requests_stay_within_the_memory_for_answers(small: World) -> None:
    many(small, 1500)
    (budget,) = (one for one in living(Budget) if one.most_bytes == MOST)
    (front,) = (one for one in living(Answers) if one._budget is budget)
    answers = living(Kept)
    held = sum(sys.getsizeof(one.body) + len(one.key) for one in answers)
    given = sum(len(one.body) for one in front._given.values())

    # Both take their bytes from one and the same bound, and nothing is held that is not in it.
    assert MOST / 2 < budget.bytes <= MOST
    assert 0 < held <= MOST
    assert 0 < given <= MOST
    assert all(one.kept.room and not one.kept.is_gone for one in front._given.values())


def test_what_is_asked_most_stays_while_others_pass(small: World) -> None:
    kept(small)
    hits = 0
    for number in range(300):
        ask(small, CHANGES, {**C_1001, "other": number})
        hits += is_hit(ask(small))

    assert hits == 300


def test_an_answer_larger_than_the_memory_is_made_anew(served: World) -> None:
    environ = {"GATEWAY_CACHE__RESPONSE_MEMORY": "1B"}
    configured = settings.load(served.folder / "gateway.toml", environ)
    with gateway(configured, served.sandbox, served.folder) as one:
        answers = [ask(one) for _ in range(3)]

    assert not any(is_hit(each) for each in answers)


def test_references_of_any_length_are_not_remembered(served: World) -> None:
    numbers = count()
    query = "query($r: String!) { customer(reference: $r) { displayName } }"
    for _ in range(20):
        variables = {"r": f"{next(numbers)}" + "x" * 100_000}
        assert ask(served, query, variables).json()["data"] == {"customer": None}
    remembered = [len(lookup.key) for one in living(Lookups) for lookup in one._answers]

    assert max(remembered, default=0) <= 200
