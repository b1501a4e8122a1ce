"""The budget of tries: what a provider that fails sees of those who ask again."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from test_http_door import READ, WRITE

from app.model.errors import UpstreamUnavailable
from app.providers.call import Call, Crowded
from app.providers.rings.retries import Retries


async def anything(_call: Call) -> bool:
    return True


def failing(
    errors: Callable[[int], Exception | None],
) -> tuple[list[int], Callable[[], Awaitable[int]]]:
    """Return a log of tries, and what is sent: it fails as told by the number of the try."""
    tries: list[int] = []

    async def send() -> int:
        tries.append(len(tries))
        if error := errors(tries[-1]):
            raise error
        return tries[-1]

    return tries, send


async def many(retries: Retries, call: Call, send: Callable[[], Awaitable[int]], times: int) -> int:
    """Return how many of so many calls failed, fifty at once."""
    found: list[object] = []
    for _ in range(0, times, 50):
        calls = (retries.around(call, send) for _ in range(50))
        found += await asyncio.gather(*calls, return_exceptions=True)
    return sum(isinstance(each, Exception) for each in found)


async def test_a_dead_provider_sees_a_fifth_more_than_there_are_calls() -> None:
    tries, send = failing(lambda _: UpstreamUnavailable("dead"))
    failed = await many(Retries(anything), READ, send, 500)

    assert failed == 500
    assert 1.15 * 500 < len(tries) <= 1.2 * 500 + 2


async def test_what_fails_now_and_then_is_mended_within_the_budget() -> None:
    tries, send = failing(lambda number: UpstreamUnavailable("lost") if number % 10 == 0 else None)
    failed = await many(Retries(anything), READ, send, 500)

    assert failed == 0
    assert 500 < len(tries) <= 1.2 * 500


@pytest.mark.parametrize("call", [READ, WRITE])
async def test_only_reads_are_tried_again(call: Call) -> None:
    tries, send = failing(lambda number: None if number else UpstreamUnavailable("lost"))
    failed = await asyncio.gather(Retries(anything).around(call, send), return_exceptions=True)

    assert isinstance(failed[0], UpstreamUnavailable) is not call.is_read
    assert len(tries) == (2 if call.is_read else 1)


async def test_who_may_not_be_sent_again_is_told_why_it_failed_before() -> None:
    async def nothing(_call: Call) -> bool:
        return False

    tries, send = failing(lambda _: UpstreamUnavailable("lost"))
    with pytest.raises(UpstreamUnavailable, match="lost"):
        await Retries(nothing).around(READ, send)
    again, crowded = failing(lambda n: Crowded("full") if n else UpstreamUnavailable("lost"))
    with pytest.raises(UpstreamUnavailable, match="lost"):
        await Retries(anything).around(READ, crowded)

    assert (len(tries), len(again)) == (1, 2)


async def test_the_pauses_are_by_chance_from_none_to_the_longest() -> None:
    async def seconds() -> float:
        _, send = failing(lambda number: None if number else UpstreamUnavailable("lost"))
        time = asyncio.get_running_loop().time
        began = time()
        await Retries(anything).around(READ, send)
        return time() - began

    found = sorted(await asyncio.gather(*(seconds() for _ in range(200))))

    assert found[20] < 0.06
    assert 0.14 < found[-1] < 0.4
