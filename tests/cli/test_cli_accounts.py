"""Customers and accounts are created, linked and taken away from the shell, as by the mutations."""

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import Run, assert_one_line
from world import configuration

from app.sandbox import Sandbox, SandboxServer

SECRET = "hunter2-hunter2"


@pytest.fixture(scope="module")
def providers() -> Iterator[SandboxServer]:
    with SandboxServer(Sandbox(entries=5)) as served:
        yield served


@pytest.fixture
def config(tmp_path: Path, providers: SandboxServer, run: Run) -> Path:
    """Return a configuration with one customer, C-1."""
    file = configuration(tmp_path, providers.url)
    run("customers", "create", "C-1", "--config", file)
    return file


class Typed(io.TextIOWrapper):
    """Standard input, as a pipe or as a terminal."""

    def __init__(self, text: str, *, is_terminal: bool = False) -> None:
        super().__init__(io.BytesIO(text.encode()), encoding="utf-8")
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", Typed(text))


def hosting(providers: SandboxServer, reference: str = "C-1001") -> str:
    return json.dumps({"hostup": providers.sandbox.issue_credentials("hostup", reference)})


def test_a_customer_is_created_once_and_deleted_once(run: Run, config: Path) -> None:
    created = run("customers", "create", "C-2", "--name", "Åsa", "--config", config)
    taken = run("customers", "create", "C-2", "--config", config)
    listed = run("customers", "list", "--config", config)
    deleted = run("customers", "delete", "C-2", "--yes", "--config", config)
    gone = run("customers", "delete", "C-2", "--yes", "--config", config)

    name, _, done = created.out.partition("\t")
    assert (created.status, done, created.err) == (0, "CREATED\n", "")
    assert taken.status == 1
    assert_one_line(taken.err, "C-2", "another reference")
    assert "C-2\tÅsa" in listed.out
    assert (deleted.status, deleted.out) == (0, f"{name}\tDELETED\n")
    assert gone.status == 1
    assert_one_line(gone.err, "C-2", "customers list")


@pytest.mark.parametrize("reference", ["", "x" * 201, "a\nb", "\udcff"])
def test_a_reference_that_cannot_be_is_told_in_one_line(
    run: Run, config: Path, reference: str
) -> None:
    ended = run("customers", "create", reference, "--config", config)

    assert (ended.status, ended.out) == (1, "")
    assert_one_line(ended.err, "write")


def test_nothing_is_deleted_where_nobody_can_be_asked(
    run: Run, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, "y\n")

    ended = run("customers", "delete", "C-1", "--config", config)
    listed = run("customers", "list", "--config", config)

    assert ended.status == 1
    assert_one_line(ended.err, "--yes")
    assert listed.out.startswith("C-1\t")


@pytest.mark.parametrize(("said", "status", "left"), [("n\n", 1, "C-1\t\n"), ("y\n", 0, "")])
def test_a_terminal_is_asked_before_a_customer_is_deleted(
    run: Run, config: Path, monkeypatch: pytest.MonkeyPatch, said: str, status: int, left: str
) -> None:
    monkeypatch.setattr(sys, "stdin", Typed(said, is_terminal=True))

    ended = run("customers", "delete", "C-1", "--config", config)
    listed = run("customers", "list", "--config", config)

    assert ended.status == status
    assert "Delete C-1 with 0 accounts" in ended.err
    assert listed.out == left


def test_an_account_is_linked_once_by_standard_input_and_unlinked_once(
    run: Run, config: Path, providers: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = hosting(providers)
    link = ("accounts", "link", "C-1", "hosting", "--label", "main", "--config", config)
    outcomes = []
    for text in (given, given, hosting(providers)):
        typed(monkeypatch, text)
        outcomes.append(run(*link))
    listed = run("accounts", "list", "C-1", "--config", config)
    name = outcomes[0].out.partition("\t")[0]
    unlinked = run("accounts", "unlink", name, "--config", config)
    again = run("accounts", "unlink", name, "--config", config)

    assert [one.out for one in outcomes] == [
        f"{name}\t{done}\n" for done in ("CREATED", "UNCHANGED", "UPDATED")
    ]
    assert [(one.status, one.err) for one in outcomes] == [(0, "")] * 3
    assert listed.out.splitlines()[1].split()[:4] == [name, "hosting", "main", "ACTIVE"]
    assert (unlinked.status, unlinked.out) == (0, f"{name}\tUNLINKED\n")
    assert again.status == 1
    assert_one_line(again.err, name, "accounts list")


def test_credentials_are_read_from_a_file(
    run: Run, config: Path, providers: SandboxServer, tmp_path: Path
) -> None:
    file = tmp_path / "key.json"
    file.write_text(hosting(providers))
    link = ("accounts", "link", "C-1", "hosting", "--config", config, "--credentials")

    linked, absent = run(*link, file), run(*link, tmp_path / "none.json")

    assert linked.status == 0
    assert absent.status == 1
    assert_one_line(absent.err, "none.json", "no such file")


def test_a_terminal_is_asked_for_the_secret_and_shows_nothing_of_it(
    run: Run, config: Path, providers: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = providers.sandbox.issue_credentials("hostup", "C-1001")["apiKey"]
    monkeypatch.setattr(sys, "stdin", Typed("", is_terminal=True))
    asked: list[str] = []

    def unseen(prompt: str, *_: object, **__: object) -> str:
        asked.append(prompt)
        return key

    monkeypatch.setattr("getpass.getpass", unseen)
    linked = run("accounts", "link", "C-1", "hosting", "--config", config)

    assert linked.status == 0
    assert len(asked) == 1
    assert key not in linked.out + linked.err


REFUSED = [
    ("C-1", "hosting", {"hostup": {"apiKey": SECRET}}, "UPSTREAM_UNAUTHORIZED"),
    ("C-1", "cloud", {"cloudreve": {"refreshToken": SECRET}}, "UPSTREAM_UNAUTHORIZED"),
    ("C-1", "cloud", {"hostup": {"apiKey": SECRET}}, '{"cloudreve": {"refreshToken": "…"}}'),
    ("C-1", "nowhere", {"hostup": {"apiKey": SECRET}}, "configured: cloud, hosting, loyalty"),
    ("C-9", "hosting", {"hostup": {"apiKey": SECRET}}, "customers list"),
    ("C-1", "hosting", SECRET, '{"hostup": {"apiKey": "…"}}'),
    ("C-1", "hosting", None, '{"hostup": {"apiKey": "…"}}'),
]


@pytest.mark.parametrize(("reference", "provider", "given", "says"), REFUSED, ids=str)
def test_what_is_refused_is_told_in_one_line_without_the_credentials(
    run: Run,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    reference: str,
    provider: str,
    given: object,
    says: str,
) -> None:
    typed(monkeypatch, json.dumps(given))

    ended = run("accounts", "link", reference, provider, "--config", config)
    listed = run("accounts", "list", "C-1", "--config", config)

    assert (ended.status, ended.out) == (1, "")
    assert_one_line(ended.err, says)
    assert SECRET not in ended.err
    assert "hosting" not in listed.out


def test_what_is_no_json_is_told_in_one_line_without_it(
    run: Run, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, f'{{"hostup": {{"apiKey": "{SECRET}"')

    ended = run("accounts", "link", "C-1", "hosting", "--config", config)

    assert_one_line(ended.err, "not JSON", '{"hostup": {"apiKey": "…"}}')
    assert SECRET not in ended.err


def test_without_verification_nobody_is_asked(
    run: Run, config: Path, providers: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, json.dumps({"hostup": {"apiKey": SECRET}}))
    providers.sandbox.reset_calls()

    ended = run("accounts", "link", "C-1", "hosting", "--no-verify", "--config", config)

    assert ended.status == 0
    assert providers.sandbox.calls() == {}


def test_accounts_of_a_provider_that_is_configured_no_more_can_be_unlinked(
    run: Run, config: Path, providers: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, hosting(providers))
    name = run("accounts", "link", "C-1", "hosting", "--config", config).out.partition("\t")[0]
    config.write_text(config.read_text().replace("[providers.hosting]", "[providers.renamed]"))

    refused = run("serve", "--config", config, "--port", 0)
    unlinked = run("accounts", "unlink", name, "--config", config)

    assert refused.status == 1
    assert (unlinked.status, unlinked.err) == (0, "")


@pytest.mark.parametrize(
    "command",
    [
        *(["customers", "create"], ["customers", "delete"]),
        *(["accounts", "link"], ["accounts", "unlink"]),
    ],
    ids=" ".join,
)
def test_every_command_explains_itself_and_misuse_ends_with_2(run: Run, command: list[str]) -> None:
    helped, misused = run(*command, "--help"), run(*command)

    told = " ".join(helped.out.split())
    assert helped.status == 0
    assert f"Example: credit-gateway {' '.join(command)}" in told
    assert misused.status == 2
