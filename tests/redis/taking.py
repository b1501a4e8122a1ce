"""Callers who ask as fast as they may, in this process or as a process of their own."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import TypeVar

from asking import asking
from redis_server import RedisServer

from app.redis.rates import Allowance, Rates

T = TypeVar("T")
WHO = "anna@example.com"
SECRET = b"the same in all processes"


@dataclass(frozen=True)
class Times:
    """So many in a time."""

    count: int
    per: timedelta


def a_minute(count: int) -> Times:
    return Times(count, timedelta(minutes=1))


# Nothing to speak of comes back while a test runs.
HOURLY = Times(600, timedelta(hours=1))


@asynccontextmanager
async def several(url: str, count: int) -> AsyncIterator[list[Rates]]:
    """Return as many as processes would have, each with connections of its own."""
    async with AsyncExitStack() as stack:
        guards = [(await stack.enter_async_context(asking(url)))[1] for _ in range(count)]
        yield [Rates(guard, secret=SECRET) for guard in guards]


async def ask(rates: Rates, rate: Times, times: int, who: str = WHO) -> list[Allowance]:
    """Ask so many times, twenty at once."""
    found: list[Allowance] = []
    for begin in range(0, times, 20):
        at_once = min(20, times - begin)
        found += await asyncio.gather(*(rates.take(who, rate) for _ in range(at_once)))
    return found


async def undisturbed(
    server: RedisServer, count: int, play: Callable[[list[Rates]], Awaitable[T]]
) -> T:
    """Return what comes of it where all processes hear Redis in time; it is tried a few times."""
    for _ in range(5):
        with server.client() as client:
            client.flushall()
        async with several(server.url, count) as all_of_them:
            found = await play(all_of_them)
            if not any(map(was_alone, all_of_them)):
                return found
    raise AssertionError("this machine is too busy to hear Redis")


def was_alone(rates: Rates) -> bool:
    return any(bucket.alone_until > 0 for bucket in rates._known.values())


def allowed(found: Sequence[Allowance]) -> int:
    return sum(one.allowed for one in found)


def asked_redis(server: RedisServer) -> int:
    """Return how many scripts were run since the counts were reset."""
    with server.client() as client:
        counts = client.info("commandstats")
        return sum(
            counts.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ("evalsha", "eval")
        )


def reset_counts(server: RedisServer) -> None:
    with server.client() as client:
        client.config_resetstat()


def processes(
    url: str, count: int, rate: Times, seconds: float
) -> list[tuple[int, float, float]] | None:
    """Have processes ask for some seconds; return how much each was allowed, from when to when.

    None where one of them did not hear Redis in time.
    """
    words = [sys.executable, __file__, url, str(rate.count), str(rate.per.total_seconds())]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    started = [
        subprocess.Popen([*words, str(seconds)], stdout=subprocess.PIPE, text=True, env=environment)
        for _ in range(count)
    ]
    try:
        told = [one.communicate(timeout=60)[0].split() for one in started]
    finally:
        for one in started:
            one.kill()
            one.wait()
    if any(alone == "True" for *_, alone in told):
        return None
    return [(int(allowed), float(began), float(ended)) for allowed, began, ended, _ in told]


async def _ask_for(url: str, rate: Times, seconds: float) -> None:
    total = 0
    async with several(url, 1) as (rates,):
        began = monotonic()
        while monotonic() < began + seconds:
            total += allowed(await ask(rates, rate, 20))
            await asyncio.sleep(0.002)
    print(total, began, monotonic(), was_alone(rates))  # noqa: T201 (it is how this process tells)


if __name__ == "__main__":
    _, address, given, per, for_seconds = sys.argv
    asyncio.run(
        _ask_for(address, Times(int(given), timedelta(seconds=float(per))), float(for_seconds))
    )
