"""Nobody is ever given what was made for somebody else, nor what is not theirs any more."""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import product
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from asking_again import CHANGES, account_of, ask, forgetting, is_hit, kept
from commands import Run
from hypothesis import given, settings
from hypothesis import strategies as st
from issuing import ISSUER, bearer, by_library, guarded, key_server, key_set, pem, token, until
from raw import Conversation, post
from world import World, world

from app.model.viewer import Viewer
from app.responses.cache import ResponseCache
from app.server import hits
from app.server.given import Asked

NODES = "creditChanges(first: 3) { nodes { id amount { amount } } sources { state } }"
DOCUMENTS = {
    "own": f"{{ viewer {{ subject scopes customer {{ reference {NODES} }} }} }}",
    "first": f'{{ customer(reference: "C-1001") {{ displayName {NODES} }} }}',
    "second": f'{{ customer(reference: "C-1002") {{ displayName {NODES} }} }}',
    "both": f'{{ a: customer(reference: "C-1001") {{ {NODES} }} '
    f'b: customer(reference: "C-1002") {{ {NODES} }} viewer {{ subject }} }}',
    "account": f'{{ node(id: "ACCOUNT") {{ ... on Account {{ label {NODES} '
    "customer { reference } } } }",
    "balances": '{ customer(reference: "C-1001") { balances { reported { amount } state } } }',
}
SCOPES = ("", "credits:read", "credits:read accounts:write", "credits:read:any")
# Longer than tokens are good for.
LONGER = 'fresh_for = "150m"'
CUSTOMERS = (None, "C-1001", "C-1002")


class Caller(NamedTuple):
    """Who sends this `Authorization`; `name` says who that is to whoever reads of a failure."""

    name: str
    authorization: dict[str, str]


class Step(NamedTuple):
    caller: Caller
    document: str


class Pair(NamedTuple):
    """Two gateways of the same customers: one that gives answers again, and one that does not."""

    one: World
    without: World
    callers: Sequence[Caller]
    account: str

    @property
    def steps(self) -> list[Step]:
        return [Step(*each) for each in product(self.callers, DOCUMENTS)]

    def differing(self, steps: Iterable[Step]) -> list[Step]:
        """Return the steps at which a caller is told something else than without the cache."""
        return [
            step for step in steps if self._told(self.one, step) != self._told(self.without, step)
        ]

    def hits(self, steps: Iterable[Step]) -> int:
        return sum(is_hit(self._response(self.one, step)) for step in steps)

    def _told(self, one: World, step: Step) -> object:
        answer = json.loads(self._response(one, step).content)
        codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
        return answer.get("data"), codes

    def _response(self, one: World, step: Step) -> httpx.Response:
        query = DOCUMENTS[step.document].replace("ACCOUNT", self.account)
        return ask(one, query, {}, **step.caller.authorization)


def callers(*keys: str) -> list[Caller]:
    """Return every caller there may be: two tokens of each viewer, and the API keys."""
    found = []
    for subject, scopes, reference in product(("anna", "bert"), SCOPES, CUSTOMERS):
        claims = {"sub": subject, "scope": scopes, "customer": reference}
        name = f"{subject} {reference} {scopes}"
        found += [Caller(name, bearer(token(claims))) for _ in range(2)]
    return found + [Caller("an API key", bearer(key)) for key in keys]


@contextmanager
def pair(served: World, keys: Sequence[str] = ()) -> Iterator[Pair]:
    with ExitStack() as stack:
        one = stack.enter_context(guarded(served, public_key=pem("rsa")))
        without = stack.enter_context(guarded_with(served, "responses = false"))
        yield Pair(one, without, callers(*keys), account_of(served, "hosting"))


@contextmanager
def guarded_with(served: World, cache: str, **auth: str) -> Iterator[World]:
    """Serve a gateway that asks who is calling, with such a line about its cache."""
    file = served.folder / "gateway.toml"
    text = file.read_text()
    file.write_text(f"{text}\n[cache]\n{cache}\n")
    try:
        with guarded(served, **(auth or {"public_key": pem("rsa")})) as one:
            yield one
    finally:
        file.write_text(text)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("viewers"), entries=20) as one:
        yield one


def created(run: Run, one: World, *arguments: str) -> str:
    file = one.folder / "gateway.toml"
    ended = run("keys", "create", "--name", "n", *arguments, "--config", file)
    assert ended.status == 0, ended.err
    return ended.out.strip()


def test_nobody_is_told_what_another_viewer_is(served: World, run: Run) -> None:
    keys = [
        created(run, served, "--scope", "credits:read", "--customer", "C-1001"),
        created(run, served, "--scope", "credits:read", "--customer", "C-1002"),
        created(run, served, "--scope", "credits:read:any"),
    ]
    with pair(served, keys) as two:
        each = two.differing(two.steps)
        each += two.differing(reversed(two.steps))

        @settings(max_examples=30)
        @given(st.lists(st.sampled_from(two.steps), min_size=1, max_size=12))
        def whoever_asks_whatever(steps: list[Step]) -> None:
            assert two.differing(steps) == []

        whoever_asks_whatever()
        again = two.hits(two.steps)

    assert each == []
    assert again > len(two.steps) / 3


SEEN_AS = {
    "anybody": lambda _: Viewer("anybody", frozenset()),
    "of no customer": lambda viewer: Viewer(viewer.subject, viewer.scopes),
    "of no scopes": lambda viewer: Viewer(viewer.subject, frozenset(), viewer.reference),
    "of no name": lambda viewer: Viewer("anybody", viewer.scopes, viewer.reference),
}


@pytest.mark.parametrize("seen_as", SEEN_AS)
def test_a_cache_that_forgets_who_asks_would_be_noticed(
    served: World, monkeypatch: pytest.MonkeyPatch, seen_as: str
) -> None:
    monkeypatch.setattr(ResponseCache, "key", forgetting(SEEN_AS[seen_as]))
    with pair(served) as two:
        differing = two.differing(two.steps)

    assert differing


def test_a_ring_in_front_that_forgets_who_asks_would_be_noticed(
    served: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = Viewer("anybody", frozenset())
    monkeypatch.setattr(hits, "Asked", lambda _, *others: Asked(nobody, *others))
    with pair(served) as two:
        own = [step for step in two.steps if step.document == "own"]
        differing = two.differing([*own, *own, *own])

    assert differing


def test_an_expired_token_is_refused_what_it_was_given_a_moment_ago(served: World) -> None:
    now = int(time.time())
    claims = {"scope": "credits:read:any", "exp": now + 3600}
    short, long = bearer(token(claims)), bearer(token({**claims, "exp": now + 7200}))
    with guarded_with(served, LONGER) as one:
        before = [kept(one, **short), kept(one, **long)]
        one.clock.ahead += one.settings.cache.fresh_for / 2
        after = [ask(one, **short), ask(one, **long)]

    assert before[0].content == before[1].content
    assert [each.status_code for each in after] == [401, 200]
    assert is_hit(after[1])
    assert "x-cache" not in after[0].headers


def test_a_request_repeated_to_the_byte_is_refused_once_its_token_expired(served: World) -> None:
    expires = int(time.time()) + 3600
    authorization = bearer(token({"scope": "credits:read:any", "exp": expires}))["Authorization"]
    body = json.dumps({"query": DOCUMENTS["first"]}).encode()
    request = post(body, b"Authorization: " + authorization.encode())
    with guarded_with(served, LONGER) as one, Conversation(one.url) as conversation:
        until(lambda: conversation.asked(request).headers["x-cache"] == "HIT")
        before = [conversation.asked(request) for _ in range(3)]
        one.clock.ahead += one.settings.cache.fresh_for / 2
        after = conversation.asked(request)

    assert [each.headers["x-cache"] for each in before] == ["HIT"] * 3
    assert after.status == 401
    assert "x-cache" not in after.headers


def test_a_token_of_a_withdrawn_key_is_refused_what_it_was_given_a_moment_ago(
    served: World,
) -> None:
    with key_server() as keys, guarded_with(served, LONGER, jwks_url=keys.url) as one:
        mine = bearer(token({"scope": "credits:read:any"}))
        before = kept(one, **mine)
        keys.body = key_set("other-rsa")
        one.clock.ahead += one.settings.cache.fresh_for / 4
        until(lambda: ask(one, **mine).status_code == 401)

    assert is_hit(before)


def test_a_revoked_api_key_is_refused_what_it_was_given_a_moment_ago(
    served: World, run: Run
) -> None:
    file = served.folder / "gateway.toml"
    key, other = (created(run, served, "--scope", "credits:read:any") for _ in range(2))
    with guarded(served, public_key=pem("rsa")) as one:
        before = [kept(one, **bearer(each)) for each in (key, other)]
        listed = run("keys", "list", "--config", file).out
        subject = ask(one, "{ viewer { subject } }", {}, **bearer(key)).json()
        key_id = subject["data"]["viewer"]["subject"].removeprefix("key:")
        revoked = run("keys", "revoke", key_id, "--config", file)
        after = [ask(one, **bearer(each)) for each in (key, other)]

    assert key_id in listed
    assert revoked.status == 0
    assert all(is_hit(each) for each in before)
    assert [each.status_code for each in after] == [401, 200]
    assert is_hit(after[1])


def test_what_is_given_again_counts_and_is_refused_beyond_the_rate(tmp_path: Path) -> None:
    with world(tmp_path, more='[limits]\nrate = "20/minute"', entries=10) as one:
        ends = time.monotonic() + 20
        answers = [ask(one)]
        while answers[-1].status_code == 200 and time.monotonic() < ends:
            answers.append(ask(one))
        told = [answer.headers["ratelimit"] for answer in answers[:-1]]
        left = [int(each.partition("r=")[2].partition(";")[0]) for each in told]

    hit = [is_hit(answer) for answer in answers[1:-1]]
    assert len(hit) - sum(hit) <= 1
    assert answers[-1].status_code == 429
    assert "x-cache" not in answers[-1].headers
    assert 20 <= len(answers) - 1 <= 27
    assert left == sorted(left, reverse=True)


def test_other_callers_are_refused_while_one_is_given_answers(served: World) -> None:
    others = [
        {},
        bearer("nonsense"),
        {"Authorization": "Basic YTpi"},
        bearer(token({"scope": "credits:read:any"}, key="other-rsa")),
        bearer(by_library("x" * 32, scope="credits:read:any", iss=ISSUER)),
    ]
    with guarded(served, public_key=pem("rsa")) as one:
        mine = kept(one, CHANGES, None, **bearer(token({"scope": "credits:read:any"})))
        refused = [ask(one, **each).status_code for each in others]

    assert is_hit(mine)
    assert refused == [401] * len(others)
