"""A server that stops ends what is open, and waits for nobody who does not read."""

import asyncio
import time
from contextlib import ExitStack

import pytest
from streaming import PACE, begun, ending, served, subscribe, until
from test_streams_events import COMPLETE, listening
from test_streams_listeners import OPENINGS, UNHURRIED, Opening


async def test_a_server_that_stops_ends_all_streams() -> None:
    with ExitStack() as stack:
        one = stack.enter_context(served(pace=UNHURRIED))
        async with begun(one.url) as client, listening(one.url, "ticking") as events:
            await subscribe(client, "a", "ticking")
            await until(lambda: one.source.open == 2)
            begin = time.monotonic()
            stopped = asyncio.create_task(asyncio.to_thread(stack.close))
            closed = await ending(client)
            told = (await events.aread()).decode()
            await stopped
            lasted = time.monotonic() - begin

    assert closed[0] == 1012
    # Whole, so that a client sees no error, but not complete, so that it asks another server.
    assert told.endswith("\n\n")
    assert not told.endswith(COMPLETE)
    assert (one.source.open, one.streams.open) == (0, 0)
    assert lasted < 5


@pytest.mark.parametrize("listen", OPENINGS)
async def test_a_server_that_stops_does_not_wait_for_who_does_not_read(listen: Opening) -> None:
    with ExitStack() as stack:
        # Longer than the server takes to stop, so that it is not this that ends them.
        one = stack.enter_context(served(pace=PACE._replace(to_take=UNHURRIED.to_take)))
        with listen(one):
            await until(lambda: one.source.open == 1)
            await asyncio.sleep(0.5)
            begin = time.monotonic()
            await asyncio.to_thread(stack.close)
            lasted = time.monotonic() - begin

    assert (one.source.open, one.streams.open) == (0, 0)
    assert lasted < 8
