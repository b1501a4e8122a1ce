"""`token`: development tokens, only where a symmetric key is configured."""

import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from commands import Run, assert_one_line
from world import VAULT_KEY

KEY = "0123456789abcdef-0123456789abcdef"
DEVELOPMENT = f'mode = "jwt"\nissuer = "https://login.example.com/"\ndevelopment_key = "{KEY}"'


def config(folder: Path, auth: str = DEVELOPMENT) -> Path:
    file = folder / "gateway.toml"
    file.write_text(f'vault.keys = ["{VAULT_KEY}"]\n[auth]\n{auth}\n')
    return file


def read(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(
        token, KEY, ["HS256"], issuer="https://login.example.com/", audience="credit-gateway"
    )
    return claims


def test_a_token_says_what_was_asked_for(run: Run, tmp_path: Path) -> None:
    scopes = ["--scope", "credits:read", "--scope", "accounts:write"]
    arguments = ["--subject", "anna", "--customer", "C-1001", *scopes, "--ttl", "15m"]

    ended = run("token", *arguments, "--config", config(tmp_path))

    claims = read(ended.out.strip())
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.count("\n") == 1
    assert claims["sub"] == "anna"
    assert claims["customer"] == "C-1001"
    assert claims["scope"] == "credits:read accounts:write"
    assert claims["exp"] - claims["iat"] == 15 * 60
    assert abs(claims["iat"] - time.time()) < 60


def test_without_more_a_token_allows_nothing_for_an_hour(run: Run, tmp_path: Path) -> None:
    claims = read(run("token", "--subject", "a", "--config", config(tmp_path)).out.strip())

    assert (claims["scope"], claims["exp"] - claims["iat"]) == ("", 3600)
    assert "customer" not in claims


def test_the_customer_is_under_the_configured_claim(run: Run, tmp_path: Path) -> None:
    file = config(tmp_path, DEVELOPMENT + '\ncustomer_claim = "https://example.com/customer"')

    ended = run("token", "--subject", "a", "--customer", "C-1", "--config", file)

    assert read(ended.out.strip())["https://example.com/customer"] == "C-1"


def test_a_customer_claim_of_a_registered_name_changes_nothing_else(
    run: Run, tmp_path: Path
) -> None:
    file = config(tmp_path, DEVELOPMENT + '\ncustomer_claim = "sub"')

    ended = run("token", "--subject", "a", "--customer", "C-1", "--config", file)

    assert read(ended.out.strip())["sub"] == "a"


@pytest.mark.parametrize(
    "auth",
    [
        'mode = "none"',
        f'mode = "none"\nissuer = "i"\ndevelopment_key = "{KEY}"',
        'issuer = "i"\njwks_url = "https://login.example.com/keys"',
    ],
)
def test_without_a_development_key_there_is_one_line(run: Run, tmp_path: Path, auth: str) -> None:
    ended = run("token", "--subject", "a", "--config", config(tmp_path, auth))

    assert (ended.status, ended.out) == (1, "")
    assert_one_line(ended.err, "auth.development_key: is not configured")
    assert KEY not in ended.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "--subject"),
        (["--subject", ""], "subject"),
        (["--subject", "a", "--ttl", "soon"], "--ttl"),
        (["--subject", "a", "--ttl", "0s"], "--ttl"),
        (["--subject", "a", "--ttl", "500ms"], "--ttl"),
        (["--subject", "a", "--ttl", "99999d"], "--ttl"),
        (["--subject", "a", "--scope", "credits"], "'credits:read', 'credits:read:any', 'accounts"),
    ],
)
def test_misuse_is_told(run: Run, tmp_path: Path, arguments: list[str], says: str) -> None:
    ended = run("token", *arguments, "--config", config(tmp_path))

    assert (ended.status, ended.out) == (2, "")
    assert says in ended.err


def test_help_has_an_example(run: Run) -> None:
    ended = run("token", "--help")

    assert ended.status == 0
    assert "Example: credit-gateway token" in ended.out
    assert "accounts:write:any" in ended.out
