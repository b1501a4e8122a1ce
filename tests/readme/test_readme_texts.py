"""The README is a product: what it names is there, and what it shows is what is."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import yaml
from document import ANCHORS, BLOCKS, IN_LINE, LINKS, PROSE, ROOT, TEXT, between, blocks
from graphql import parse, validate
from reference_table import table, written
from shell import merged
from world import VAULT_KEY

from app import settings
from app.api.schema import schema
from app.directory.lines import parse as parse_line
from app.settings.keys import SECTIONS, fields_at

STEPS = "Add a provider in five steps"
# Every block is checked by a test that is here or named for its language in this table.
LANGUAGES = {
    "sh": "test_readme_commands.py",
    "graphql": "test_readme_queries.py",
    "json": "test_readme_queries.py",
    "toml": "test_readme_commands.py",
    "diff": "test_readme_five_steps.py",
    "python": "test_readme_five_steps.py",
}
# What `make web` and `docker/secrets.sh` make.
MADE = ("app/web/built", "docker/secrets")


def test_the_configuration_is_shown_as_it_is() -> None:
    assert between("configuration") == table(), "run `make reference`"


def test_a_configuration_that_has_changed_is_told() -> None:
    changed = TEXT.replace("The port to listen at", "Where to listen", 1)

    assert changed != TEXT
    assert written(changed) == written(TEXT) != changed


def test_every_block_has_a_language_that_is_checked() -> None:
    assert {one.language for one in BLOCKS} == set(LANGUAGES)
    assert all((Path(__file__).parent / name).exists() for name in LANGUAGES.values())


def test_the_queries_are_valid() -> None:
    queries = blocks("graphql", outside=STEPS)

    assert len(queries) > 5
    for query in queries:
        assert validate(schema._schema, parse(query.text)) == [], query.line


def test_every_path_that_is_named_exists() -> None:
    named = {one for one in IN_LINE if re.fullmatch(r"(app|tests|docker)/[\w/.-]*", one)}

    missing = {path for path in named if not (ROOT / path).exists()}

    assert len(named) > 20
    # Those of the five steps are made there.
    assert {path for path in missing if "tally" not in path and not path.startswith(MADE)} == set()


def test_every_package_is_named() -> None:
    packages = {file.parent.name for file in (ROOT / "app").glob("*/__init__.py")}

    missing = {name for name in packages if f"`app/{name}/" not in PROSE}

    assert len(packages) > 15
    assert missing == set()


def test_every_link_leads_somewhere() -> None:
    inside = [link for link in LINKS if not link.startswith("https://")]

    wrong = [
        link
        for link in inside
        if (link[1:] not in ANCHORS if link.startswith("#") else not (ROOT / link).exists())
    ]

    assert len(inside) > 3
    assert wrong == []


def test_every_key_that_is_named_is_one_of_the_configuration() -> None:
    known = {f"{section}.{key}" for section in SECTIONS for key in fields_at([section])}
    known |= {f"providers.<name>.{key}" for key in fields_at(["providers", "any"])}
    sections = "|".join(SECTIONS)
    named = {
        one.partition(" =")[0]
        for one in IN_LINE
        if re.match(rf"({sections}|providers)\.(<name>\.)?[a-z_]+( =|$)", one)
    }

    assert len(named) > 15
    assert named <= known


def test_every_target_of_make_that_is_named_is_there() -> None:
    named = [shlex.split(one) for one in IN_LINE if one.startswith("make ")]
    targets = {word for words in named for word in words[1:] if "=" not in word} - {"…"}

    told = subprocess.run(
        [
            shutil.which("make") or "make",
            "--dry-run",
            "--print-data-base",
            "--question",
            "no-such-target",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    assert {"demo", "test", "reference"} <= targets
    assert {target for target in targets if f"\n{target}:" not in told} == set()


def test_every_configuration_is_one(tmp_path: Path) -> None:
    file, shown = tmp_path / "gateway.toml", ""
    surroundings = {
        "GATEWAY_VAULT_KEY": VAULT_KEY,
        "GATEWAY_DEVELOPMENT_KEY": VAULT_KEY,
        "CARECLOUD_PASSWORD": "password",
    }

    loaded = []
    for one in blocks("toml", outside=STEPS):
        shown = merged(shown, one.text)
        file.write_text(shown)
        loaded.append(settings.load(file, surroundings))

    assert len(loaded) > 1
    assert set(loaded[0].providers) == {"cloud", "hosting", "loyalty"}
    assert loaded[0] != loaded[-1]


def test_every_line_to_import_is_one() -> None:
    kinds = {"cloud": "CLOUDREVE", "hosting": "HOSTUP", "loyalty": "CARECLOUD"}
    lines = [one.text for one in blocks("json") if one.text.startswith('{"reference"')]

    assert len(lines) == 1
    assert parse_line(lines[0], kinds).accounts  # type: ignore[arg-type] # by their names


def test_every_json_is_json() -> None:
    for one in blocks("json"):
        json.loads(one.text)


def test_lines_are_short() -> None:
    lines = [line.rstrip() for line in PROSE.splitlines()]
    long = [line for line in lines if len(line) > 120 and not line.startswith("|")]

    assert long == []


def test_the_runbook_tells_of_every_alarm() -> None:
    alarms = yaml.safe_load((ROOT / "docker/prometheus/alerts.yaml").read_text("utf-8"))
    names = [rule["alert"] for group in alarms["groups"] for rule in group["rules"]]

    told = re.findall(r"^\| `(Credit\w+)` \|", PROSE, re.MULTILINE)

    assert len(told) > 10
    assert sorted(told) == sorted(names)
