"""The load balancer's configuration, by HAProxy itself; test_docker_serving.py tries it out."""

import subprocess
from pathlib import Path

import pytest
from names import answer
from shipped import FOLDER
from stack import HAPROXY, needs_haproxy

TEXT = (FOLDER / "haproxy.cfg").read_text()
pytestmark = needs_haproxy


def checked(text: str, folder: Path) -> tuple[int, str]:
    """Return what HAProxy says of a configuration; a warning is a failure, too."""
    file = folder / "haproxy.cfg"
    file.write_text(text)
    found = subprocess.run(
        [str(HAPROXY), "-dW", "-c", "-f", file], capture_output=True, text=True, check=False
    )
    return found.returncode, found.stdout + found.stderr


def test_haproxy_accepts_it_without_a_warning(tmp_path: Path) -> None:
    status, said = checked(TEXT, tmp_path)

    assert status == 0, said
    assert "[WARNING]" not in said


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ("default_backend gateways", "default_backend gateway", "unable to find"),
        ("balance leastconn", "balance leastcon", "balance"),
        ("    mode http", "    mode htp", "htp"),
        ("resolvers docker resolve-prefer", "resolvers dock resolve-prefer", "dock"),
        ("    timeout connect 2s\n", "", "missing timeouts"),
    ],
)
def test_a_broken_configuration_is_noticed(
    was: str, becomes: str, told: str, tmp_path: Path
) -> None:
    assert was in TEXT
    status, said = checked(TEXT.replace(was, becomes), tmp_path)

    assert status != 0
    assert told in said


def test_the_name_server_of_the_tests_answers_as_one() -> None:
    asked = bytes.fromhex("abcd010000010000000000000767617465776179000001 0001".replace(" ", ""))
    found = answer(asked, ["127.0.0.2", "127.0.0.3"])
    of_another_kind = answer(asked[:-4] + b"\x00\x1c\x00\x01", ["127.0.0.2"])

    assert found[:8] == bytes.fromhex("abcd818000010002")
    assert found.endswith(bytes([127, 0, 0, 3]))
    assert of_another_kind[:8] == bytes.fromhex("abcd818000010000")
