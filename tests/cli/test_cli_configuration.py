"""A bad configuration is told by every command that takes one."""

from pathlib import Path

import pytest
from commands import Run, assert_one_line
from world import VAULT_KEY

BAD = [
    ('vault.keys = ["short"]\nauth.mode = "none"', "vault.keys"),
    (f'vault.keys = ["{VAULT_KEY}"]\nauth.mode = "jwt"', "auth.issuer"),
    (f'vault.keys = ["{VAULT_KEY}"]', "auth.issuer"),
    (f'vault.keys = ["{VAULT_KEY}"]\nauth.mode = "none"\nserver.port = "x"', "server.port"),
    (f'vault.keys = ["{VAULT_KEY}"]\nauth.mode = "none"\nserver.prot = 1', "server.prot"),
    (
        f'vault.keys = ["{VAULT_KEY}"]\nauth.mode = "none"\ndirectory.url = "sqlite:///no/such/x.db"',
        "directory.url",
    ),
    ("[", "is not TOML"),
    (None, "no such file"),
]
TAKING = [["serve"], ["check"], ["customers", "list"], ["accounts", "list", "C-1"]]


@pytest.mark.parametrize("command", TAKING, ids=" ".join)
@pytest.mark.parametrize(("content", "says"), BAD)
def test_a_bad_configuration_is_told_in_one_line_that_names_the_key(
    run: Run, tmp_path: Path, command: list[str], content: str | None, says: str
) -> None:
    config = tmp_path / "gateway.toml"
    if content is not None:
        config.write_text(content)

    ended = run(*command, "--config", config)

    assert (ended.status, ended.out) == (1, "")
    assert_one_line(ended.err, says)
    assert VAULT_KEY not in ended.err
