"""Every command of the README is run as it is written, in the order of the README."""

import json
import re
import shlex
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
import yaml
from document import BLOCKS, ROOT, Block, blocks
from naming import assert_is_a_command
from redis_server import free_port, needs_redis, redis_server
from shell import NOT_RUN, Shell, copy_of_the_repository, merged, split, until

from app import sandbox

CONTAINED = ("docker compose", "kubectl")
# These are followed by tests of their own.
ELSEWHERE = {"Quick start", "Watch a provider fail", "Exports", "Add a provider in five steps"}


def test_every_command_is_run_or_known_not_to_be() -> None:
    lines = [line for one in blocks("sh") for line in one.lines]
    left_out = {start for start in NOT_RUN for line in lines if line.startswith(start)}

    assert len(lines) > 20
    assert left_out == set(NOT_RUN)


def test_what_is_not_run_names_files_services_and_commands_that_are_there() -> None:
    lines = [line for one in blocks("sh") for line in one.lines]
    not_run = [shlex.split(line, comments=True) for line in lines if line.startswith(CONTAINED)]

    assert len(not_run) > 3
    for words in not_run:
        assert_can_be_run(words)


def test_what_could_not_be_run_is_told() -> None:
    compose = "docker compose --file docker/compose.yaml"

    assert_can_be_run(shlex.split(f"{compose} run --rm gateway keys list"))
    for wrong in (
        "docker compose --file docker/composed.yaml up",
        f"{compose} start-all",
        f"{compose} run --rm gatway keys list",
        f"{compose} run --rm gateway keys lists",
        "kubectl apply --kustomize docker/kube",
        "kubectl applies --kustomize docker/kubernetes",
    ):
        with pytest.raises(AssertionError):
            assert_can_be_run(shlex.split(wrong))


def assert_can_be_run(words: list[str]) -> None:
    """Hold a command for containers to what is in `docker/`."""
    named = [after for word, after in pairwise(words) if word in {"--file", "--kustomize"}]
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []
    options = {"--file", "--kustomize", "--profile", "--volume"}
    plain = [
        word
        for before, word in pairwise(words)
        if not word.startswith("--") and before not in options
    ]
    if words[0] == "kubectl":
        assert plain == ["apply"]
        return
    services = yaml.safe_load((ROOT / named[0]).read_text("utf-8"))["services"]
    _, command, *rest = plain
    assert command in {"up", "down", "logs", "run"}
    assert set(rest[:1]) <= services.keys()
    if command == "run":
        assert_is_a_command(" ".join(["credit-gateway", *rest[1:]]))


class Installation:
    """One that is made by the README's own lines; `url` is where it serves, once it does."""

    def __init__(self, shell: Shell, stack: ExitStack) -> None:
        self.shell = shell
        self.stack = stack
        self.url = ""

    def follow(self, block: Block) -> str:
        """Write a block to where it belongs, or run it; returns what was said."""
        if block.language == "toml":
            file = self.shell.folder / "gateway.toml"
            before = file.read_text() if file.exists() else ""
            file.write_text(merged(before, self.shell.written(block.text)))
            return ""
        if "< key.json" in block.text:
            self.write_key()
        ending, lasting = split(block)
        said = "".join(self.shell.run(ending)) if ending.strip() else ""
        if key := re.search(r"Key (\w+); keep", said):
            self.shell.instead["4f1f6a0b9c2d3e58"] = key[1]
        if lasting:
            # It goes on until all is done, as in another terminal.
            said += self.stack.enter_context(self.shell.lasting(lasting, until(lasting)))
        if lasting and "serve" in lasting:
            url = re.search(r"http://127\.0\.0\.1:\d+", said)
            assert url
            self.url = self.shell.instead["http://127.0.0.1:8000"] = url[0]
        return said

    def write_key(self) -> None:
        """Write the credentials of an account at HostUp to where the README reads them."""
        lines = (self.shell.folder / "customers.jsonl").read_text().splitlines()
        given = [one["credentials"] for one in json.loads(lines[0])["accounts"]]
        key = next(one for one in given if "hostup" in one)
        (self.shell.folder / "key.json").write_text(json.dumps(key))


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    copy = copy_of_the_repository(tmp_path)
    # The environment wins over the file: it chooses a free port, and ends at once.
    shell = Shell(copy, {"GATEWAY_SERVER__PORT": "0", "GATEWAY_SERVER__UNREADY_FOR": "0s"})
    with redis_server() as redis, ExitStack() as stack:
        port = free_port()
        emulated = f"http://127.0.0.1:{port}"
        shell.instead = {
            "credit-gateway sandbox": f"credit-gateway sandbox --port {port}",
            "http://127.0.0.1:9000": emulated,
            "https://cloud.example.com": f"{emulated}/cloudreve",
            "https://cloud.hostup.se": f"{emulated}/hostup",
            "https://crm.example.com": f"{emulated}/carecloud",
            'application_id = "…"': f'application_id = "{sandbox.CARECLOUD_APPLICATION_ID}"',
            'login = "…"': f'login = "{sandbox.CARECLOUD_LOGIN}"',
            "CARECLOUD_PASSWORD=…": f"CARECLOUD_PASSWORD={sandbox.CARECLOUD_PASSWORD}",
            "https://login.example.com/.well-known": emulated,
            "redis://127.0.0.1:6379/0": redis.url,
        }
        yield Installation(shell, stack)


@needs_redis
@pytest.mark.timeout(240)
def test_an_installation_is_made_and_used_as_the_readme_says(installation: Installation) -> None:
    shell = installation.shell

    said = "".join(
        installation.follow(one)
        for one in BLOCKS
        if one.language in {"sh", "toml"} and one.section not in ELSEWHERE
    )
    revoked = httpx.post(
        f"{installation.url}/graphql",
        json={"query": "{ viewer { subject } }"},
        headers={"Authorization": f"Bearer {shell.environment['KEY']}"},
        trust_env=False,
    )

    assert shell.used == set(shell.instead)
    assert "WRONG" not in said
    for told in ("13 created", "ok ", "CREATED", "DELETED", '"nodes":[{', "eyJ"):
        assert told in said, told
    assert '"errors"' not in said
    assert revoked.status_code == 401


def test_a_command_that_fails_is_told(tmp_path: Path) -> None:
    shell = Shell(tmp_path, {})

    shell.run("export KEPT=here")

    assert shell.run('echo "$KEPT"').out == "here\n"
    for wrong in ("false\ntrue", "no-such-command", "credit-gateway check --config missing.toml"):
        with pytest.raises(AssertionError):
            shell.run(wrong)
    with pytest.raises(AssertionError), shell.lasting("echo something else", "Serving"):
        pass
