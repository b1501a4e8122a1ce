"""
Mixed faults under load: nothing grows, nobody waits too long, and nobody sees what is another's.

FAULTS_SECONDS says for how long, 20 unless told; 600 are ten minutes.
"""

import asyncio
import os
import time
from collections.abc import Iterator, Mapping
from random import Random
from statistics import mean
from typing import Any, NamedTuple

import httpx
import jwt
import pytest
from fault_world import PROVIDERS, QUERY, REQUEST_SECONDS, Faulty, faulty
from figures import note
from memory import open_files, resident_bytes
from wire_faults import CASES, bomb

SECONDS = float(os.environ.get("FAULTS_SECONDS", "20"))
KEY = "a development key of more than thirty-two bytes"
ISSUER = "https://login.example.com/"
VIEWERS = ("C-1001", "C-1002")
AT_ONCE = 4
CHANGE_SECONDS = 0.5
# Beside what is kept of two customers: buffers of calls that a fault holds when it is looked.
MOST_BYTES = 50 << 20
MOST_FILES = 40
MOST_TASKS = 40
ENVIRONMENT = {
    "GATEWAY_CACHE__FRESH_FOR": "1s",
    "GATEWAY_AUTH__MODE": "jwt",
    "GATEWAY_AUTH__ISSUER": ISSUER,
    "GATEWAY_AUTH__DEVELOPMENT_KEY": KEY,
}


class Held(NamedTuple):
    """What the gateway's process holds at one time."""

    memory: int
    files: int
    tasks: int


class Asked(NamedTuple):
    """What came of a question, and after how many seconds of its own."""

    viewer: str
    wanted: str
    status: int
    seconds: float
    is_told: bool
    ids: frozenset[str]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    bomb()
    folder = tmp_path_factory.mktemp("mixed")
    with faulty(folder, environment=ENVIRONMENT) as one:
        yield one


def token(reference: str) -> str:
    claims = {
        "iss": ISSUER,
        "aud": "credit-gateway",
        "sub": f"viewer of {reference}",
        "customer": reference,
        "scope": "credits:read",
        "iat": int(time.time()),
        "exp": int(time.time()) + 3600,
    }
    return jwt.encode(claims, KEY, "HS256")


def own_ids(answers: list[Asked], viewer: str) -> frozenset[str]:
    return frozenset[str]().union(*(one.ids for one in answers if one.viewer == viewer))


def is_own(one: Asked, theirs: Mapping[str, frozenset[str]]) -> bool:
    """Tell whether a viewer was told of its own customer only."""
    return one.ids <= theirs[one.viewer] and one.is_told == (one.viewer == one.wanted)


def asked(
    viewer: str, wanted: str, seconds: float, status: int, customer: dict[str, Any] | None
) -> Asked:
    rows = customer["creditChanges"]["nodes"] if customer else []
    ids = frozenset(row["id"] for row in rows)
    return Asked(viewer, wanted, status, seconds, customer is not None, ids)


def held(one: Faulty) -> Held:
    return Held(resident_bytes(one.pid), open_files(one.pid), one.control()["tasks"])


async def asked_for(one: Faulty, seconds: float) -> list[Asked]:
    """Let both viewers ask for both customers, some at once, for so long."""
    end = time.monotonic() + seconds
    answers: list[Asked] = []

    async def ask(http: httpx.AsyncClient, viewer: str, wanted: str) -> None:
        headers = {"Authorization": f"Bearer {token(viewer)}"}
        json = {"query": QUERY, "variables": {"reference": wanted}}
        while time.monotonic() < end:
            began = one.own_seconds()
            answer = await http.post("/graphql", json=json, headers=headers)
            took = one.own_seconds() - began
            customer = answer.json()["data"]["customer"]
            answers.append(asked(viewer, wanted, took, answer.status_code, customer))
            await asyncio.sleep(0.02)

    async with httpx.AsyncClient(
        base_url=str(one.http.base_url), timeout=30, trust_env=False
    ) as http:
        pairs = [(viewer, wanted) for viewer in VIEWERS for wanted in VIEWERS]
        await asyncio.gather(*(ask(http, *pair) for pair in pairs * (AT_ONCE // len(pairs) or 1)))
    return answers


async def mixed_for(one: Faulty, seconds: float, chance: Random) -> list[Held]:
    """Change the faults of the providers now and then, and look what is held."""
    end = time.monotonic() + seconds
    seen = []
    while time.monotonic() < end:
        one.wire.clear()
        for name in chance.sample(PROVIDERS, chance.randint(0, len(PROVIDERS))):
            one.wire.set_fault(name, CASES[chance.choice(sorted(CASES))].fault)
        await asyncio.sleep(CHANGE_SECONDS)
        seen.append(await asyncio.to_thread(held, one))
    one.wire.clear()
    return seen


def grown(seen: list[Held]) -> Held:
    """Return how much more was held in the last third than in the one in the middle."""
    third = len(seen) // 3
    middle, last = seen[third : 2 * third], seen[-third:]
    return Held(
        *(
            round(mean(each[n] for each in last) - mean(each[n] for each in middle))
            for n in range(3)
        )
    )


def is_flat(seen: list[Held]) -> bool:
    more = grown(seen)
    return more.memory < MOST_BYTES and more.files < MOST_FILES and more.tasks < MOST_TASKS


@pytest.mark.alone
@pytest.mark.timeout(SECONDS + 120)
async def test_in_mixed_faults_nothing_grows_and_nobody_sees_what_is_anothers(
    served: Faulty,
) -> None:
    well = await asked_for(served, 2)

    answers, seen = await asyncio.gather(
        asked_for(served, SECONDS), mixed_for(served, SECONDS, Random(6))
    )

    theirs = {viewer: own_ids(well, viewer) for viewer in VIEWERS}
    assert all(theirs.values())
    assert not theirs[VIEWERS[0]] & theirs[VIEWERS[1]]
    slowest = max(one.seconds for one in answers)
    note("answers while providers failed in turn", str(len(answers)))
    note("the slowest of them", f"{slowest:.2f} s", f"{REQUEST_SECONDS:g} s")
    for name, more, unit in zip(Held._fields, grown(seen), (1 << 20, 1, 1), strict=True):
        first, last = (getattr(one, name) // unit for one in (seen[0], seen[-1]))
        note(f"{name} held, from {first} to {last}", f"{more / unit:+.0f} in the last third")
    for one in [*well, *answers]:
        assert one.status == 200, one
        assert is_own(one, theirs), one
    assert slowest < REQUEST_SECONDS
    assert is_flat(seen), seen


def test_what_grows_would_be_noticed() -> None:
    flat = [Held(100 << 20, 30, 20)] * 30

    assert is_flat(flat)
    for more in (Held(6 << 20, 0, 0), Held(0, 5, 0), Held(0, 0, 5)):
        rising = [
            Held(*(a + n * b for a, b in zip(one, more, strict=True))) for n, one in enumerate(flat)
        ]
        assert not is_flat(rising)


def test_what_is_anothers_would_be_noticed() -> None:
    theirs = {"anna": frozenset("1"), "bert": frozenset("2")}

    def told(*ids: str, wanted: str = "anna") -> Asked:
        customer = {"creditChanges": {"nodes": [{"id": one} for one in ids]}}
        return asked("anna", wanted, 0, 200, customer)

    assert is_own(told("1"), theirs)
    assert is_own(asked("anna", "bert", 0, 200, None), theirs)
    assert not is_own(told("1", "2"), theirs)
    assert not is_own(told(wanted="bert"), theirs)
