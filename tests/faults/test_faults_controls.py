"""Every fault hits who does not guard against it, and every check of answers can fail."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import naive_client
import pytest
from bearing_faults import MOST_BYTES
from fault_world import PROVIDERS, Faulty, Told, faulty
from judging_answers import assert_named, assert_stale
from wire import Wire
from wire_faults import CASES, bomb

from app.sandbox import Sandbox, SandboxServer

SECONDS = 1.0
# Shorter than that, and longer than the pauses of what drips.
SILENCE = 0.5
SWELLING = ("gzip_bomb", "huge", "endless_chunks")
OUTCOMES: Mapping[str, str] = {
    **dict.fromkeys(("hang", "drip_head", "drip_body", "early_hints"), "waits"),
    **dict.fromkeys(("reset", "reset_within", "half", "garbage", "header_flood"), "breaks"),
    **dict.fromkeys(("html", "html_as_json", "bad_utf8", "nested"), "cannot read it"),
    **dict.fromkeys((name for name in CASES if name.startswith("429")), "429"),
    **dict.fromkeys((name for name in CASES if name.startswith("503")), "503"),
    "redirect": "302",
    "redirect_abroad": "307",
}


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    bomb()
    with (
        SandboxServer(Sandbox(entries=1, customers=1)) as server,
        Wire(server.url, PROVIDERS) as one,
    ):
        yield one


def asked(wire: Wire) -> str:
    return f"{wire.url('hosting')}/hostup/api/"


def test_every_fault_has_its_control() -> None:
    assert OUTCOMES.keys() | set(SWELLING) == CASES.keys()


@pytest.mark.parametrize("fault", OUTCOMES)
async def test_a_fault_hits_a_client_that_does_not_guard_against_it(wire: Wire, fault: str) -> None:
    silence = None if fault == "hang" else SILENCE
    well = await naive_client.meet(asked(wire), SECONDS)
    wire.set_fault("hosting", CASES[fault].fault)

    outcome = await naive_client.meet(asked(wire), SECONDS, silence=silence)
    wire.clear()

    assert well == "404"  # the sandbox itself, which has nothing there
    assert outcome == OUTCOMES[fault]


async def test_a_client_that_follows_redirects_is_led_astray(wire: Wire) -> None:
    wire.set_fault("hosting", CASES["redirect"].fault)
    before = wire.astray

    await naive_client.meet(asked(wire), SECONDS, follow=True)
    wire.clear()

    assert wire.astray == before + 1


@pytest.mark.parametrize("fault", SWELLING)
def test_a_client_without_caps_takes_more_memory_than_a_gateway_may(wire: Wire, fault: str) -> None:
    wire.set_fault("hosting", CASES[fault].fault)
    command = [sys.executable, str(Path(naive_client.__file__)), asked(wire), "2"]

    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")
    wire.clear()

    assert int(told[-2]) > MOST_BYTES


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Faulty, Told]]:
    with faulty(tmp_path_factory.mktemp("controls")) as one:
        one.wire.set_fault("cloud", CASES["html"].fault)
        yield one, one.ask("C-1001")


def doctored(told: Told, *path: str | int, value: object = None) -> Told:
    """Return an answer with something else at a place of its body."""
    body = deepcopy(told.body)
    at: Any = body
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return Told(body, told.seconds)


def test_an_answer_that_hides_what_failed_is_noticed(told: tuple[Faulty, Told]) -> None:
    _, honest = told
    page = ("data", "customer", "creditChanges")
    failed = list(honest.sources).index("cloud")
    twice = [*honest.errors, *honest.errors]

    assert_named(honest, "cloud", CASES["html"].codes, 2)
    for lie in (
        doctored(honest, *page, "nodes", value=honest.rows[1:]),
        doctored(honest, *page, "nodes", value=honest.rows[::-1]),
        doctored(honest, *page, "sources", failed, "state", value="FRESH"),
        doctored(honest, *page, "sources", failed, "error", "code", value="UPSTREAM_TIMEOUT"),
        doctored(honest, "errors", value=[]),
        doctored(honest, "errors", value=twice),
        doctored(honest, "errors", 0, "path", value=["customer"]),
        honest._replace(seconds=2.1),
    ):
        with pytest.raises(AssertionError):
            assert_named(lie, "cloud", CASES["html"].codes, 2)


def test_a_stale_answer_that_lost_a_row_or_passes_for_fresh_is_noticed(
    told: tuple[Faulty, Told],
) -> None:
    one, broken = told
    one.wire.clear()
    rows = one.recovered("C-1001").rows
    one.wire.set_fault("cloud", CASES["html"].fault)
    one.move(601)
    stale = one.ask("C-1001")
    page = ("data", "customer", "creditChanges")
    failed = list(stale.sources).index("cloud")

    assert_stale(stale, "cloud", rows, 2)
    for lie in (
        doctored(stale, *page, "nodes", value=rows[:-1]),
        doctored(stale, *page, "sources", failed, "state", value="FRESH"),
        doctored(stale, "errors", value=broken.errors),
        stale._replace(seconds=2.1),
    ):
        with pytest.raises(AssertionError):
            assert_stale(lie, "cloud", rows, 2)


def test_a_gateway_that_stands_still_is_not_taken_for_one_that_has_no_processor(
    told: tuple[Faulty, Told],
) -> None:
    one, _ = told
    began = one.own_seconds()
    os.kill(one.pid, signal.SIGSTOP)
    time.sleep(0.5)
    os.kill(one.pid, signal.SIGCONT)

    assert one.own_seconds() - began > 0.3
