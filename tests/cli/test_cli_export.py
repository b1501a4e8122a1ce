"""`export` writes a whole list to standard output, as over HTTP, or says why it does not."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import COMMAND, Outcome, Run, assert_one_line, on_a_terminal
from exports_world import exported, listed
from redis_server import RedisServer, needs_redis, redis_server
from world import configuration, gateway

from app import settings
from app.sandbox import Sandbox, SandboxServer

ENTRIES = 250
CSV, NDJSON = "csv", "ndjson"
HISTORIES = {"creditChanges": "credit-changes", "payments": "payments"}


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


@pytest.fixture(scope="module")
def providers() -> Iterator[SandboxServer]:
    with SandboxServer(Sandbox(entries=ENTRIES)) as served:
        yield served


@pytest.fixture
def config(tmp_path: Path, providers: SandboxServer, run: Run) -> Path:
    """Return a configuration whose histories nobody has read."""
    return imported(run, configuration(tmp_path, providers.url), providers)


def imported(run: Run, config: Path, providers: SandboxServer) -> Path:
    file = config.with_name("customers.jsonl")
    samples = providers.sandbox.sample_customers()
    file.write_text("\n".join(json.dumps(line) for line in samples), encoding="utf-8")
    assert run("customers", "import", file, "--config", config, "--no-verify").status == 0
    providers.sandbox.reset_calls()
    return config


def export(run: Run, config: Path, history: str, *more: str) -> Outcome:
    return run("export", "C-1002", HISTORIES[history], *more, "--config", config)


@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize("form", [CSV, NDJSON])
def test_it_writes_what_the_gateway_answers(
    run: Run, config: Path, providers: SandboxServer, history: str, form: str
) -> None:
    ended = export(run, config, history, "--format", form)
    with gateway(settings.load(config, {}), providers.sandbox, config.parent) as world:
        expected = exported(world, history, form).text

    assert (ended.status, ended.err) == (0, "")
    assert ended.out.splitlines() == expected.splitlines()
    assert len(ended.out.splitlines()) >= 3 * ENTRIES


def test_bounds_and_filters_are_those_of_graphql(
    run: Run, config: Path, providers: SandboxServer
) -> None:
    where = {"from": "2026-10-01T00:00:00Z", "to": "2026-10-25T01:40:00Z", "kinds": ["SPEND"]}
    begin, end = where["from"], where["to"]
    bounds = ["--from", str(begin), "--to", str(end), "--where", "kinds=SPEND"]

    ended = export(run, config, "creditChanges", "--format", NDJSON, *bounds)
    with gateway(settings.load(config, {}), providers.sandbox, config.parent) as world:
        expected = listed(world, "creditChanges", where)

    assert [json.loads(line) for line in ended.out.splitlines()] == expected
    assert 0 < len(expected) < ENTRIES


def test_no_more_is_read_than_what_is_asked_for(
    run: Run, config: Path, providers: SandboxServer
) -> None:
    ended = export(
        run, config, "payments", "--where", "providers=cloud", "--from", "2027-01-01T00:00:00Z"
    )

    lists = {path: count for path, count in providers.sandbox.calls().items() if "payments" in path}
    assert (ended.status, len(ended.out.splitlines())) == (0, 1)
    assert lists == {"cloudreve /user/payments": 1}
    assert not any("hostup" in path for path in providers.sandbox.calls())


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--from", "yesterday"], "`from` cannot be read"),
        (["--where", "kinds"], "NAME=VALUE"),
        (["--where", "colour=red"], "orderBy"),
        (["--where", "kinds=RED"], "SPEND"),
        (["--where", "providers=nowhere"], "configured are: cloud, hosting, loyalty"),
    ],
)
def test_what_cannot_be_asked_for_is_misuse(
    run: Run, config: Path, more: list[str], says: str
) -> None:
    ended = export(run, config, "creditChanges", *more)

    assert (ended.status, ended.out) == (2, "")
    assert_one_line(ended.err, says)


def test_an_unknown_customer_is_told_in_one_line(run: Run, config: Path) -> None:
    ended = run("export", "C-9", "payments", "--config", config)

    assert (ended.status, ended.out) == (1, "")
    assert_one_line(ended.err, "C-9", "customers list")


def test_where_a_history_cannot_be_read_nothing_is_written(
    run: Run, config: Path, providers: SandboxServer
) -> None:
    providers.sandbox.set_fault(
        "carecloud", {"kind": "html", "path": "/credit-history", "after": 1}
    )
    try:
        ended = export(run, config, "creditChanges")
    finally:
        providers.sandbox.clear_fault("carecloud")

    assert (ended.status, ended.out) == (1, "")
    assert_one_line(ended.err, "loyalty", "UPSTREAM_INVALID_RESPONSE", "Nothing is exported")


@needs_redis
def test_what_was_read_before_is_written_and_told_to_be_stale(
    run: Run,
    tmp_path: Path,
    providers: SandboxServer,
    server: RedisServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    more = f'[cache]\nurl = "{server.url}"'
    config = imported(run, configuration(tmp_path, providers.url, more), providers)
    before = export(run, config, "payments")
    monkeypatch.setenv("GATEWAY_PROVIDERS__CLOUD__FRESH_FOR", "0s")
    providers.sandbox.set_fault("cloudreve", {"kind": "status"})
    try:
        stale = export(run, config, "payments")
    finally:
        providers.sandbox.clear_fault("cloudreve")

    assert (before.status, before.err) == (0, "")
    assert (stale.status, stale.out) == (0, before.out)
    assert_one_line(stale.err, "cloud (Cloud drive) is STALE, as of 20", "UPSTREAM_UNAVAILABLE")


def test_a_full_disk_leaves_an_output_that_is_told_to_be_incomplete(config: Path) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [str(COMMAND), "export", "C-1002", "payments", "--config", str(config)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )

    assert ended.returncode == 1
    assert_one_line(ended.stderr, "the output is incomplete", "No space left on device")


def test_a_reader_that_has_enough_is_no_error_worth_a_word(config: Path) -> None:
    process = subprocess.Popen(
        [str(COMMAND), "export", "C-1002", "credit-changes", "--config", str(config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stderr
    first = process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()

    assert first.startswith("id,")
    assert (process.wait(60), err) == (1, "")


def test_a_terminal_shows_what_is_read_and_the_file_gets_the_rows_alone(
    config: Path, tmp_path: Path
) -> None:
    file = tmp_path / "out.csv"
    status, shown = on_a_terminal("export", "C-1002", "payments", "--config", config, into=file)

    assert status == 0
    assert "C-1002 cloud (Cloud drive)" in shown
    assert "250 payments" in shown
    assert "Writing" in shown
    assert file.read_text().startswith("id,account.id,")
    assert len(file.read_text().splitlines()) == 1 + 3 * ENTRIES


def test_the_rows_at_a_terminal_are_not_drawn_over(config: Path) -> None:
    status, shown = on_a_terminal(
        "export", "C-1002", "payments", "--where", "providers=cloud", "--config", config
    )

    rows = shown.split("id,account.id,")[1]
    assert status == 0
    assert rows.count("FULFILLED") + rows.count("PAID") > 10
    assert "\x1b" not in rows
    assert "Writing" not in shown


def test_ctrl_c_ends_it_as_a_shell_expects(config: Path, providers: SandboxServer) -> None:
    providers.sandbox.set_fault("cloudreve", {"kind": "hang"})
    try:
        process = subprocess.Popen(
            [str(COMMAND), "export", "C-1002", "payments", "--config", str(config)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        while not any("cloudreve" in path for path in providers.sandbox.calls()):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        providers.sandbox.clear_fault("cloudreve")

    assert (process.returncode, out, err) == (130, "", "")
