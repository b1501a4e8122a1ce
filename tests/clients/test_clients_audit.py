"""The audit of GraphQL over HTTP by the package graphql-http, with a token."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from asked_by_clients import DEVELOPMENT_KEY
from commands import Run
from issuing import guarded
from node_scripts import answer_of, needs_clients
from world import World, world

pytestmark = needs_clients
AUDITS = 61


@pytest.fixture
def guarded_world(tmp_path: Path) -> Iterator[World]:
    with (
        world(tmp_path, entries=5) as open_to_all,
        guarded(open_to_all, development_key=DEVELOPMENT_KEY) as one,
    ):
        yield one


@pytest.fixture
def token(guarded_world: World, run: Run, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a token as the command issues it."""
    auth = guarded_world.settings.auth
    for key, value in {"MODE": "jwt", "ISSUER": auth.issuer}.items():
        monkeypatch.setenv(f"GATEWAY_AUTH__{key}", value or "")
    monkeypatch.setenv("GATEWAY_AUTH__DEVELOPMENT_KEY", DEVELOPMENT_KEY)
    config = str(guarded_world.folder / "gateway.toml")
    return run(
        "token", "--subject", "auditor", "--scope", "credits:read:any", "--config", config
    ).out.strip()


def test_every_check_of_the_audit_passes_with_a_token(guarded_world: World, token: str) -> None:
    results = answer_of("audit.mjs", {"url": guarded_world.url, "token": token})

    assert [one for one in results if one["status"] != "ok"] == []
    assert len(results) == AUDITS
    levels = {one["name"].split()[0] for one in results}
    assert levels == {"MUST", "SHOULD", "MAY"}


def test_the_audit_notices_a_gateway_that_refuses_its_caller(guarded_world: World) -> None:
    results = answer_of("audit.mjs", {"url": guarded_world.url})

    failed = [one for one in results if one["status"] != "ok"]
    assert len(results) == AUDITS
    assert len(failed) > AUDITS / 3
