"""Single-use refresh tokens outlive a hundred callers in four processes, and killed ones."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from time import monotonic

import pytest
from gateways import at_once, gateways
from places import Place
from renewing import KEY, KILLED, PROVIDER, Done, Task, opened, outcome, renewer
from world import configuration, import_customers

from app import settings
from app.model.accounts import AccountStatus
from app.sandbox import Sandbox, SandboxServer

PROCESSES = 4
CALLERS = 25
REFRESH = "cloudreve /session/token/refresh"
DEATHS = [f"{when} {step}" for step in ("turn", "call", "write") for when in ("before", "after")]
# Between these two steps only the killed process knows the new pair.
LOSING = {"after call", "before write"}
TIMEOUT_SECONDS = 1
# A turn, the call of whoever has it next, and a busy machine.
LONGEST_WAIT_SECONDS = 3 * TIMEOUT_SECONDS + TIMEOUT_SECONDS + 1.5
QUERY = """{ customer(reference: "C-1001") { accounts { status provider { name }
  balance { reported { amount } } } } }"""


@pytest.fixture
def site() -> Iterator[SandboxServer]:
    """Serve a Cloudreve of seven customers whose refresh tokens may be used once."""
    sandbox = Sandbox(entries=5, customers=7)
    sandbox.change_settings(rotate="single_use")
    # Long enough for all processes to come while one renews.
    path = REFRESH.removeprefix("cloudreve ")
    sandbox.set_fault("cloudreve", {"kind": "latency", "path": path, "ms": 300})
    with SandboxServer(sandbox) as server:
        yield server


def address(site: SandboxServer) -> str:
    return site.url + site.sandbox.upstreams["cloudreve"].base_path


async def linked(place: Place, site: SandboxServer) -> list[str]:
    """Link one account of each customer, with new credentials; return their ids."""
    async with place.opened(KEY) as directory:
        ids = []
        for line in site.sandbox.sample_customers():
            await directory.put_customer(line["reference"], None)
            (customer,) = await directory.customers_by_reference([line["reference"]])
            assert customer is not None
            given = site.sandbox.issue_credentials("cloudreve", line["reference"])
            put = await directory.put_account(customer.id, PROVIDER, None, given, None)
            ids.append(put.account_id)
        return ids


async def at_the_same_time(task: Task) -> list[Done]:
    async with AsyncExitStack() as stack:
        started = [await stack.enter_async_context(renewer()) for _ in range(PROCESSES)]
        await asyncio.gather(*(one.begin(task) for one in started))
        return await asyncio.gather(*(one.end() for one in started))


async def test_a_hundred_callers_in_four_processes_make_one_renewal(
    place: Place, site: SandboxServer
) -> None:
    account_id, *_ = await linked(place, site)

    found = await at_the_same_time(Task(place.url, address(site), account_id, CALLERS))

    assert found == [Done(0, {"answered": CALLERS})] * PROCESSES
    assert site.sandbox.calls()[REFRESH] == 1


async def test_without_turns_four_processes_make_several_renewals(
    place: Place, site: SandboxServer
) -> None:
    account_id, *_ = await linked(place, site)
    task = Task(place.url, address(site), account_id, CALLERS, takes_turns=False)

    await at_the_same_time(task)

    assert site.sandbox.calls()[REFRESH] > 1


@pytest.mark.parametrize("rotate", ["keep", "single_use"])
async def test_an_account_outlives_a_process_killed_at_any_step_or_is_to_be_linked_again(
    place: Place, site: SandboxServer, rotate: str
) -> None:
    site.sandbox.change_settings(rotate=rotate)
    ids = dict(zip(["", *DEATHS], await linked(place, site), strict=True))
    tasks = {
        die: Task(place.url, address(site), account_id, die=die, timeout_seconds=TIMEOUT_SECONDS)
        for die, account_id in ids.items()
    }
    async with renewer() as one:
        ended = {die: (await one.done(task)).code for die, task in tasks.items()}
    renewed = site.sandbox.calls()[REFRESH]

    async with opened(place.url, address(site), TIMEOUT_SECONDS) as (directory, provider):

        async def timed(account_id: str) -> tuple[str, float]:
            began = monotonic()
            return await outcome(provider, account_id), monotonic() - began

        found = dict(zip(ids, await asyncio.gather(*map(timed, ids.values())), strict=True))
        accounts = await directory.accounts_by_id(list(ids.values()))

    statuses = {die: one.status for die, one in zip(ids, accounts, strict=True) if one}
    lost = LOSING if rotate == "single_use" else set()
    assert ended == {"": 0} | dict.fromkeys(DEATHS, KILLED)
    assert {die: said for die, (said, _) in found.items()} == {
        die: "UPSTREAM_UNAUTHORIZED" if die in lost else "answered" for die in ids
    }
    assert statuses == {
        die: AccountStatus.NEEDS_RELINK if die in lost else AccountStatus.ACTIVE for die in ids
    }
    assert max(seconds for _, seconds in found.values()) < LONGEST_WAIT_SECONDS
    # Nobody waits, and nothing is renewed, where the new pair was kept.
    assert max(found[die][1] for die in ("", "before turn", "after write")) < 2 * TIMEOUT_SECONDS
    assert site.sandbox.calls()[REFRESH] - renewed == len(set(DEATHS) - {"after write"})


def test_gateways_without_a_redis_in_common_make_one_renewal(
    tmp_path: Path, site: SandboxServer
) -> None:
    more = '[cache]\nurl = "embedded://"\n[limits]\nrate = "1000000/minute"\n'
    file = configuration(tmp_path, site.url, more)
    customers = site.sandbox.sample_customers()
    asyncio.run(import_customers(settings.load(file, {}), customers))

    with gateways(file, PROCESSES) as origins:
        answers = at_once(origins, QUERY, CALLERS)

    balances = {
        account["balance"]["reported"]["amount"]
        for answer in answers
        for account in answer["data"]["customer"]["accounts"]
        if account["provider"]["name"] == "cloud"
    }
    assert len(answers) == PROCESSES * CALLERS
    assert not any("errors" in answer for answer in answers)
    assert len(balances) == 1
    assert site.sandbox.calls()[REFRESH] == 1
