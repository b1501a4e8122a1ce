"""Lists are tables at a terminal, plain lines in a pipe, and JSON for scripts."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import COMMAND, Run, on_a_terminal
from world import configuration

from app.sandbox import Sandbox, SandboxServer

LONG = "a name that is much longer than a narrow terminal is wide, " * 3


@pytest.fixture(scope="module")
def providers() -> Iterator[SandboxServer]:
    with SandboxServer(Sandbox(entries=5)) as served:
        yield served


@pytest.fixture
def config(tmp_path: Path, providers: SandboxServer, run: Run) -> Path:
    """Return a configuration with the sample customers, and a key."""
    file = configuration(tmp_path, providers.url)
    lines = tmp_path / "customers.jsonl"
    samples = providers.sandbox.sample_customers()
    lines.write_text("\n".join(json.dumps(line) for line in samples), encoding="utf-8")
    run("customers", "import", lines, "--no-verify", "--config", file)
    run("keys", "create", "--name", "shop", "--scope", "credits:read:any", "--config", file)
    return file


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


LISTS = [["customers", "list"], ["accounts", "list", "C-1002"], ["keys", "list"], ["check"]]


@pytest.mark.parametrize("command", LISTS, ids=" ".join)
def test_a_script_gets_an_object_a_line(run: Run, config: Path, command: list[str]) -> None:
    plain = run(*command, "--config", config)
    ended = run(*command, "--json", "--config", config)

    rows = objects(ended.out)
    assert (ended.status, ended.err) == (0, "")
    assert len({tuple(row) for row in rows}) == 1
    assert len(rows) in {len(plain.out.splitlines()), len(plain.out.splitlines()) - 1}


def test_the_objects_have_the_names_and_the_values_of_the_api(run: Run, config: Path) -> None:
    def first(*command: str) -> dict[str, Any]:
        return objects(run(*command, "--json", "--config", config).out)[0]

    customer, account = first("customers", "list"), first("accounts", "list", "C-1001")
    key, proof = first("keys", "list"), first("check")

    assert customer["id"].startswith("Yz")
    assert (customer["reference"], customer["displayName"]) == ("C-1001", "Anna Norrbacke")
    assert account["id"].startswith("YT")
    assert set(account) == {"id", "provider", "label", "status", "linkedAt"}
    assert account["linkedAt"].endswith("Z")
    assert key["scopes"] == ["credits:read:any"]
    assert (key["customer"], key["revokedAt"]) == (None, None)
    assert proof == {"ok": True, "what": "configuration", "result": str(config)}


def test_a_made_key_comes_with_its_id_for_a_script(run: Run, config: Path) -> None:
    scope = ["--scope", "credits:read:any"]
    made = run("keys", "create", "--name", "one", *scope, "--json", "--config", config)

    (shown,) = objects(made.out)
    assert (made.status, made.err) == (0, "")
    assert shown["key"].startswith("cg_")
    revoked = run("keys", "revoke", shown["id"], "--config", config)
    assert revoked.status == 0


def test_what_is_wrong_is_told_to_a_script_too(
    run: Run, config: Path, providers: SandboxServer
) -> None:
    providers.sandbox.set_fault("hostup", {"kind": "html"})
    try:
        ended = run("check", "--json", "--config", config)
    finally:
        providers.sandbox.clear_fault("hostup")

    wrong = [row for row in objects(ended.out) if not row["ok"]]
    assert (ended.status, ended.err) == (1, "")
    assert [row["what"] for row in wrong] == ["hosting"]
    assert "UPSTREAM_INVALID_RESPONSE" in wrong[0]["result"]


@pytest.mark.parametrize("command", LISTS, ids=" ".join)
def test_a_terminal_shows_a_table(config: Path, command: list[str]) -> None:
    status, shown = on_a_terminal(*command, "--config", config)

    assert status == 0
    assert "───" in shown
    assert "\x1b[1m" in shown
    assert "\t" not in shown


@pytest.mark.parametrize("command", LISTS, ids=" ".join)
def test_a_pipe_gets_lines_without_any_drawing(run: Run, config: Path, command: list[str]) -> None:
    ended = run(*command, "--config", config)

    assert "─" not in ended.out
    assert "\x1b" not in ended.out + ended.err


def test_a_terminal_shows_all_of_what_does_not_fit_on_a_line(run: Run, config: Path) -> None:
    run("customers", "create", "C-9", "--name", LONG, "--config", config)

    _, shown = on_a_terminal("customers", "list", "--config", config)

    assert "…" not in shown
    assert shown.count("longer") == 3


def test_checking_shows_that_it_is_at_work(config: Path) -> None:
    status, shown = on_a_terminal("check", "--config", config)

    assert status == 0
    assert "Asking all that is configured" in shown
    assert "answers, 1 balance" in shown.split("Asking")[-1]


@pytest.mark.parametrize("command", LISTS, ids=" ".join)
def test_a_reader_that_goes_away_is_no_error_worth_a_word(config: Path, command: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.Popen(
        [str(COMMAND), *command, "--json", "--config", str(config)],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writing)
    _, err = process.communicate(timeout=60)

    assert (process.returncode, err) == (1, "")
