"""Many requests of two viewers at once, some of whom go away: neither is told the other's."""

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest
from callers import Callers, callers, viewer

from app.model.viewer import Scope

REQUESTS = 1000
AT_ONCE = 25
# Of all customers, so that what a viewer sees is what it may see.
QUERY = """query ($first: Int!) {
  customers(first: 2) { totalCount nodes {
    id reference displayName balances { account { id } reported { amount } }
  } }
  viewer { subject customer {
    id reference
    accounts { id label customer { reference } }
    creditChanges(first: $first) { nodes { id account { id customer { reference } } } }
    payments(last: $first) { nodes { id account { customer { reference } } } }
    creditSummary { units { unit net { amount } } }
  } }
}"""


# A thousand requests keep a core busy for most of a minute.
@pytest.mark.timeout(400)
# graphql-core prepares what it has not begun when a request is cancelled.
@pytest.mark.filterwarnings("ignore:coroutine '.*' was never awaited:RuntimeWarning")
async def test_no_value_of_one_viewer_reaches_the_other(tmp_path: Path) -> None:
    chance = random.Random(4)
    viewers = {of: viewer(of, [Scope.READ]) for of in ("C-1001", "C-1002")}
    gone = 0
    async with callers(tmp_path) as served:
        own = {of: await known(served, of) for of in viewers}
        assert not set.intersection(*own.values())
        room = asyncio.Semaphore(AT_ONCE)

        async def one(of: str, first: int, leaves_after: float | None) -> bool:
            nonlocal gone
            async with room:
                asked = asyncio.ensure_future(served.ask(viewers[of], QUERY, {"first": first}))
                await asyncio.wait({asked}, timeout=leaves_after)
                if not asked.done():
                    asked.cancel()
                    gone += 1
                    return False
                answer = asked.result()
            (other,) = own.keys() - {of}
            told = values(answer)
            assert "errors" not in answer
            assert told & own[of]
            assert not told & own[other]
            return True

        answered = await asyncio.gather(
            *(
                one(
                    chance.choice(list(viewers)),
                    chance.randint(1, 20),
                    chance.choice([None, None, 0.001, 0.02]),
                )
                for _ in range(REQUESTS)
            )
        )

    assert sum(answered) + gone == REQUESTS
    assert sum(answered) > REQUESTS / 3
    assert gone > 50


async def known(served: Callers, of: str) -> set[str]:
    """Return the names, ids and labels that are a customer's alone."""
    told = await served.ask(viewer(of, [Scope.READ]), QUERY, {"first": 100})
    every = await served.ask(viewer(None, []), QUERY, {"first": 100})
    assert told["data"]["customers"]["totalCount"] == 1
    assert every["data"]["viewer"]["customer"] is None
    mine = told["data"]["viewer"]["customer"]
    rows = [*mine["accounts"], *mine["creditChanges"]["nodes"], *mine["payments"]["nodes"]]
    return {mine["reference"], mine["id"], *(row["id"] for row in rows)}


def values(answer: Any) -> set[str]:  # noqa: ANN401 - any part of an answer
    """Return every text in an answer."""
    if isinstance(answer, dict):
        answer = list(answer.values())
    if isinstance(answer, list):
        return set().union(*map(values, answer))
    return {answer} if isinstance(answer, str) else set()
