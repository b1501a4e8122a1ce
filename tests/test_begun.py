"""Work is begun at once, and is no task where it need not wait."""

import asyncio
from contextvars import ContextVar

import pytest

from app.begun import begun

WHO: ContextVar[str] = ContextVar("WHO", default="nobody")


async def test_what_need_not_wait_is_done_at_once_and_is_no_task() -> None:
    async def add(one: int, other: int) -> int:
        return one + other

    found = begun(add(1, 2))

    assert found.done()
    assert await found == 3
    assert len(asyncio.all_tasks()) == 1


async def test_what_waits_goes_on_by_itself() -> None:
    gates = [asyncio.Event() for _ in range(3)]

    async def pass_all() -> str:
        for gate in gates:
            await gate.wait()
        await asyncio.sleep(0)
        return "through"

    found = begun(pass_all())
    assert not found.done()
    for gate in gates:
        await asyncio.sleep(0)
        gate.set()

    assert await found == "through"


async def test_an_error_is_told_to_whoever_awaits_it() -> None:
    async def fail(after: int) -> None:
        for _ in range(after):
            await asyncio.sleep(0)
        raise LookupError(after)

    for after in range(3):
        found = begun(fail(after))
        with pytest.raises(LookupError, match=str(after)):
            await found


async def test_an_error_of_what_it_waits_for_is_its_own_to_take() -> None:
    failing = asyncio.get_running_loop().create_future()

    async def forgive() -> str:
        try:
            await failing
        except LookupError:
            await asyncio.sleep(0)
            return "forgiven"
        return "nothing happened"

    found = begun(forgive())
    failing.set_exception(LookupError())

    assert await found == "forgiven"


async def test_who_is_cancelled_is_cancelled_where_it_waits() -> None:
    ended = []

    async def wait_for_ever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("here")

    found = begun(wait_for_ever())
    await asyncio.sleep(0)
    found.cancel()

    with pytest.raises(asyncio.CancelledError):
        await found
    assert ended == ["here"]


async def test_what_waits_for_something_cancelled_is_cancelled_and_nobody_else() -> None:
    gone = asyncio.get_running_loop().create_future()
    gone.cancel()

    async def wait() -> None:
        await gone

    found = begun(wait())

    assert found.cancelled()


async def test_it_has_a_context_of_its_own_for_as_long_as_it_lasts() -> None:
    async def say_who(name: str) -> str:
        before = WHO.set(name)
        await asyncio.sleep(0)
        said = WHO.get()
        WHO.reset(before)
        return f"{said}, then {WHO.get()}"

    found = [begun(say_who(name)) for name in ("Anna", "Bo")]

    assert WHO.get() == "nobody"
    assert await asyncio.gather(*found) == ["Anna, then nobody", "Bo, then nobody"]
