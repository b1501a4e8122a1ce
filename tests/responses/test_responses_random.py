"""
Whatever happens in whatever order, two gateways with kept answers say what one without them says.

After each thing that happens they may take a second for it; never do they say anything of a
customer whom the caller may not read.
"""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from itertools import count
from typing import Any, NamedTuple

import httpx
import pytest
from asking_again import ask, forgetting, is_hit
from changing import LINK, UNLINK
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from issuing import ISSUER, bearer, pem, token
from redis_server import RedisServer, needs_redis, redis_server
from world import World, gateway, world

from app import settings as configuration
from app.model.viewer import Viewer
from app.responses.cache import ResponseCache
from app.responses.memory import Memory
from app.responses.versions import Versions

REFERENCES = ("C-1001", "C-1002", "C-1003")
ROWS = "creditChanges(first: 3) { nodes { id amount { amount } } sources { state } }"
DOCUMENTS = (
    f"{{ viewer {{ customer {{ reference {ROWS} }} }} }}",
    f'{{ customer(reference: "C-1001") {{ reference accounts {{ id label }} {ROWS} }} }}',
    f'{{ customer(reference: "C-1002") {{ reference {ROWS} }} }}',
    f"""{{ a: customer(reference: "C-1001") {{ reference {ROWS} }}
      b: customer(reference: "C-1003") {{ reference {ROWS} accounts {{ id }} }} }}""",
    '{ customer(reference: "C-1001") { reference balances { reported { amount } state } } }',
)
REFRESH = "mutation($id: ID!) { refreshAccount(input: { accountId: $id }) { account { id } } }"
ALL = "credits:read:any accounts:write:any"
VIEWERS = ((None, ALL), *((reference, "credits:read") for reference in REFERENCES), (None, ""))
gateways_of = st.integers(0, 1)
customers = st.sampled_from(REFERENCES)


class Caller(NamedTuple):
    """A caller, and of which customers it may be told; None is all."""

    authorization: dict[str, str]
    reads: set[str]


CALLERS = [
    Caller(
        bearer(token({"sub": f"{reference}", "scope": scope, "customer": reference})),
        set(REFERENCES) if scope == ALL else {reference or ""} if scope else set(),
    )
    for reference, scope in VIEWERS
]
WRITER = CALLERS[0].authorization


class Served(NamedTuple):
    """Two gateways with kept answers and one without, of one Redis and one directory."""

    gateways: tuple[World, World]
    without: World
    redis: RedisServer
    amounts: "count[int]"


def started(stack: ExitStack, base: World, redis: RedisServer) -> Served:
    environ = {
        "GATEWAY_CACHE__URL": redis.url,
        "GATEWAY_AUTH__MODE": "jwt",
        "GATEWAY_AUTH__ISSUER": ISSUER,
        "GATEWAY_AUTH__PUBLIC_KEY": pem("rsa"),
    }

    def serve(**more: str) -> World:
        file = base.folder / "gateway.toml"
        configured = configuration.load(file, {**environ, **more})
        return stack.enter_context(gateway(configured, base.sandbox, base.folder))

    without = serve(GATEWAY_CACHE__RESPONSES="false")
    return Served((serve(), serve()), without, redis, count(1000))


class Machine(RuleBasedStateMachine):
    """Asks, and changes what is asked for."""

    served: Served
    hits = 0
    differences: list[object]

    @initialize()
    def begin(self) -> None:
        self.changed_at = time.monotonic()

    @rule(where=gateways_of, document=st.integers(0, 4), caller=st.integers(0, len(CALLERS) - 1))
    def ask(self, where: int, document: int, caller: int) -> None:
        self._same(self.served.gateways[where], DOCUMENTS[document], CALLERS[caller])

    @rule(where=gateways_of, reference=customers)
    def refresh(self, where: int, reference: str) -> None:
        one = self.served.gateways[where]
        accounts = self._accounts(reference)
        if "hosting" in accounts:
            self._change(one, REFRESH, {"id": accounts["hosting"]})

    @rule(reference=customers)
    def add(self, reference: str) -> None:
        entry = {"in": f"{next(self.served.amounts)}.00", "out": "0.00"}
        sandbox = self.served.without.sandbox
        sandbox.add_entry("hostup", "credit_changes", reference, entry=entry)

    @rule(where=gateways_of, reference=customers)
    def unlink(self, where: int, reference: str) -> None:
        accounts = self._accounts(reference)
        if "hosting" in accounts:
            variables = {"input": {"accountId": accounts["hosting"]}}
            self._change(self.served.gateways[where], UNLINK, variables)

    @rule(where=gateways_of, reference=customers, whose=customers)
    def link(self, where: int, reference: str, whose: str) -> None:
        given = self.served.without.sandbox.issue_credentials("hostup", whose)
        told = {"customerReference": reference, "provider": "hosting", "label": "linked"}
        variables = {"input": {**told, "credentials": {"hostup": given}}}
        self._change(self.served.gateways[where], LINK, variables)

    @rule(seconds=st.sampled_from((1, 30, 61)))
    def wait(self, seconds: int) -> None:
        """Move all clocks on; what has grown old since is read anew for everybody."""
        for one in (*self.served.gateways, self.served.without):
            one.clock.ahead += timedelta(seconds=seconds)
        self.changed_at = time.monotonic()

    @invariant()
    def nobody_is_told_of_others(self) -> None:
        for one in self.served.gateways:
            for caller in CALLERS[1:]:
                self._told(one, DOCUMENTS[3], caller)

    def _same(self, one: World, document: str, caller: Caller) -> None:
        """Ask until the answers are the same, for a second after the last change."""
        while True:
            began = time.monotonic()
            said = self._told(one, document, caller)
            if said == self._told(self.served.without, document, caller):
                return
            self._check(began < self.changed_at + self.patience, (document, said))
            time.sleep(0.05)

    # A second, and as much as a background refresh takes on a busy machine.
    patience = 6.0

    def _told(self, one: World, document: str, caller: Caller) -> object:
        response = ask(one, document, {}, **caller.authorization)
        type(self).hits += is_hit(response)
        answer = response.json()
        told = set(_references(answer.get("data")))
        self._check(told <= caller.reads, (told, caller.reads))
        return answer.get("data"), [each["message"] for each in answer.get("errors", ())]

    def _check(self, is_right: bool, what: object) -> None:  # noqa: FBT001 - as an assertion
        if not is_right:
            self.differences.append(what)
        assert is_right, what

    def _accounts(self, reference: str) -> dict[str, str]:
        query = "query($r: String!) { customer(reference: $r) { accounts { id provider { name }}}}"
        answer = self._data(ask(self.served.without, query, {"r": reference}, **WRITER))
        return {each["provider"]["name"]: each["id"] for each in answer["customer"]["accounts"]}

    def _change(self, one: World, mutation: str, variables: dict[str, Any]) -> None:
        self._data(ask(one, mutation, variables, **WRITER))
        self.changed_at = time.monotonic()

    def _data(self, response: httpx.Response) -> Any:  # noqa: ANN401 - whatever was asked for
        answer = json.loads(response.content)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]


def _references(found: Any) -> Iterator[str]:  # noqa: ANN401 - whatever was answered
    if isinstance(found, dict):
        if "reference" in found:
            yield found["reference"]
        for each in found.values():
            yield from _references(each)
    elif isinstance(found, list):
        for each in found:
            yield from _references(each)


@contextmanager
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[type[Machine]]:
    """Give a machine with gateways of its own."""
    with ExitStack() as stack:
        base = stack.enter_context(world(tmp_path_factory.mktemp("random"), entries=10))
        redis = stack.enter_context(redis_server())
        of_its_own = {"served": started(stack, base, redis), "differences": []}
        yield type("OneMachine", (Machine,), of_its_own)


def run(one: type[Machine], examples: int) -> None:
    """Let it run; what differs is not looked at again, as it may not differ the next time."""
    limits = settings(
        max_examples=examples,
        stateful_step_count=20,
        deadline=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize=True,
    )
    run_state_machine_as_test(one, settings=limits)


@needs_redis
@pytest.mark.timeout(300)
def test_two_gateways_say_what_one_without_kept_answers_says(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with machine(tmp_path_factory) as one:
        run(one, 15)

    assert one.differences == []
    assert one.hits > 100


def _forgotten(*_: object) -> None:
    """Do nothing of what was to be done."""


@needs_redis
@pytest.mark.timeout(300)
@pytest.mark.parametrize("fault", ["who asks", "what changed"])
def test_a_cache_that_forgets_would_be_noticed(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    if fault == "who asks":
        monkeypatch.setattr(ResponseCache, "key", forgetting(lambda _: Viewer("any", frozenset())))
    else:
        monkeypatch.setattr(Memory, "changed", _forgotten)
        monkeypatch.setattr(Versions, "_heard", _forgotten)
    with machine(tmp_path_factory) as one, suppress(Exception):
        one.patience = 2.0
        run(one, 8)

    assert one.differences
