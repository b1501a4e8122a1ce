"""What many look for at a time is looked for together, and equal questions once."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from app.responses.search import Search


class Place:
    """Where everything is found but `nothing`; each look goes on once it is let."""

    def __init__(self) -> None:
        self.looks: list[list[bytes]] = []
        self.let = asyncio.Event()
        self.judged = asyncio.Event()
        self.judged.set()
        self.problem: Exception | None = None

    async def read(self, keys: Sequence[bytes]) -> int:
        self.looks.append(list(keys))
        number = len(self.looks)
        await self.let.wait()
        return number

    async def judge(self, number: int) -> Mapping[bytes, tuple[bytes, int]]:
        await self.judged.wait()
        if self.problem:
            raise self.problem
        looked_for = self.looks[number - 1]
        return {key: (key, number) for key in looked_for if key != b"nothing"}

    def search(self) -> Search[int, tuple[bytes, int]]:
        return Search(self.read, self.judge)


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_equal_questions_of_a_moment_are_looked_for_once() -> None:
    place = Place()
    place.let.set()
    search = place.search()
    keys = [b"a", b"b", b"nothing"] * 20
    found = await asyncio.gather(*(search.find(key) for key in keys))

    assert place.looks == [[b"a", b"b", b"nothing"]]
    assert [each and each[0] for each in found] == [b"a", b"b", None] * 20


async def test_what_is_asked_while_others_are_looked_for_goes_together() -> None:
    place = Place()
    search = place.search()
    asked = []
    for number in range(10):
        asked.append(asyncio.ensure_future(search.find(b"%d" % number)))
        await turns()
    before = [list(look) for look in place.looks]
    place.let.set()
    found = await asyncio.gather(*asked)

    assert before == [[b"0"], [b"1"]]
    assert place.looks == [[b"0"], [b"1"], [b"%d" % number for number in range(2, 10)]]
    assert [each and each[0] for each in found] == [b"%d" % number for number in range(10)]


async def test_nobody_is_given_what_was_looked_for_before_it_asked() -> None:
    place = Place()
    search = place.search()
    first = asyncio.ensure_future(search.find(b"a"))
    await turns()
    second = asyncio.ensure_future(search.find(b"a"))
    await turns()
    place.let.set()
    await asyncio.gather(first, second)

    assert place.looks == [[b"a"], [b"a"]]


async def test_no_look_brings_more_than_some() -> None:
    place = Place()
    place.let.set()
    search = place.search()
    keys = [b"%d" % number for number in range(120)]
    found = await asyncio.gather(*(search.find(key) for key in keys))

    assert [len(look) for look in place.looks] == [50, 50, 20]
    assert [each and each[0] for each in found] == keys


async def test_who_goes_away_takes_nothing_from_others() -> None:
    place = Place()
    search = place.search()
    asked = [asyncio.ensure_future(search.find(b"a")) for _ in range(3)]
    await turns()
    asked[0].cancel()
    await turns()
    place.let.set()
    found = await asyncio.gather(*asked, return_exceptions=True)

    assert isinstance(found[0], asyncio.CancelledError)
    assert found[1:] == [(b"a", 1)] * 2


async def test_what_goes_wrong_is_told_to_all_who_asked_and_to_nobody_later() -> None:
    place = Place()
    place.let.set()
    place.problem = ValueError("wrong")
    search = place.search()
    found = await asyncio.gather(*(search.find(b"a") for _ in range(3)), return_exceptions=True)
    place.problem = None

    assert all(isinstance(each, ValueError) for each in found)
    assert await search.find(b"a") == (b"a", 2)


async def test_what_is_judged_slowly_holds_up_nobody_else() -> None:
    place = Place()
    place.let.set()
    place.judged.clear()
    search = place.search()
    asked = []
    for number in range(6):
        asked.append(asyncio.ensure_future(search.find(b"%d" % number)))
        await turns()
    looks = len(place.looks)
    place.judged.set()
    await asyncio.gather(*asked)

    assert looks == 6


@pytest.mark.parametrize("let", [True, False], ids=["while judged", "while read"])
async def test_the_end_leaves_nobody_waiting(let: bool) -> None:  # noqa: FBT001 - of a test
    place = Place()
    place.judged.clear()
    search = place.search()
    if let:
        place.let.set()
    asked = asyncio.ensure_future(search.find(b"a"))
    await turns()
    await search.aclose()

    assert await asyncio.wait_for(asked, 1) is None
