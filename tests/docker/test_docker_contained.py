"""A gateway in a container writes nothing, may do nothing, and is asked whether it lives."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from contained import USER, contained, gateway_command, needs_containment, run
from redis_server import free_port
from shipped import DOCKERFILE, ROOT, health_check, stages
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from world import VAULT_KEY, serving

FINAL = stages(DOCKERFILE.read_text())[-1]
CHECK = health_check(FINAL)


def is_healthy(port: int) -> bool:
    """Say what the image's health check says of another port, by the Python of the tests."""
    program, *options, code = CHECK
    assert program == "python"
    assert code.count("8000") == 1
    proxy = dict.fromkeys(("http_proxy", "HTTP_PROXY"), "http://127.0.0.1:9")
    return (
        subprocess.run(
            [sys.executable, *options, code.replace("8000", str(port))],
            env=os.environ | proxy,
            capture_output=True,
            check=False,
        ).returncode
        == 0
    )


def answering(status: int) -> Starlette:
    """Return what answers with this status at /livez, and says that all is well elsewhere."""

    async def livez(_: object) -> PlainTextResponse:
        return PlainTextResponse("", status)

    async def elsewhere(_: object) -> PlainTextResponse:
        return PlainTextResponse("")

    return Starlette(routes=[Route("/livez", livez), Route("/{path}", elsewhere)])


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (404, False), (503, False)])
def test_the_health_check_wants_livez_to_be_200(status: int, healthy: bool) -> None:  # noqa: FBT001 - a case
    with serving(answering(status)) as url:
        assert is_healthy(int(url.rpartition(":")[2])) is healthy


def test_the_health_check_fails_where_nobody_listens() -> None:
    assert not is_healthy(free_port())


def test_the_health_check_gives_up_on_a_gateway_that_hangs_before_it_is_given_up() -> None:
    (timeout,) = [flag for flag in FINAL.last("HEALTHCHECK").flags if flag.startswith("--timeout")]
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        began = time.monotonic()
        healthy = is_healthy(hanging.getsockname()[1])
        took = time.monotonic() - began

    assert not healthy
    assert timeout == "--timeout=5s"
    # By itself, after the three seconds in it, and not by Docker, which kills it.
    assert took > 2.9


@pytest.fixture
def mounted(tmp_path: Path) -> Path:
    works = tmp_path / "credit-gateway"
    works.mkdir()
    (works / "gateway.toml").write_text(f"""vault.keys = ["{VAULT_KEY}"]
auth = {{ issuer = "https://login.example.com/", jwks_url = "https://login.example.com/jwks" }}
directory.url = "sqlite:////run/tmp/directory.db"
server.unready_for = "1s"
""")
    return tmp_path


@needs_containment
@pytest.mark.parametrize("place", [".", "/run", str(ROOT), "/usr", "/etc", "/var"])
def test_nothing_can_be_written(place: str, mounted: Path) -> None:
    status, said = run(["touch", f"{place}/written"], mounted)

    assert status != 0
    assert "Read-only file system" in said


@needs_containment
def test_temporary_files_can_be_written_by_a_user_without_rights(mounted: Path) -> None:
    rights = "grep -E '^(CapPrm|CapBnd|NoNewPrivs)' /proc/1/status"
    seen = f"touch /run/tmp/written && id --user && {rights}"
    status, said = run(["sh", "-c", seen], mounted)

    assert status == 0
    assert said.split() == [USER, "CapPrm:", "0" * 16, "CapBnd:", "0" * 16, "NoNewPrivs:", "1"]
    assert FINAL.last("USER").words == (f"{USER}:{USER}",)


@needs_containment
def test_nothing_of_a_container_is_left_when_it_ends(mounted: Path) -> None:
    asleep = ["sleep", f"99.{os.getpid()}"]
    twice = f"{' '.join(asleep)} & {' '.join(asleep)} & wait"
    with contained(["sh", "-c", twice], mounted) as one:
        one.until(lambda: len(_running(asleep)) == 2)

    assert _running(asleep) == []


def _running(command: list[str]) -> list[Path]:
    """Return the processes of this machine, in any container, that are this command."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if file.read_text().rstrip("\0").split("\0") == command:
                found.append(file)
    return found


@needs_containment
@pytest.mark.timeout(300)
@pytest.mark.parametrize("workers", [1, 2])
def test_the_image_s_own_command_serves_and_ends_as_told(workers: int, mounted: Path) -> None:
    port = free_port()
    environ = {**FINAL.environment(), "GATEWAY_SERVER__HOST": "127.0.0.1"}
    environ |= {"GATEWAY_SERVER__PORT": str(port)}
    del environ["PATH"]
    command = gateway_command() if workers == 1 else [*gateway_command(), "--workers", "2"]
    with contained(command, mounted, environ) as one:
        one.until(lambda: is_healthy(port))
        one.tell(signal.SIGTERM)
        status, told = one.ended(), one.told

    assert command[:2] == ["credit-gateway", "serve"]
    assert status == 0, told
    assert "Traceback" not in told
    assert not is_healthy(port)


@needs_containment
def test_a_directory_that_cannot_be_written_is_told_in_one_line(mounted: Path) -> None:
    file = mounted / "credit-gateway" / "gateway.toml"
    file.write_text(file.read_text().replace("/run/tmp/", "/run/credit-gateway/"))
    status, told = run(gateway_command(), mounted)

    assert status == 1
    assert told.startswith("credit-gateway: ")
    assert told.count("\n") == 1
