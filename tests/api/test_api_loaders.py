"""Loads coincide: keys of one moment are one batch, equal ones one load, and each fails alone."""

import asyncio
from collections.abc import Sequence

import pytest

from app.api.loaders import Batches, Found, Once


class Numbers:
    """Loads the doubles of numbers, and notes what it was asked for; it has none of 13."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.gate = asyncio.Event()

    async def doubles(self, keys: list[int]) -> Sequence[int | Exception]:
        self.asked.append(keys)
        await self.gate.wait()
        return [LookupError("13") if key == 13 else 2 * key for key in keys]

    async def double(self, key: int) -> int:
        (found,) = await self.doubles([key])
        if isinstance(found, Exception):
            raise found
        return found


async def test_keys_of_one_moment_are_one_batch_and_later_ones_another() -> None:
    numbers = Numbers()
    numbers.gate.set()
    loader = Batches("numbers", numbers.doubles)

    found = await asyncio.gather(*(loader.load(key) for key in (1, 2, 1, 3)))
    again = await asyncio.gather(*(loader.load(key) for key in (2, 4)))

    assert [found, again] == [[2, 4, 2, 6], [4, 8]]
    assert numbers.asked == [[1, 2, 3], [4]]


async def test_a_key_fails_alone_and_a_batch_as_a_whole() -> None:
    numbers = Numbers()
    numbers.gate.set()
    loader = Batches("numbers", numbers.doubles)

    async def break_down(keys: list[int]) -> Sequence[int]:
        raise ZeroDivisionError(len(keys))

    broken = Batches("numbers", break_down)
    found = await asyncio.gather(loader.load(13), loader.load(1), return_exceptions=True)
    lost = await asyncio.gather(broken.load(13), broken.load(1), return_exceptions=True)

    assert [str(one) for one in found] == ["13", "2"]
    assert [type(one) for one in lost] == [ZeroDivisionError] * 2


async def test_what_is_primed_is_not_loaded() -> None:
    numbers = Numbers()
    loader = Batches("numbers", numbers.doubles)
    loader.prime(1, 100)
    loader.prime(1, 200)

    assert await loader.load(1) == 100
    assert numbers.asked == []


@pytest.mark.parametrize("kind", ["batches", "once"])
async def test_who_goes_away_takes_nobody_along(kind: str) -> None:
    numbers = Numbers()
    loader: Batches[int, int] | Once[int, int] = (
        Batches("numbers", numbers.doubles) if kind == "batches" else Once("one", numbers.double)
    )
    leaver, stayer = (asyncio.create_task(loader.load(1)) for _ in range(2))
    await asyncio.sleep(0.01)
    leaver.cancel()
    await asyncio.sleep(0.01)
    numbers.gate.set()

    assert await stayer == 2
    assert leaver.cancelled()
    assert numbers.asked == [[1]]


async def test_unequal_keys_are_loaded_side_by_side_and_equal_ones_once() -> None:
    numbers = Numbers()
    loader = Once("one", numbers.double)
    loads = [asyncio.create_task(loader.load(key)) for key in (1, 2, 13, 1)]
    await asyncio.sleep(0.01)

    assert numbers.asked == [[1], [2], [13]]
    numbers.gate.set()
    found = await asyncio.gather(*loads, return_exceptions=True)
    assert [str(one) for one in found] == ["2", "4", "13", "2"]


async def test_what_is_at_hand_is_taken_without_waiting_and_but_once() -> None:
    numbers = Numbers()
    lying = {1: 2}
    loader = Batches(
        "numbers", numbers.doubles, lambda key: Found(lying.pop(key)) if key in lying else None
    )
    work = loader.load(1)

    with pytest.raises(StopIteration) as done:
        work.send(None)
    assert done.value.value == 2
    assert await loader.load(1) == 2
    assert numbers.asked == []
    numbers.gate.set()
    assert await loader.load(3) == 6
    assert numbers.asked == [[3]]
