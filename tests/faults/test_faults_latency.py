"""While one provider is in a fault, who asks for nothing of it is hardly answered later."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from itertools import cycle
from statistics import median
from threading import Event
from typing import NamedTuple

import pytest
from fault_world import PROVIDER_SECONDS, PROVIDERS, QUERY, REQUEST_SECONDS, Faulty, faulty
from figures import note
from wire_faults import CASES, bomb

pytestmark = pytest.mark.alone

FAULTS = ("hang", "drip_body", "reset", "503", "garbage", "gzip_bomb", "huge")
BROKEN, *OTHERS = PROVIDERS
WHOLE, APART = "C-1001", "C-1002"
MOST = 1.2
# Both are of a machine that does little else.
TRIES = 4
ROUNDS = 4
# A fault's round has the time in which its first calls end, and that in which it is left alone.
WELL_SECONDS, BROKEN_SECONDS = 0.5, 1.0
# As often somebody asks the provider that is broken, whatever became of those before.
ASKED_EVERY_SECONDS = 0.1
# A circuit is not open for longer.
PAUSE_SECONDS = 40
# As many as that each may be asked for again, five seconds later, when it is its turn.
CUSTOMERS = [f"C-{number}" for number in range(1003, 1053)]
FRESH_DAYS = 50
UNREAD = ("C-1053", "C-1054")
ACCOUNTS = """query($reference: String!) { customer(reference: $reference) {
  accounts { id provider { name } } } }"""
REFRESH = """mutation($id: ID!) { refreshAccount(input: {accountId: $id}) {
  sources { state error { code } } } }"""


class Times(NamedTuple):
    """Seconds of questions: about who has no account there, of others' parts, and asked anew."""

    apart: list[float]
    part: list[float]
    anew: list[float]


class Ratios(NamedTuple):
    """How many times as long a median took as without the fault."""

    apart: float
    part: float
    anew: float

    @property
    def are_little(self) -> bool:
        return max(self) <= MOST


class World(NamedTuple):
    """A gateway, and the ids of accounts at a provider that works."""

    gateway: Faulty
    accounts: list[str]

    def refresh(self, account: str) -> float:
        """Have a provider asked now; return the seconds it took."""
        began = self.gateway.own_seconds()
        asked = {"query": REFRESH, "variables": {"id": account}}
        answer = self.gateway.http.post("/graphql", json=asked)
        assert answer.status_code == 200
        return self.gateway.own_seconds() - began

    def ask_broken(self, reference: str) -> None:
        """Ask for what is known of the provider, and while it is broken for what it knows now."""
        variables = {"reference": reference, "providers": [BROKEN]}
        answer = self.gateway.http.post(
            "/graphql",
            json={"query": QUERY, "variables": variables},
            headers={"Cache-Control": "no-cache"} if self.gateway.wire.is_faulty(BROKEN) else {},
        )
        assert answer.status_code == 200


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    bomb()
    folder = tmp_path_factory.mktemp("latency")
    # An answer that is given again would show nothing of what goes on behind it.
    anew = {"GATEWAY_CACHE__FRESH_FOR": f"{FRESH_DAYS}d", "GATEWAY_CACHE__RESPONSES": "false"}
    count = len(CUSTOMERS) + 4
    with faulty(folder, customers=count, environment=anew, unlinked={APART: BROKEN}) as one:
        accounts = []
        for reference in (WHOLE, APART, *CUSTOMERS):
            one.ask(reference)
            asked = {"query": ACCOUNTS, "variables": {"reference": reference}}
            found = one.http.post("/graphql", json=asked).json()["data"]["customer"]["accounts"]
            accounts += [a["id"] for a in found if a["provider"]["name"] == OTHERS[0]]
        yield World(one, accounts)


@contextmanager
def asked_elsewhere(served: World) -> Iterator[None]:
    """Have customers' accounts at the broken provider asked for, in turn and at a steady pace."""
    over, asked = Event(), []

    def ask() -> None:
        for reference in cycle(CUSTOMERS):
            if over.wait(ASKED_EVERY_SECONDS):
                break
            asked.append(pool.submit(served.ask_broken, reference))

    with ThreadPoolExecutor() as pool:
        asking = pool.submit(ask)
        try:
            yield
        finally:
            over.set()
    for one in (asking, *asked):
        one.result()


def asked_for(served: World, seconds: float, into: Times) -> None:
    accounts = cycle(served.accounts)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(3):
            for reference, kept in ((APART, into.apart), (WHOLE, into.part)):
                told = served.gateway.ask(reference, *OTHERS)
                assert told.states == dict.fromkeys(OTHERS, "FRESH")
                kept.append(told.seconds)
        into.anew.append(served.refresh(next(accounts)))


def ratios_by(fault: Callable[[], AbstractContextManager[None]], served: World) -> Ratios:
    """Measure by turns with a fault and without."""
    well, broken = Times([], [], []), Times([], [], [])
    with asked_elsewhere(served):
        for _ in range(ROUNDS):
            served.gateway.move(PAUSE_SECONDS)
            asked_for(served, WELL_SECONDS / 5, Times([], [], []))
            asked_for(served, WELL_SECONDS, well)
            with fault():
                asked_for(served, BROKEN_SECONDS, broken)
    return Ratios(*(median(b) / median(w) for b, w in zip(broken, well, strict=True)))


@pytest.mark.parametrize("name", FAULTS)
def test_who_asks_for_nothing_of_a_broken_provider_is_answered_as_soon_as_else(
    served: World, name: str
) -> None:
    wire = served.gateway.wire

    @contextmanager
    def fault() -> Iterator[None]:
        wire.set_fault(BROKEN, CASES[name].fault)
        yield
        wire.clear()

    tries: list[Ratios] = []
    while not tries or (not tries[-1].are_little and len(tries) < TRIES):
        tries.append(ratios_by(fault, served))

    shown = ", ".join(f"{ratio:.2f}" for ratio in tries[-1])
    note(f"others' latency while one: {name}", f"{shown} times", f"{MOST} times")
    assert tries[-1].are_little, tries


def test_another_provider_that_is_slower_would_be_noticed(served: World) -> None:
    @contextmanager
    def fault() -> Iterator[None]:
        served.gateway.sandbox.set_fault("hostup", {"kind": "latency", "ms": 50})
        yield
        served.gateway.sandbox.clear_fault("hostup")

    assert ratios_by(fault, served).anew > MOST


def test_a_gateway_that_stands_still_now_and_then_would_be_noticed(served: World) -> None:
    @contextmanager
    def fault() -> Iterator[None]:
        over = Event()

        def stop() -> None:
            while not over.wait(0.005):
                os.kill(served.gateway.pid, signal.SIGSTOP)
                time.sleep(0.02)
                os.kill(served.gateway.pid, signal.SIGCONT)

        with ThreadPoolExecutor() as pool:
            pool.submit(stop)
            yield
            over.set()

    ratios = ratios_by(fault, served)

    assert min(ratios.apart, ratios.part) > MOST


def test_a_page_of_all_does_not_wait_for_a_provider_that_hangs(served: World) -> None:
    gateway = served.gateway
    gateway.move(PAUSE_SECONDS)
    gateway.recovered(UNREAD[0])  # so that the one that hangs is asked
    gateway.wire.set_fault(BROKEN, CASES["hang"].fault)
    gateway.move(timedelta(days=FRESH_DAYS).total_seconds())

    known = [gateway.ask(WHOLE) for _ in range(30)]
    unread = gateway.ask(UNREAD[1])
    gateway.wire.clear()

    note("a known page of all, one hangs", f"{max(one.seconds for one in known):.3f} s")
    note("an unread page of all, one hangs", f"{unread.seconds:.3f} s")
    assert {one.states[BROKEN] for one in known} == {"STALE"}
    # Until it is left alone, five would wait for it; the machine may keep one or two waiting.
    assert sorted(one.seconds for one in known)[-3] < PROVIDER_SECONDS / 2
    assert unread.states == dict.fromkeys(PROVIDERS, "FRESH") | {BROKEN: "UNAVAILABLE"}
    assert PROVIDER_SECONDS / 2 < unread.seconds < REQUEST_SECONDS
