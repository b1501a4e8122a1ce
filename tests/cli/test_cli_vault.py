"""The commands about the vault's keys."""

import json
from pathlib import Path

import pytest
from commands import Run, assert_one_line
from world import VAULT_KEY, configuration

from app.directory.vault import keygen

ANNA = {
    "reference": "C-1",
    "accounts": [
        {"provider": "cloud", "label": label, "credentials": {"cloudreve": {"refreshToken": label}}}
        for label in ("one", "two")
    ],
}


def keys(config: Path, *written: str) -> None:
    text = config.read_text()
    start = text.index("vault.keys")
    rest = text[text.index("\n", start) :]
    config.write_text(f"{text[:start]}vault.keys = {json.dumps(written)}{rest}")


@pytest.fixture
def config(run: Run, tmp_path: Path) -> Path:
    """Return a configuration whose directory has two accounts."""
    config = configuration(tmp_path, "http://127.0.0.1:9")
    file = tmp_path / "customers.jsonl"
    file.write_text(json.dumps(ANNA))
    ended = run("customers", "import", str(file), "--no-verify", "--config", str(config))
    assert ended.status == 0
    return config


def test_a_rotation_says_how_many_were_re_encrypted(run: Run, config: Path) -> None:
    new = keygen()
    keys(config, new, VAULT_KEY)

    first = run("vault", "rotate", "--config", str(config))
    second = run("vault", "rotate", "--config", str(config))
    keys(config, new)
    third = run("vault", "rotate", "--config", str(config))

    assert [ended.status for ended in (first, second, third)] == [0, 0, 0]
    assert first.out == "Credentials re-encrypted under the newest key: 2; 0 were already.\n"
    told = "Credentials re-encrypted under the newest key: 0; 2 were already.\n"
    assert second.out == third.out == told
    assert new not in first.out + first.err


def test_credentials_of_a_lost_key_are_told(run: Run, config: Path) -> None:
    keys(config, keygen())

    ended = run("vault", "rotate", "--config", str(config))

    assert ended.status == 1
    assert_one_line(ended.err)
    assert "2 accounts cannot be opened; add their former key to vault.keys" in ended.err


def test_the_rotation_explains_itself_with_an_example(run: Run) -> None:
    ended = run("vault", "rotate", "--help")

    assert ended.status == 0
    assert "Example: credit-gateway vault rotate" in " ".join(ended.out.split())
