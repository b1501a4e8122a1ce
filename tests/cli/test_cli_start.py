"""A command loads what it uses, so that those that do little have done it at once."""

import os
import socket
import subprocess
from pathlib import Path

import pytest
from commands import COMMAND
from world import configuration

DATABASE = {"sqlalchemy"}
SERVING = {"aiohttp", "fastapi", "redis", "starlette", "strawberry", "structlog", "uvicorn"}
HEAVY = DATABASE | SERVING | {"app.sandbox", "app.settings", "asyncio", "rich"}
# Python then writes to standard error what it loads.
LISTING = {"PYTHONPROFILEIMPORTTIME": "1"}


def loaded(*arguments: str, status: int = 0, **environ: str) -> set[str]:
    """Run a command and return what is heavy among the modules that it loads."""
    ran = subprocess.run(
        [str(COMMAND), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **LISTING, **environ},
    )
    assert ran.returncode == status, ran.stderr
    lines = ran.stderr.splitlines()
    modules = {one.rpartition("|")[2].strip() for one in lines if one.startswith("import time:")}
    assert "app.cli" in modules
    return HEAVY & modules


@pytest.fixture
def config(tmp_path: Path) -> Path:
    # Nobody is asked: no account is linked.
    return configuration(tmp_path, "http://127.0.0.1:9")


@pytest.mark.parametrize("command", ["", "customers", "export", "keys create", "serve", "token"])
def test_a_help_loads_nothing_that_its_command_would_use(command: str) -> None:
    assert loaded(*command.split(), "--help") == set()


@pytest.mark.parametrize("typed", ["credit-gateway ex", "credit-gateway keys create --sc"])
def test_what_completes_a_line_loads_nothing_that_a_command_would_use(typed: str) -> None:
    found = loaded(
        _CREDIT_GATEWAY_COMPLETE="complete_bash",
        COMP_WORDS=typed,
        COMP_CWORD=str(typed.count(" ")),
    )

    assert found == set()


def test_a_key_is_generated_without_a_database() -> None:
    assert loaded("vault", "keygen") == set()


@pytest.mark.parametrize(
    "command", ["customers list", "customers create C-1", "keys list", "vault rotate"]
)
def test_what_asks_the_directory_alone_loads_nothing_that_serves(
    config: Path, command: str
) -> None:
    found = loaded(*command.split(), "--config", str(config))

    assert found >= DATABASE | {"app.settings"}
    assert not found & SERVING


def test_the_emulated_providers_are_served_without_the_gateway() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        found = loaded("sandbox", "--port", port, status=1)

    assert found >= {"app.sandbox", "uvicorn"}
    assert not found & {*DATABASE, "app.settings", "fastapi", "strawberry"}


def test_the_gateway_is_seen_to_load_it_all_but_the_emulated_providers(config: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        found = loaded("serve", "--port", port, "--config", str(config), status=1)

    assert found == HEAVY - {"app.sandbox"}
