"""`keys`: an API key is printed once, listed without itself, and revoked by its id."""

from pathlib import Path

import pytest
from commands import Run, assert_one_line
from world import configuration


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return configuration(tmp_path, "http://127.0.0.1:9")


def test_a_key_is_printed_once(run: Run, config: Path) -> None:
    scopes = ["--scope", "credits:read", "--scope", "accounts:write"]

    made = run("keys", "create", "--name", "shop", *scopes, "--customer", "C-1", "--config", config)
    listed = run("keys", "list", "--config", config)

    key = made.out.strip()
    (_, row) = listed.out.splitlines()
    assert (made.status, listed.status) == (0, 0)
    assert made.out == f"{key}\n"
    assert key.startswith("cg_")
    assert key not in made.err
    assert row.split()[0] in made.err
    assert row.split()[1:5] == ["shop", "accounts:write", "credits:read", "C-1"]
    assert key.removeprefix("cg_") not in listed.out


def test_a_revoked_key_is_listed_as_such(run: Run, config: Path) -> None:
    for name in ("one", "two"):
        run("keys", "create", "--name", name, "--scope", "credits:read:any", "--config", config)
    first = run("keys", "list", "--config", config).out.splitlines()[1].split()[0]

    revoked = [run("keys", "revoke", first, "--config", config) for _ in range(2)]

    lines = run("keys", "list", "--config", config).out.splitlines()[1:]
    assert [one.status for one in revoked] == [0, 0]
    assert [len(line.split()) for line in lines] == [5, 4]


def test_an_unknown_key_is_told_in_one_line(run: Run, config: Path) -> None:
    ended = run("keys", "revoke", "nothing", "--config", config)

    assert (ended.status, ended.out) == (1, "")
    assert_one_line(ended.err, "no API key of this id", "keys list")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--name", "n", "--scope", "credits:write"], "'credits:read', 'credits:read:any', 'acc"),
        (["--name", "n"], "credits:read:any"),
        (["--scope", "credits:read"], "--name"),
        (["--name", "", "--scope", "credits:read"], "name"),
    ],
)
def test_misuse_is_told_and_makes_no_key(
    run: Run, config: Path, arguments: list[str], says: str
) -> None:
    ended = run("keys", "create", *arguments, "--config", config)

    assert (ended.status, ended.out) == (2, "")
    assert says in ended.err
    assert len(run("keys", "list", "--config", config).out.splitlines()) <= 1


@pytest.mark.parametrize("command", ["create", "list", "revoke"])
def test_help_has_an_example(run: Run, command: str) -> None:
    ended = run("keys", command, "--help")

    assert ended.status == 0
    assert f"Example: credit-gateway keys {command}" in ended.out
