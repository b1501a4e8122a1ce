"""`sync` fills a real Redis out of providers over HTTP, so that a gateway need not ask them."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import Run, assert_one_line, on_a_terminal
from redis_server import RedisServer, needs_redis, redis_server
from world import VAULT_KEY, configuration, gateway

from app import sandbox, settings
from app.sandbox import Sandbox, SandboxServer

ENTRIES = 230
LISTS = {
    "cloudreve /user/creditChanges",
    "cloudreve /user/payments",
    "hostup /billing/credit-log",
    "hostup /billing/transactions",
    "carecloud /credit-history",
}
# The oldest entries: nothing of it can be answered before everything has been read.
WHOLE = """{ customer(reference: "C-1002") {
  creditChanges(last: 100) { totalCount nodes { id } sources { state } }
  payments(last: 100) { totalCount nodes { id } sources { state } }
} }"""


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


@pytest.fixture(scope="module")
def providers() -> Iterator[SandboxServer]:
    with SandboxServer(Sandbox(entries=ENTRIES)) as served:
        yield served


@pytest.fixture
def config(tmp_path: Path, providers: SandboxServer, server: RedisServer, run: Run) -> Path:
    """Configure a Redis with nothing in it, and customers whose histories nobody has read."""
    with server.client() as client:
        client.flushall()
    more = f'[cache]\nurl = "{server.url}"\nfresh_for = "10m"'
    file = configuration(tmp_path, providers.url, more)
    import_samples(run, file, providers.sandbox)
    return file


def import_samples(run: Run, config: Path, source: Sandbox) -> None:
    lines = config.with_name("customers.jsonl")
    lines.write_text("\n".join(json.dumps(line) for line in source.sample_customers()))
    assert run("customers", "import", lines, "--config", config, "--no-verify").status == 0
    source.reset_calls()


def pages_read(source: Sandbox) -> int:
    return sum(count for path, count in source.calls().items() if path in LISTS)


def rows(out: str) -> list[tuple[str, ...]]:
    return sorted(tuple(line.split("\t")) for line in out.splitlines() if "\t" in line)


BOTH = f"{ENTRIES} credit changes, {ENTRIES} payments"
OF_C_1002 = [
    ("C-1002", "cloud", BOTH, "Cloud drive"),
    ("C-1002", "hosting", BOTH, "Hosting"),
    ("C-1002", "hosting", BOTH, "Hosting of the association"),
    ("C-1002", "loyalty", f"{ENTRIES} credit changes", "Loyalty card"),
]


@needs_redis
def test_a_gateway_on_the_same_redis_then_asks_no_provider(
    run: Run, config: Path, providers: SandboxServer
) -> None:
    ended = run("sync", "--config", config)

    assert (ended.status, ended.err) == (0, "")
    assert len(rows(ended.out)) == 10
    assert [row for row in rows(ended.out) if row[0] == "C-1002"] == OF_C_1002
    assert ended.out.splitlines()[-1] == (
        f"Accounts: 10 complete, 0 failed; {10 * ENTRIES} credit changes, {7 * ENTRIES} payments."
    )
    with gateway(settings.load(config, {}), providers.sandbox, config.parent) as world:
        # In its first moments a busy process may take itself for one without a Redis, for 0.5 s.
        world.data(WHOLE.replace("C-1002", "C-1001"))
        time.sleep(1)
        providers.sandbox.reset_calls()
        customer = world.data(WHOLE)["customer"]
    for field, accounts in (("creditChanges", 4), ("payments", 3)):
        assert customer[field]["totalCount"] == accounts * ENTRIES
        assert len(customer[field]["nodes"]) == 100
        assert {one["state"] for one in customer[field]["sources"]} <= {"FRESH", "UNSUPPORTED"}
    assert providers.sandbox.calls() == {}


@needs_redis
def test_what_is_there_and_fresh_is_not_read_again(
    run: Run, config: Path, providers: SandboxServer
) -> None:
    first = run("sync", "C-1002", "--config", config)
    calls = pages_read(providers.sandbox)
    again = run("sync", "C-1002", "C-1002", "--config", config)

    assert calls > len(LISTS)
    assert pages_read(providers.sandbox) == calls
    assert (again.status, rows(again.out)) == (0, rows(first.out))
    assert rows(again.out) == OF_C_1002


@needs_redis
def test_what_is_stale_is_refreshed_and_not_read_anew(
    run: Run, config: Path, providers: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run("sync", "C-1003", "--config", config)
    before = pages_read(providers.sandbox)
    monkeypatch.setenv("GATEWAY_PROVIDERS__CLOUD__FRESH_FOR", "0s")

    again = run("sync", "C-1003", "--config", config)

    assert before > 2
    assert pages_read(providers.sandbox) - before in range(2, 12)
    assert (again.status, rows(again.out)) == (0, rows(first.out))


@needs_redis
def test_a_dead_provider_is_named_and_the_others_are_read(
    run: Run, config: Path, providers: SandboxServer
) -> None:
    providers.sandbox.set_fault("hostup", {"kind": "status", "headers": {"Retry-After": "90"}})
    try:
        ended = run("sync", "C-1002", "--config", config)
    finally:
        providers.sandbox.clear_fault("hostup")

    assert ended.status == 1
    assert rows(ended.out) == [row for row in OF_C_1002 if row[1] != "hosting"]
    assert "2 complete, 2 failed" in ended.out
    told = sorted(ended.err.splitlines())
    assert len(told) == 4
    assert told[0].startswith("credit-gateway: C-1002 hosting (Hosting of the association), ")
    assert told[2].startswith("credit-gateway: C-1002 hosting (Hosting), credit changes: ")
    for line in told:
        assert "UPSTREAM_UNAVAILABLE: hosting " in line
        assert "Sync again after 20" in line
    # Those that come later are told that it failed too often.
    assert any("hosting is not available (HTTP 503)." in line for line in told)


@needs_redis
def test_what_was_read_before_a_provider_died_is_not_read_again(
    run: Run, config: Path, providers: SandboxServer
) -> None:
    path = "carecloud /credit-history"
    fault = {"kind": "html", "path": "/credit-history", "after": 2}
    providers.sandbox.set_fault("carecloud", fault)
    try:
        cut = run("sync", "C-1001", "--config", config)
    finally:
        providers.sandbox.clear_fault("carecloud")
    read = providers.sandbox.calls()[path]
    time.sleep(1.1)  # no process asks for the history again before that
    ended = run("sync", "C-1001", "--config", config)

    assert (cut.status, cut.err.count("\n"), read) == (1, 1, 3)
    assert "loyalty (Loyalty card), credit changes: UPSTREAM_INVALID_RESPONSE: " in cut.err
    assert "base_url" in cut.err
    assert (ended.status, len(rows(ended.out))) == (0, 3)
    assert providers.sandbox.calls()[path] == read + 1


@needs_redis
def test_an_account_whose_credentials_are_refused_says_what_to_do_and_no_secret(
    run: Run, config: Path
) -> None:
    refused = {"provider": "hosting", "credentials": {"hostup": {"apiKey": "not-this"}}}
    line = config.with_name("one.jsonl")
    line.write_text(json.dumps({"reference": "C-5", "accounts": [refused]}))
    run("customers", "import", line, "--config", config, "--no-verify")

    ended = run("sync", "C-5", "--config", config)

    assert ended.status == 1
    assert all(
        "UPSTREAM_UNAUTHORIZED" in told and "new credentials" in told
        for told in ended.err.splitlines()
    )
    for secret in ("not-this", VAULT_KEY, sandbox.CARECLOUD_PASSWORD):
        assert secret not in ended.out + ended.err


@needs_redis
def test_an_unknown_reference_is_told_and_the_others_are_read(run: Run, config: Path) -> None:
    ended = run("sync", "C-9", "C-1002", "--config", config)

    assert ended.status == 1
    assert_one_line(ended.err, "C-9", "customers list")
    assert rows(ended.out) == OF_C_1002


def test_a_cache_that_ends_with_the_command_is_refused_before_anybody_is_asked(
    run: Run, tmp_path: Path, providers: SandboxServer
) -> None:
    config = configuration(tmp_path, providers.url)
    import_samples(run, config, providers.sandbox)

    ended = run("sync", "--config", config)

    assert (ended.status, ended.out) == (1, "")
    assert_one_line(ended.err, "cache.url", "redis://")
    assert providers.sandbox.calls() == {}


def test_a_redis_that_does_not_answer_is_told_before_anybody_is_asked(
    run: Run, tmp_path: Path, providers: SandboxServer
) -> None:
    more = '[cache]\nurl = "redis://user:secret-word@127.0.0.1:9/0"'
    config = configuration(tmp_path, providers.url, more)
    import_samples(run, config, providers.sandbox)

    ended = run("sync", "--config", config)

    assert (ended.status, ended.out) == (1, "")
    assert_one_line(ended.err, "cache.url", "127.0.0.1:9")
    assert "secret-word" not in ended.err
    assert providers.sandbox.calls() == {}


@needs_redis
def test_a_terminal_shows_a_bar_for_each_account_and_few_that_are_done(config: Path) -> None:
    status, shown = on_a_terminal("sync", "C-9", "--config", config)
    status_of_all, all_shown = on_a_terminal("sync", "--config", config)

    assert (status, status_of_all) == (1, 0)
    assert "no customer has the reference C-9" in shown
    for reference, provider, told, label in OF_C_1002:
        assert f"{reference} {provider} ({label})" in all_shown
        assert told in all_shown
    last_frame = all_shown.split("\x1b[2K")[-1].splitlines()
    assert sum("━" in line for line in last_frame) == 8
    assert "Accounts: 10 complete" in last_frame[-1]
    assert "\t" not in all_shown
