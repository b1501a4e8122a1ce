"""Commands about the configuration, the customers and their accounts."""

import json
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import Run, assert_one_line
from world import VAULT_KEY, configuration

from app import sandbox
from app.api.schema import sdl
from app.sandbox import Sandbox, SandboxServer

HELP = [
    *(["demo"], ["serve"], ["sandbox"], ["check"], ["schema"], ["sync"], ["vault", "keygen"]),
    *(["customers", "import"], ["customers", "list"], ["accounts", "list"]),
]


@pytest.fixture(scope="module")
def providers() -> Iterator[SandboxServer]:
    with SandboxServer(Sandbox(entries=5)) as served:
        yield served


@pytest.fixture
def config(tmp_path: Path, providers: SandboxServer) -> Path:
    return configuration(tmp_path, providers.url)


def lines(source: Sandbox, folder: Path, *more: str) -> Path:
    file = folder / "customers.jsonl"
    samples = [json.dumps(line, ensure_ascii=False) for line in source.sample_customers()]
    file.write_text("\n".join([*samples, *more]) + "\n", encoding="utf-8")
    return file


def secrets_of(source: Sandbox) -> list[str]:
    accounts: list[Any] = [one for line in source.sample_customers() for one in line["accounts"]]
    given = [
        value for one in accounts for value in next(iter(one["credentials"].values())).values()
    ]
    return [VAULT_KEY, sandbox.CARECLOUD_PASSWORD, *given]


@pytest.mark.parametrize("command", HELP, ids=" ".join)
def test_every_command_explains_itself_with_an_example(run: Run, command: list[str]) -> None:
    ended = run(*command, "--help")

    assert ended.status == 0
    told = " ".join(ended.out.split())
    assert "Example:" in told
    assert f"credit-gateway {' '.join(command)}" in told


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["serve", "--colour"],
        ["serve", "--workers", "0"],
        ["serve", "--port", "70000"],
        ["demo", "--port", "-1"],
        ["demo", "--port", "x"],
        ["sandbox", "--entries", "-1"],
        ["customers"],
        ["customers", "import"],
        ["accounts", "list"],
        ["vault", "melt"],
    ],
    ids=" ".join,
)
def test_misuse_ends_with_2(run: Run, arguments: list[str]) -> None:
    assert run(*arguments).status == 2


def test_the_schema_is_printed(run: Run) -> None:
    assert run("schema") == (0, sdl(), "")


def test_a_new_key_is_32_bytes_and_another_each_time(run: Run) -> None:
    first, second = run("vault", "keygen"), run("vault", "keygen")

    assert [len(b64decode(one.out)) for one in (first, second)] == [32, 32]
    assert first.out != second.out


def test_customers_are_imported_once_and_found_unchanged_then(
    run: Run, config: Path, providers: SandboxServer, tmp_path: Path
) -> None:
    file = lines(providers.sandbox, tmp_path)

    first = run("customers", "import", file, "--config", config)
    again = run("customers", "import", file, "--config", config)
    listed = run("customers", "list", "--config", config)

    assert (first.status, first.err) == (0, "")
    assert "13 created, 0 updated, 0 unchanged" in first.out
    assert (again.status, again.err) == (0, "")
    assert "0 created, 0 updated, 13 unchanged" in again.out
    assert [line.split("\t")[0] for line in listed.out.splitlines()] == [
        "C-1001",
        "C-1002",
        "C-1003",
    ]
    assert listed.out.startswith("C-1001\tAnna")
    for ended in (first, again, listed):
        assert not any(secret in ended.out + ended.err for secret in secrets_of(providers.sandbox))


def test_a_bad_line_is_reported_with_its_number_and_stops_nothing(
    run: Run, config: Path, providers: SandboxServer, tmp_path: Path
) -> None:
    refused = {"provider": "hosting", "credentials": {"hostup": {"apiKey": "not-this"}}}
    wrong = json.dumps({"reference": "C-2", "accounts": [refused]})
    last = '{"reference": "C-3", "displayName": "line\u2028separator"}'
    file = lines(providers.sandbox, tmp_path, "", "{", '{"reference": 5}', wrong, last)

    ended = run("customers", "import", file, "--config", config)

    told = ended.err.splitlines()
    assert ended.status == 1
    assert [one.partition(": ")[0] for one in told] == [
        f"{file}:5",
        f"{file}:6",
        f"{file}:7",
        f"{file}:8",
    ]
    assert "refuses" in told[2]
    assert "not-this" not in ended.out + ended.err
    assert "14 created" in ended.out


def test_without_verification_nothing_is_asked(
    run: Run, config: Path, providers: SandboxServer, tmp_path: Path
) -> None:
    file = lines(providers.sandbox, tmp_path)
    providers.sandbox.reset_calls()

    ended = run("customers", "import", file, "--config", config, "--no-verify")
    unasked = providers.sandbox.calls()
    other = tmp_path / "other"
    other.mkdir()
    run("customers", "import", file, "--config", configuration(other, providers.url))

    assert ended.status == 0
    assert unasked == {}
    assert providers.sandbox.calls() != {}


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "no such file"), (b"\xff\xfe", "UTF-8"), ("folder", "is a directory")],
)
def test_a_file_that_cannot_be_read_is_told_in_one_line(
    run: Run, config: Path, tmp_path: Path, content: bytes | str | None, says: str
) -> None:
    file = tmp_path / "customers.jsonl"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content:
        file.mkdir()

    ended = run("customers", "import", file, "--config", config)

    assert (ended.status, ended.out) == (1, "")
    assert_one_line(ended.err, str(file), says)


def test_accounts_are_listed_with_the_ids_of_the_api(
    run: Run, config: Path, providers: SandboxServer, tmp_path: Path
) -> None:
    file = lines(providers.sandbox, tmp_path)
    run("customers", "import", file, "--config", config, "--no-verify")

    listed = run("accounts", "list", "C-1002", "--config", config)

    rows = [line.split() for line in listed.out.splitlines()[1:]]
    assert listed.status == 0
    assert sorted(row[1] for row in rows) == ["cloud", "hosting", "hosting", "loyalty"]
    assert all(b64decode(row[0] + "==").startswith(b"a:") for row in rows)
    assert "Hosting of the association" in listed.out
    assert not any(secret in listed.out for secret in secrets_of(providers.sandbox))


def test_what_looks_like_markup_in_a_label_is_printed_as_it_is(
    run: Run, config: Path, tmp_path: Path
) -> None:
    file = tmp_path / "one.jsonl"
    label = "[red]" + "long " * 30 + "[/bold]"
    account = {"provider": "hosting", "label": label, "credentials": {"hostup": {"apiKey": "k"}}}
    file.write_text(json.dumps({"reference": "C-1", "accounts": [account]}))
    run("customers", "import", file, "--config", config, "--no-verify")

    listed = run("accounts", "list", "C-1", "--config", config)

    assert label in listed.out


def test_an_unknown_customer_is_told_in_one_line(run: Run, config: Path) -> None:
    ended = run("accounts", "list", "C-9", "--config", config)

    assert (ended.status, ended.out) == (1, "")
    assert_one_line(ended.err, "C-9", "customers list")


def test_a_good_configuration_is_proved(
    run: Run, config: Path, providers: SandboxServer, tmp_path: Path
) -> None:
    run("customers", "import", lines(providers.sandbox, tmp_path), "--config", config)

    ended = run("check", "--config", config)

    assert (ended.status, ended.err) == (0, "")
    assert [line.split()[:2] for line in ended.out.splitlines()[1:]] == [
        ["ok", what]
        for what in ("configuration", "cache", "directory", "cloud", "hosting", "loyalty")
    ]
    assert not any(secret in ended.out for secret in secrets_of(providers.sandbox))


def test_what_is_wrong_is_shown_beside_what_is_not(
    run: Run, providers: SandboxServer, tmp_path: Path
) -> None:
    more = '[cache]\nurl = "redis://user:secret-word@127.0.0.1:9/0"'
    config = configuration(tmp_path, providers.url, more)
    file = lines(providers.sandbox, tmp_path)
    run("customers", "import", file, "--config", config, "--no-verify")
    providers.sandbox.set_fault("hostup", {"kind": "html"})

    try:
        ended = run("check", "--config", config)
    finally:
        providers.sandbox.clear_fault("hostup")

    shown = {line.split()[1]: line.split()[0] for line in ended.out.splitlines()[1:]}
    assert (ended.status, ended.err) == (1, "")
    assert [what for what, state in shown.items() if state == "WRONG"] == ["cache", "hosting"]
    assert shown["cloud"] == shown["loyalty"] == "ok"
    assert "UPSTREAM_INVALID_RESPONSE" in ended.out
    assert "secret-word" not in ended.out + ended.err


def test_a_provider_that_accounts_are_linked_to_must_stay_configured(
    run: Run, config: Path, providers: SandboxServer, tmp_path: Path
) -> None:
    file = lines(providers.sandbox, tmp_path)
    run("customers", "import", file, "--config", config, "--no-verify")
    config.write_text(config.read_text().replace("[providers.hosting]", "[providers.renamed]"))

    ended = run("serve", "--config", config, "--port", 0)

    assert (ended.status, ended.out) == (1, "")
    assert_one_line(ended.err, "providers.hosting")
