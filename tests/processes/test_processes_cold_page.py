"""However many processes are asked for a page that none of them knows, a provider is asked once."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from figures import note
from gateways import at_once, gateways
from redis_server import needs_redis, redis_server
from world import configuration, import_customers

from app import settings
from app.sandbox import Sandbox, SandboxServer

PROCESSES = 4
REQUESTS = 200
# A page that the newest one of each provider answers.
QUERY = """{ customer(reference: "C-1001") { creditChanges(first: 10) {
  nodes { id amount { amount } } sources { state } } } }"""
LISTS = (
    "cloudreve /user/creditChanges",
    "hostup /billing/credit-log",
    "carecloud /credit-history",
)


@pytest.fixture
def providers() -> Iterator[SandboxServer]:
    with SandboxServer(Sandbox(entries=120, latency=timedelta(milliseconds=50))) as one:
        yield one


def configured(folder: Path, providers: SandboxServer, cache: str) -> Path:
    """Write a configuration whose customers are there; its histories stay fresh."""
    more = f'[cache]\nurl = "{cache}"\nfresh_for = "1h"\n[limits]\nrate = "1000000/minute"\n'
    file = configuration(folder, providers.url, more)
    customers = providers.sandbox.sample_customers()
    asyncio.run(import_customers(settings.load(file, {}), customers))
    return file


def list_calls(providers: SandboxServer) -> Counter[str]:
    calls = providers.sandbox.calls()
    return Counter({path: calls[path] for path in LISTS})


def assert_whole_and_equal(answers: list[dict[str, object]], count: int) -> None:
    assert len(answers) == count
    assert "errors" not in answers[0], answers[0]
    assert all(answer == answers[0] for answer in answers)


@needs_redis
def test_four_processes_asked_at_once_for_a_cold_page_make_one_call_for_each_list(
    tmp_path: Path, providers: SandboxServer
) -> None:
    # A process that does not hear Redis in time asks for itself.
    with (
        redis_server() as redis,
        gateways(configured(tmp_path, providers, redis.url), PROCESSES) as origins,
    ):
        answers = at_once(origins, QUERY, REQUESTS)

    assert_whole_and_equal(answers, PROCESSES * REQUESTS)
    calls = list_calls(providers)
    asked = f"{PROCESSES} processes x {REQUESTS} requests of a cold page"
    note(f"list calls for an account, {asked}", str(max(calls.values())), "1")
    assert calls == dict.fromkeys(LISTS, 1)


def test_processes_without_a_redis_in_common_make_one_call_each(
    tmp_path: Path, providers: SandboxServer
) -> None:
    with gateways(configured(tmp_path, providers, "embedded://"), 2) as origins:
        answers = at_once(origins, QUERY, 5)

    assert_whole_and_equal(answers, 10)
    assert list_calls(providers) == dict.fromkeys(LISTS, 2)
