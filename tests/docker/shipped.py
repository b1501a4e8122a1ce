"""What is under docker/, read by parsers, as whoever deploys it would have it read."""

import copy
import io
import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from dockerfile_parse import DockerfileParser

from app.settings import Settings

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docker"
DOCKERFILE = FOLDER / "Dockerfile"
COMPOSE = FOLDER / "compose.yaml"
CLUSTER = FOLDER / "compose.cluster.yaml"

Table = dict[str, Any]
# Loads a configuration that is shipped, its secrets being files of a test.
Load = Callable[[Path], Settings]
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


def read(file: Path) -> Any:  # noqa: ANN401 (YAML holds anything)
    return yaml.safe_load(file.read_text())


def composed(*files: Path) -> Table:
    """Return compose files, each laid over those before it: tables are joined, lists appended.

    A command and a check are not joined but replaced, as Compose does it.
    """
    whole: Table = {}
    for file in files:
        whole = _over(whole, read(file))
    return whole


def _over(below: Table, above: Table) -> Table:
    joined = copy.deepcopy(below)
    for key, value in above.items():
        under = joined.get(key)
        if isinstance(under, dict) and isinstance(value, dict):
            joined[key] = _over(under, value)
        elif isinstance(under, list) and isinstance(value, list) and key not in {"command", "test"}:
            joined[key] = [*under, *value]
        else:
            joined[key] = copy.deepcopy(value)
    return joined


def manifests() -> Mapping[str, Table]:
    """Return Kubernetes's manifests by the names of their files; the kustomization is none."""
    files = sorted((FOLDER / "kubernetes").glob("*.yaml"))
    return {one.name: read(one) for one in files if one.name != "kustomization.yaml"}


def make_secrets(folder: Path) -> Path:
    """Make secrets as secrets.sh does, but for those that are there already; return where."""
    script = shutil.copy2(FOLDER / "secrets.sh", folder)
    subprocess.run([script], check=True, capture_output=True)
    made = folder / "secrets"
    (made / "carecloud-password").write_text("invented")
    return made


def seconds(duration: str) -> float:
    """Return the seconds of a duration such as 30s, 5m or 15."""
    found = re.fullmatch(r"(\d+)([smh]?)", duration)
    assert found, duration
    return int(found[1]) * _UNITS[found[2]]


@dataclass(frozen=True)
class Instruction:
    """A line of the Dockerfile; no shell reads its words where it `is_exec`."""

    name: str
    flags: tuple[str, ...]
    words: tuple[str, ...]
    is_exec: bool


@dataclass(frozen=True)
class Stage:
    """What is between two FROMs."""

    name: str
    base: str
    instructions: tuple[Instruction, ...]

    def all(self, name: str) -> list[Instruction]:
        return [one for one in self.instructions if one.name == name]

    def last(self, name: str) -> Instruction:
        """Return the instruction of this name that holds, as a later one takes its place."""
        return self.all(name)[-1]

    def environment(self) -> Mapping[str, str]:
        pairs = (word.partition("=") for one in self.all("ENV") for word in one.words)
        return {name: value for name, _, value in pairs}


def stages(text: str) -> list[Stage]:
    """Return the stages of a Dockerfile, the arguments before them put into their bases."""
    found: list[tuple[str, str, list[Instruction]]] = []
    variables: dict[str, str] = {}
    for one in map(_instruction, _lines(text)):
        if one.name == "FROM":
            base = re.sub(r"\$\{(\w+)\}", lambda name: variables[name[1]], one.words[0])
            found.append((one.words[-1], base, []))
        elif not found:
            assert one.name == "ARG", one
            name, _, value = one.words[0].partition("=")
            variables[name] = value
        else:
            found[-1][2].append(one)
    return [Stage(name, base, tuple(instructions)) for name, base, instructions in found]


def _lines(text: str) -> list[tuple[str, str]]:
    with io.BytesIO(text.encode()) as file:
        lines = DockerfileParser(fileobj=file).structure
    return [(one["instruction"], one["value"]) for one in lines if one["instruction"] != "COMMENT"]


def _instruction(line: tuple[str, str]) -> Instruction:
    name, value = line
    flags: list[str] = []
    while value.startswith("--"):
        flag, _, value = value.partition(" ")
        flags.append(flag)
        value = value.lstrip()
    before, _, command = value.partition("[") if name == "HEALTHCHECK" else ("", "", "")
    listed = f"[{command}" if command else value
    if listed.startswith("["):
        return Instruction(name, tuple(flags), (*before.split(), *json.loads(listed)), is_exec=True)
    return Instruction(name, tuple(flags), tuple(shlex.split(value)), is_exec=False)


def health_check(stage: Stage) -> list[str]:
    """Return the command of the image's health check, which no shell reads."""
    one = stage.last("HEALTHCHECK")
    assert one.words[0] == "CMD"
    assert one.is_exec
    return list(one.words[1:])


def texts(tree: object) -> Iterator[str]:
    """Give every text in a tree of tables and lists."""
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, dict):
        for key, value in tree.items():
            yield str(key)
            yield from texts(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from texts(value)
