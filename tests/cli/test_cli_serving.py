"""Commands that serve: each is a process of its own here, ended as a person would."""

import re
import shlex
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from commands import COMMAND, Outcome, assert_one_line, running, stopped
from world import configuration

from app.sandbox import Sandbox, SandboxServer

QUERY = {"query": "{ viewer { subject } customers { totalCount } }"}


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with SandboxServer(Sandbox(entries=5)) as providers:
        yield configuration(tmp_path_factory.mktemp("serving"), providers.url)


def ask(url: str) -> dict[str, Any]:
    answer: dict[str, Any] = httpx.post(url, json=QUERY, trust_env=False, timeout=60).json()
    return answer


def url_in(lines: list[str]) -> str:
    found = re.search(r"http://\S+/graphql", "".join(lines))
    assert found
    return found[0]


def assert_clean(ended: Outcome) -> None:
    assert ended.status == 0
    assert "Traceback" not in ended.out + ended.err
    assert "Error" not in ended.err


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_demonstration_answers_its_own_query_and_tidies_up(how: signal.Signals) -> None:
    before = set(Path(tempfile.gettempdir()).glob("*/gateway.toml"))

    with running("demo", "--port", 0, until="Ctrl-C") as (process, lines):
        command = next(line for line in lines if line.startswith("curl"))
        pasted = subprocess.run(
            shlex.split(command), capture_output=True, text=True, check=True, timeout=60
        )
        text = "".join(lines)
        query = text[text.index("\n{\n") : text.index("\n}\n") + 2]
        data = httpx.post(url_in(lines), json={"query": query}, trust_env=False).json()["data"]
        ended = stopped(process, how)

    assert_clean(ended)
    assert '"errors"' not in pasted.stdout
    assert len(data["customer"]["creditChanges"]["nodes"]) == 20
    assert set(Path(tempfile.gettempdir()).glob("*/gateway.toml")) <= before


def test_the_gateway_is_served_by_one_process(config: Path) -> None:
    with running("serve", "--config", config, "--port", 0, until="Serving") as (process, lines):
        answer = ask(url_in(lines))
        ended = stopped(process, signal.SIGINT)

    assert answer["data"]["customers"]["totalCount"] == 0
    assert_clean(ended)


def test_the_gateway_is_served_by_two_processes(config: Path) -> None:
    arguments = ("serve", "--config", config, "--port", 0, "--workers", 2)
    with running(*arguments, until="Serving") as (process, lines):
        answers = [ask(url_in(lines)) for _ in range(4)]
        ended = stopped(process, signal.SIGTERM)

    assert all("errors" not in answer for answer in answers)
    assert_clean(ended)


def test_the_sandbox_says_where_each_provider_is() -> None:
    arguments = ("sandbox", "--port", 0, "--entries", 3, "--customers", 1, "--seed", 5)
    with running(*arguments, until="customers") as (process, lines):
        places = dict(line.split() for line in lines)
        state = httpx.get(places["control"], trust_env=False).json()
        ended = stopped(process, signal.SIGTERM)

    assert list(places) == ["cloudreve", "hostup", "carecloud", "control", "customers"]
    assert (state["entries"], state["customers"], state["seed"]) == (3, 1, 5)
    assert_clean(ended)


def test_a_port_that_is_taken_is_told_in_one_line(config: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        commands = (["demo"], ["sandbox"], ["serve", "--config", str(config)])
        processes = [
            subprocess.Popen(
                [str(COMMAND), *command, "--port", port],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for command in commands
        ]
        ended = [(*process.communicate(timeout=100), process.returncode) for process in processes]

    for out, err, status in ended:
        assert (status, out) == (1, "")
        assert_one_line(err, port, "--port")
