"""What waits for one listener, and what becomes of one that does not take it."""

import asyncio

import pytest
from histories import ACCOUNTS, START, change

from app.feeds.listener import MOST_WAITING, Listener, News
from app.model.accounts import Account
from app.model.errors import NotFound, TooSlow

ACCOUNT = Account(id=ACCOUNTS[0], customer_id="c", provider="listed", linked_at=START)


def news(count: int) -> list[News]:
    return [News(ACCOUNT, change(second)) for second in range(count)]


async def test_it_takes_what_it_was_told_in_order_and_waits_for_more() -> None:
    listener = Listener(lambda _: None)
    told = news(3)
    waiting = asyncio.ensure_future(anext(listener))
    await asyncio.sleep(0)

    listener.tell(told)

    assert await waiting == told[0]
    assert [await anext(listener), await anext(listener)] == told[1:]


async def test_one_that_does_not_take_what_it_is_told_is_ended_and_holds_nothing() -> None:
    left: list[Listener] = []
    slow, quick = Listener(left.append), Listener(left.append)

    taken = 0
    for _ in range(MOST_WAITING // 100 + 1):
        for each in (slow, quick):
            each.tell(news(100))
        for _ in range(100):
            await anext(quick)
            taken += 1

    assert left == [slow]
    assert not slow._waiting
    assert taken == MOST_WAITING + 100
    with pytest.raises(TooSlow, match="subscribe again") as raised:
        await anext(slow)
    assert raised.value.code == "RATE_LIMITED"
    with pytest.raises(StopAsyncIteration):
        await anext(slow)


async def test_as_much_as_may_wait_is_not_too_much() -> None:
    left: list[Listener] = []
    listener = Listener(left.append)

    listener.tell(news(MOST_WAITING))

    assert left == []
    assert [await anext(listener) for _ in range(MOST_WAITING)] == news(MOST_WAITING)


async def test_it_ends_by_an_error_after_what_it_was_told_before() -> None:
    listener = Listener(lambda _: None)
    listener.tell(news(1))

    listener.end(NotFound("gone"))
    listener.tell(news(1))

    assert [await anext(listener)] == news(1)
    with pytest.raises(NotFound):
        await anext(listener)


async def test_closing_it_ends_who_waits_for_it_at_once() -> None:
    left: list[Listener] = []
    listener = Listener(left.append)

    async def take() -> int:
        return len([one async for one in listener])

    waiting = asyncio.ensure_future(take())
    await asyncio.sleep(0)
    await listener.aclose()
    await listener.aclose()

    assert await waiting == 0
    assert left == [listener]
