"""The image, as linters and parsers read its Dockerfile, and as its parts are built and run."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from docker.utils.build import exclude_paths
from shipped import DOCKERFILE, ROOT, Stage, stages
from world import VAULT_KEY

from app import settings

TEXT = DOCKERFILE.read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
_SECRET = re.compile("secret|password|token|api_?key|private", re.IGNORECASE)


def sent(root: Path) -> set[str]:
    """Return the files that a builder is sent of a folder, as Docker reads its .dockerignore."""
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    patterns = [rule for line in rules if (rule := line.strip()) and not rule.startswith("#")]
    found = exclude_paths(str(root), patterns, dockerfile="docker/Dockerfile")
    return {name for name in found if (root / name).is_file()} - {"docker/Dockerfile"}


def lint(text: str) -> list[dict[str, str]]:
    """Return what hadolint finds; a file that it cannot read is a finding, too."""
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    assert hadolint
    found = subprocess.run(
        [hadolint, "--format", "json", "-"], input=text, capture_output=True, text=True, check=False
    )
    findings: list[dict[str, str]] = json.loads(found.stdout)
    return findings


def problems(text: str, names: Iterable[str]) -> list[str]:
    """Return what is wrong with a Dockerfile by the rules of this image; `names` are sent files."""
    found, read = [], stages(text)
    names = {*names, *(str(parent) for name in names for parent in Path(name).parents)}
    for number, stage in enumerate(read):
        found += [f"{stage.base} has no tag" for _ in [0] if not _is_tagged(stage.base)]
        found += _not_there(stage, names, {one.name for one in read[:number]})
        if stage.all("ADD"):
            found.append("ADD reads addresses and archives; use COPY")
        told = [word for one in (*stage.all("ENV"), *stage.all("ARG")) for word in one.words]
        found += [f"{word} is in the image" for word in told if _SECRET.search(word)]
    return found + _of_the_last(read[-1])


def _is_tagged(base: str) -> bool:
    tag = base.rpartition("/")[2].partition(":")[2]
    return bool(tag) and not tag.startswith("latest")


def _not_there(stage: Stage, names: set[str], before: set[str]) -> list[str]:
    found = []
    for one in stage.all("COPY"):
        source = next((flag[7:] for flag in one.flags if flag.startswith("--from=")), None)
        if source is not None:
            found += [f"{source} is no stage before" for _ in [0] if source not in before]
        else:
            wanted = [word.rstrip("/") for word in one.words[:-1]]
            found += [f"{word} is not sent" for word in wanted if word not in names]
    return found


def _of_the_last(stage: Stage) -> list[str]:
    found = []
    user = stage.last("USER").words[0] if stage.all("USER") else "root"
    if not re.fullmatch(r"[1-9]\d*:[1-9]\d*", user):
        found.append(f"{user} is not the number of a user without rights")
    for name in ("ENTRYPOINT", "CMD", "HEALTHCHECK"):
        if not stage.all(name):
            found.append(f"there is no {name}")
        elif not stage.last(name).is_exec:
            found.append(f"{name} is read by a shell, which passes no signal on")
    if stage.all("RUN"):
        found.append("the last stage makes something that an earlier one could")
    return found


def test_the_linter_finds_nothing() -> None:
    assert lint(TEXT) == []


@pytest.mark.parametrize(
    ("was", "becomes", "rule"),
    [
        ("--bases--", "FROM python\n", "DL3006"),
        ('ENTRYPOINT ["credit-gateway"]', "ENTRYPOINT credit-gateway", "DL3025"),
        ("WORKDIR /build\n", "WORKDIR build\n", "DL3000"),
        ("RUN npm ci\n", "RUNS npm ci\n", "DL1000"),
    ],
)
def test_the_linter_notices_a_broken_file(was: str, becomes: str, rule: str) -> None:
    broken = f"{TEXT}{becomes}" if was == "--bases--" else TEXT.replace(was, becomes)

    assert broken != TEXT
    assert rule in {one["code"] for one in lint(broken)}


def test_it_follows_the_rules_of_this_image() -> None:
    assert problems(TEXT, sent(ROOT)) == []


@pytest.mark.parametrize(
    ("was", "becomes", "problem"),
    [
        ("node:22-trixie-slim", "node", "node has no tag"),
        ("node:22-trixie-slim", "node:latest", "node:latest has no tag"),
        ("USER 10001:10001", "USER gateway", "gateway is not the number"),
        ("USER 10001:10001", "USER 0:0", "0:0 is not the number"),
        ('ENTRYPOINT ["credit-gateway"]', "ENTRYPOINT credit-gateway", "ENTRYPOINT is read by"),
        ('CMD ["serve"]', "CMD serve", "CMD is read by a shell"),
        ("COPY docker/requirements.txt", "COPY docker/pins.txt", "docker/pins.txt is not sent"),
        ("COPY pyproject.toml", "COPY docker/secrets", "docker/secrets is not sent"),
        ("--from=web", "--from=pages", "pages is no stage before"),
        ("ARG REVISION=unknown", "ARG VAULT_SECRET", "VAULT_SECRET is in the image"),
        ("EXPOSE 8000", "RUN apt-get update", "the last stage makes something"),
    ],
)
def test_a_broken_rule_is_noticed(was: str, becomes: str, problem: str) -> None:
    assert was in TEXT
    found = problems(TEXT.replace(was, becomes), sent(ROOT))

    assert any(problem in one for one in found), found


def test_a_builder_is_sent_what_the_image_is_made_of_and_no_secret(tmp_path: Path) -> None:
    wanted = {"pyproject.toml", "README.md", "docker/requirements.txt", "app/main.py"}
    unwanted = {
        ".env",
        "gateway.toml",
        "credit-gateway.db",
        "docker/gateway.toml",
        "docker/secrets/vault-key",
        "app/__pycache__/main.cpython-311.pyc",
        "app/web/built/index.html",
        "app/web/node_modules/vite/index.js",
        "tests/world.py",
    }
    for name in wanted | unwanted:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    assert sent(tmp_path) == wanted


def test_the_image_has_the_version_of_the_package() -> None:
    (told,) = [one for one in stages(TEXT)[-1].all("ARG") if one.words[0].startswith("VERSION=")]

    assert told.words == (f"VERSION={PROJECT['version']}",)


def test_the_entry_point_is_a_command_of_the_package() -> None:
    assert stages(TEXT)[-1].last("ENTRYPOINT").words[0] in PROJECT["scripts"]


def test_the_images_variables_are_keys_and_win_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(f"""vault.keys = ["{VAULT_KEY}"]
auth = {{ issuer = "https://login.example.com/", jwks_url = "https://login.example.com/jwks" }}
server = {{ host = "127.0.0.1", port = 1 }}
""")
    final = stages(TEXT)[-1]
    loaded = settings.load(file, final.environment())

    assert (loaded.server.host, f"{loaded.server.port}") == ("0.0.0.0", "8000")  # noqa: S104 - read
    assert final.last("EXPOSE").words == ("8000",)


def test_the_package_is_built_from_what_is_sent(tmp_path: Path) -> None:
    context = tmp_path / "context"
    for name in sent(ROOT):
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, context / name)
    page = context / "app/web/built/graphiql/index.html"  # as the first stage leaves it
    page.parent.mkdir(parents=True)
    page.write_text("<!doctype html>")
    build = [sys.executable, "-m", "pip", "wheel", "--no-index", "--wheel-dir", str(tmp_path)]
    alone = ["--no-deps", "--no-build-isolation", "."]
    subprocess.run([*build, *alone], cwd=context, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())

    assert {"app/main.py", "app/web/built/graphiql/index.html"} <= held
    assert {name for name in sent(ROOT) if name.endswith(".py")} <= held
    assert not [name for name in held if "node_modules" in name or name.endswith((".jsx", ".ts"))]
    metadata = next(name for name in held if name.endswith("entry_points.txt"))
    with zipfile.ZipFile(wheel) as archive:
        assert "credit-gateway = app.cli:main" in archive.read(metadata).decode()


def test_the_pages_are_built_as_make_builds_them() -> None:
    commands = [" ".join(one.words) for one in stages(TEXT)[0].all("RUN")]
    makefile = (ROOT / "Makefile").read_text()
    scripts = json.loads((ROOT / "app/web/package.json").read_text())["scripts"]

    assert commands == ["npm ci", "npm run build"]
    assert "build" in scripts
    assert "npm ci" in makefile
    assert re.search(r"npm run (--silent )?build", makefile)
