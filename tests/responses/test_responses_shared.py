"""What one process answered another one gives again, until anything of it changes anywhere."""

import json
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from asking_again import (
    CHANGES,
    LONG,
    account_of,
    add_entry,
    ask,
    both,
    data,
    is_hit,
    kept,
    newest,
    settled,
    sharing,
    written,
)
from changing import credentials, delete, link, linked, unlink
from commands import COMMAND
from lists import until
from redis_server import RedisServer, needs_redis, redis_server
from world import VAULT_KEY, World, world

pytestmark = needs_redis
REFRESH = "mutation($id: ID!) { refreshAccount(input: { accountId: $id }) { account { id } } }"
LINKED = """query($r: String!) { customer(reference: $r) { displayName
  accounts { id label } creditChanges(first: 2) { nodes { id amount { amount } }
  sources { state } } } }"""
SEVERAL = """{ a: customer(reference: "C-1001") { accounts { id }
    creditChanges(first: 1) { nodes { id } } }
  b: customer(reference: "C-1002") { displayName accounts { id customer { reference } } } }"""
# So little that nothing is kept in the process, but all in Redis.
ONLY_REDIS = {"CACHE__RESPONSE_MEMORY": "1B"}
WHERE_KEPT = pytest.mark.parametrize("other", [{}, ONLY_REDIS], ids=["everywhere", "in Redis"])


@pytest.fixture
def served(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, more=LONG, entries=20) as one:
        yield one


def within_a_second(holds: Callable[[], object]) -> None:
    """Wait a second, and a few more in which the machine does something else."""
    until(holds, seconds=5)


def documents_read(one: World) -> list[str]:
    """Return how often documents were looked for in Redis and in memory, as it is counted."""
    lines = one.http.get("/metrics").text.splitlines()
    counted = ("memory", "redis")
    return [
        each
        for each in lines
        if any(f'lookups_total{{cache="{where}"' in each for where in counted)
    ]


def accounts(response: httpx.Response) -> list[str]:
    return [each["id"] for each in data(response)["customer"]["accounts"]]


def shows(one: World, amount: str) -> bool:
    return newest(ask(one)) == amount


def has(one: World, count: int) -> bool:
    return len(accounts(ask(one, LINKED))) == count


def is_imported(one: World) -> bool:
    labels = [each["label"] for each in data(ask(one, LINKED))["customer"]["accounts"]]
    return "by import" in labels


@WHERE_KEPT
@pytest.mark.parametrize("query", [CHANGES, LINKED, SEVERAL], ids=["rows", "accounts", "several"])
def test_what_one_answered_the_other_gives_again_and_asks_nobody(
    served: World, query: str, other: dict[str, str]
) -> None:
    with both(served, **other) as (one, two, redis):
        first = ask(one, query, None if "$r" in query else {})
        settled(redis)
        served.sandbox.reset_calls()
        before = documents_read(two)
        answers = [ask(two, query, None if "$r" in query else {}) for _ in range(3)]

        assert not is_hit(first)
        assert all(is_hit(each) and each.content == first.content for each in answers)
        assert served.sandbox.calls() == {}
        assert documents_read(two) == before


@WHERE_KEPT
def test_a_change_by_one_is_heard_by_the_other_within_a_second(
    served: World, other: dict[str, str]
) -> None:
    with both(served, **other) as (one, two, _):
        account = account_of(one, "hosting")
        for amount in ("31.01", "32.02", "33.03"):
            before = newest(kept(two))
            add_entry(one, amount)
            one.data(REFRESH, {"id": account})
            until(partial(shows, two, amount), seconds=1)

            assert before != amount


def test_without_the_cache_the_other_answers_anew(served: World) -> None:
    with both(served, CACHE__RESPONSES="false") as (one, two, redis):
        ask(one)
        settled(redis)
        before = documents_read(two)
        answers = [ask(two) for _ in range(3)]

        assert {is_hit(each) for each in answers} == {False}
        assert documents_read(two) != before


def test_what_is_kept_in_redis_ends_there_when_it_is_not_fresh_any_more(served: World) -> None:
    with both(served, CACHE__FRESH_FOR="3s") as (_, two, redis):
        ask(two)
        (name,) = settled(redis)
        with redis.client() as client:
            left = client.pttl(name)

    assert isinstance(left, int)
    assert 0 < left <= 3000


@WHERE_KEPT
def test_a_refresh_at_one_is_seen_at_the_other(served: World, other: dict[str, str]) -> None:
    with both(served, **other) as (one, two, redis):
        account = account_of(one, "hosting")
        ask(one)
        settled(redis)
        before = [newest(kept(each)) for each in (one, two)]
        add_entry(one, "81.01")
        unseen = [ask(each) for each in (one, two)]
        one.data(REFRESH, {"id": account})
        at_once = newest(ask(one))
        within_a_second(lambda: newest(ask(two)) == "81.01")
        later = [newest(kept(each)) for each in (two, one)]

        assert all(is_hit(each) for each in unseen)
        assert before[0] == before[1] == newest(unseen[0]) == newest(unseen[1]) != "81.01"
        assert at_once == "81.01"
        assert later == ["81.01"] * 2


@WHERE_KEPT
def test_who_wants_it_anew_at_one_has_it_anew_at_the_other(
    served: World, other: dict[str, str]
) -> None:
    with both(served, **other) as (one, two, redis):
        ask(one)
        settled(redis)
        before = [newest(kept(each)) for each in (one, two)]
        add_entry(one, "82.02")
        one.clock.ahead += one.settings.cache.fresh_for / 100
        anew = newest(ask(one, cache_control="no-cache"))
        within_a_second(lambda: newest(ask(two)) == "82.02")

        assert before[0] == before[1] != "82.02"
        assert anew == "82.02"


@WHERE_KEPT
def test_what_is_unlinked_and_linked_at_one_is_so_at_the_other(
    served: World, other: dict[str, str]
) -> None:
    with both(served, **other) as (one, two, redis):
        ask(one, LINKED)
        settled(redis)
        account = account_of(one, "hosting")
        before = [accounts(kept(each, LINKED)) for each in (one, two)]
        unlink(one, account)
        within_a_second(lambda: len(accounts(ask(two, LINKED))) == 2)
        gone = [accounts(kept(each, LINKED)) for each in (two, one)]
        again = linked(link(two, "C-1001", "hosting", credentials(two, "hosting"), "again"))
        within_a_second(lambda: again["id"] in accounts(ask(one, LINKED)))
        after = [accounts(kept(each, LINKED)) for each in (one, two)]

        assert all(account in each for each in before)
        assert all(account not in each and len(each) == 2 for each in gone)
        assert all(again["id"] in each for each in after)


@WHERE_KEPT
def test_a_customer_deleted_at_one_is_gone_at_the_other(
    served: World, other: dict[str, str]
) -> None:
    with both(served, **other) as (one, two, redis):
        ask(one, LINKED)
        settled(redis)
        before = [accounts(kept(each, LINKED)) for each in (one, two)]
        delete(one, "C-1001")
        within_a_second(lambda: data(ask(two, LINKED))["customer"] is None)

        assert all(len(each) == 3 for each in before)
        assert data(ask(one, LINKED))["customer"] is None


@WHERE_KEPT
def test_what_a_command_does_is_seen_by_all_processes(served: World, other: dict[str, str]) -> None:
    with both(served, **other) as (one, two, redis):
        environ = {"GATEWAY_CACHE__URL": redis.url}
        ask(one, LINKED)
        settled(redis)
        account = account_of(one, "hosting")
        before = [accounts(kept(each, LINKED)) for each in (one, two)]
        command(served, environ, "accounts", "unlink", account)
        for each in (one, two):
            within_a_second(partial(has, each, 2))
        gone = [kept(each, LINKED).text for each in (one, two)]
        file = imported(served)
        command(served, environ, "customers", "import", str(file))
        for each in (one, two):
            within_a_second(partial(is_imported, each))

        assert all(account in each for each in before)
        assert all(account not in each for each in gone)


def test_what_a_command_does_that_nobody_hears_of_is_seen_too(served: World) -> None:
    with both(served) as (one, two, redis):
        ask(one, LINKED)
        settled(redis)
        account = account_of(one, "hosting")
        before = [accounts(kept(each, LINKED)) for each in (one, two)]
        command(served, {}, "accounts", "unlink", account)  # it knows nothing of their Redis
        for each in (one, two):
            within_a_second(partial(has, each, 2))

        assert all(account in each for each in before)


def imported(served: World) -> Path:
    given = {"hostup": served.sandbox.issue_credentials("hostup", "C-1001")}
    linked_account = {"provider": "hosting", "label": "by import", "credentials": given}
    file = served.folder / "more.jsonl"
    file.write_text(json.dumps({"reference": "C-1001", "accounts": [linked_account]}))
    return file


def command(served: World, environ: dict[str, str], *arguments: str) -> None:
    said = [str(COMMAND), *arguments, "--config", str(served.folder / "gateway.toml")]
    subprocess.run(said, capture_output=True, env=environ, timeout=60, check=True)


OTHERWISE = {
    "limits": {"LIMITS__PAGE_SIZE": "90"},
    "how long a history is fresh": {"CACHE__FRESH_FOR": "30m"},
    "how long one provider's is": {"PROVIDERS__HOSTING__FRESH_FOR": "30m"},
    "the zone of a provider": {"PROVIDERS__HOSTING__TIME_ZONE": "America/New_York"},
    "the unit of a provider": {"PROVIDERS__CLOUD__POINTS_UNIT": "stars"},
    "the newest vault key": {"VAULT__KEYS": f'["{"QkJC" * 10}QkI=", "{VAULT_KEY}"]'},
    "nothing": {},
}


@pytest.mark.parametrize("what", OTHERWISE)
def test_who_answers_otherwise_gives_nothing_that_this_one_answered(
    served: World, what: str
) -> None:
    with both(served, **OTHERWISE[what]) as (one, two, redis):
        ask(one)
        settled(redis)
        first = ask(two)

        assert is_hit(first) == (what == "nothing")
        assert is_hit(kept(two))
        assert len(written(redis)) == (1 if what == "nothing" else 2)


def test_who_trusts_only_some_documents_gives_no_other_that_another_one_answered(
    served: World,
) -> None:
    file = served.folder / "gateway.toml"
    (served.folder / "trusted.json").write_text(json.dumps({"changes": LINKED}))
    whole = file.read_text()
    with redis_server() as redis, sharing(served, redis) as one:
        file.write_text(f'{whole}\n[graphql]\ntrusted_documents = "trusted.json"\n')
        with sharing(served, redis) as trusting:
            given = ask(one)
            settled(redis)
            refused = ask(trusting)

    assert data(given)["customer"]
    assert refused.json()["errors"][0]["extensions"]["code"] == "DOCUMENT_NOT_TRUSTED"


def test_a_trusted_document_of_another_text_is_not_answered_as_it_was(served: World) -> None:
    file = served.folder / "gateway.toml"
    file.write_text(f'{file.read_text()}\n[graphql]\ntrusted_documents = "trusted.json"\n')
    told = []
    with redis_server() as redis:
        for field in ("reference", "displayName"):
            row = "creditChanges(first: 1) { nodes { id } }"
            document = f'{{ customer(reference: "C-1001") {{ {field} {row} }} }}'
            (served.folder / "trusted.json").write_text(json.dumps({"one": document}))
            with sharing(served, redis) as one:
                answer = one.http.post("/graphql", json={"documentId": "one"})
                told.append(sorted(data(answer)["customer"]))
                settled(redis, len(told))

    assert told == [["creditChanges", "reference"], ["creditChanges", "displayName"]]


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


def test_what_is_kept_outlives_its_process(served: World, redis: RedisServer) -> None:
    with sharing(served, redis) as one:
        first = ask(one)
        settled(redis)
    served.sandbox.reset_calls()
    with sharing(served, redis) as later:
        again = ask(later)

    assert is_hit(again)
    assert again.content == first.content
    assert served.sandbox.calls() == {}
