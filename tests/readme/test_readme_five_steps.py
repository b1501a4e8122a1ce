"""Adding a provider, step by step as the README says, in a copy of the repository."""

import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import httpx
import pytest
from document import Block, section
from shell import Shell, copy_of_the_repository, until
from world import VAULT_KEY

STEPS = section("Add a provider in five steps")
# Files that are written, by what the line before names.
CREATED = re.compile(r"`((?:app|tests)/[\w/.-]+)`[^`]*:$")
CHANGED = [name for one in STEPS for name in re.findall(r"^--- (.+)$", one.text, re.MULTILINE)]
KEY = "key-of-the-card"


def patched(text: str, hunk: str) -> str:
    """Return a text with the lines of a hunk in it; those that were there say where."""
    lines = hunk.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if line[0] in " -")
    after = "".join(line[1:] for line in lines if line[0] in " +")
    assert text.count(f"\n{before}") == 1, (
        f"these lines are not there, or more than once:\n{before}"
    )
    return text.replace(f"\n{before}", f"\n{after}")


def change(folder: Path, difference: str) -> None:
    """Apply a block of differences to the files that it names."""
    for named in re.split(r"^--- ", difference, flags=re.MULTILINE)[1:]:
        name, _, hunks = named.partition("\n")
        file = folder / name
        text = file.read_text()
        for hunk in re.split(r"^@@\n", hunks, flags=re.MULTILINE)[1:]:
            text = patched(text, hunk)
        file.write_text(text)


def create(folder: Path, block: Block) -> None:
    """Write a new file, where the line before it says."""
    named = CREATED.search(block.before)
    assert named, f"line {block.line}: no file is named before it"
    file = folder / named[1]
    assert not file.exists()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(block.text)


class Followed(NamedTuple):
    """A copy of the repository in which all steps were taken, and what was said then."""

    shell: Shell
    said: str


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Followed:
    copy = copy_of_the_repository(tmp_path_factory.mktemp("five-steps"))
    shell = Shell(copy, {"GATEWAY_VAULT_KEY": VAULT_KEY})
    said = ""
    for block in STEPS:
        match block.language:
            case "diff":
                change(copy, block.text)
            case "python" | "json":
                create(copy, block)
            case "sh":
                said += shell.run(block.text).out
    return Followed(shell, said)


def test_each_file_is_changed_in_one_step_alone() -> None:
    assert len(CHANGED) == len(set(CHANGED)) == 5


@pytest.mark.timeout(240)
def test_the_contract_holds_for_what_was_added(followed: Followed) -> None:
    passed = re.search(r"(\d+) passed, \d+ deselected", followed.said)

    assert passed
    assert int(passed[1]) > 30
    assert "test_contract" in followed.said
    assert not re.search("failed|skipped|error", followed.said)


def test_the_schema_and_the_configuration_tell_of_the_new_kind(followed: Followed) -> None:
    schema = (followed.shell.folder / "schema.graphql").read_text()
    readme = (followed.shell.folder / "README.md").read_text()

    assert "| tally: The unit its points are shown in. |" in readme
    assert "type TallyCreditChange {" in schema
    assert "tally: TallyCredentials" in schema


def test_what_was_added_keeps_to_the_style(followed: Followed) -> None:
    files = " ".join([*CHANGED, "app/providers/tally.py", "tests/providers/kinds/tally.py"])

    for command in ("ruff check", "ruff format --check"):
        followed.shell.run(f".venv/bin/{command} {files}")


class Tally(BaseHTTPRequestHandler):
    """Answers as it was recorded, to who has the key."""

    answers: dict[str, bytes]

    def do_GET(self) -> None:
        is_known = self.headers["Authorization"] == f"Bearer {KEY}"
        body = self.answers[self.path] if is_known else b"{}"
        self.send_response(200 if is_known else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as it is called there
        """Say nothing."""


@pytest.fixture
def upstream(followed: Followed) -> Iterator[str]:
    recorded = followed.shell.folder / "tests/providers/fixtures/tally"
    entries = json.loads((recorded / "entries.json").read_text())
    Tally.answers = {
        "/entries?page=0": json.dumps(entries).encode(),
        "/entries?page=1": json.dumps({"entries": [], "next": None}).encode(),
        "/balance": (recorded / "balance.json").read_bytes(),
    }
    with ThreadingHTTPServer(("127.0.0.1", 0), Tally) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_gateway_gives_the_new_providers_rows(followed: Followed, upstream: str) -> None:
    configuration = next(one.text for one in STEPS if one.language == "toml")
    query = next(one.text for one in STEPS if one.language == "graphql")
    followed.shell.instead = {"https://api.tally.example": upstream}
    account = {"provider": "card", "credentials": {"tally": {"apiKey": KEY}}}
    customer = {"reference": "C-1001", "accounts": [account]}
    (followed.shell.folder / "customers.jsonl").write_text(json.dumps(customer))
    (followed.shell.folder / "gateway.toml").write_text(
        f'auth.mode = "none"\nserver = {{ port = 0, unready_for = "0s" }}\n'
        f"{followed.shell.written(configuration)}"
    )

    followed.shell.run("credit-gateway customers import customers.jsonl")
    with followed.shell.lasting("credit-gateway serve", until("credit-gateway serve")) as said:
        url = said.split()[-1]
        answer = httpx.post(url, json={"query": query}, trust_env=False, timeout=20).json()

    assert "errors" not in answer
    shown = answer["data"]["customer"]
    assert shown["creditChanges"]["nodes"] == [
        {
            "amount": {"amount": str(row["points"]), "unit": "points"},
            "details": {"entryId": row["id"], "shop": row["shop"]},
        }
        for row in json.loads(Tally.answers["/entries?page=0"])["entries"]
    ]
    assert shown["creditChanges"]["sources"] == [{"state": "FRESH"}]
    assert shown["balances"] == [{"reported": {"amount": "820", "unit": "points"}}]


def test_a_step_that_does_not_fit_the_files_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("one\ntwo\n")

    with pytest.raises(AssertionError, match="are not there"):
        change(tmp_path, "--- file\n@@\n three\n+four\n")
    change(tmp_path, "--- file\n@@\n-two\n+three\n")
    assert (tmp_path / "file").read_text() == "one\nthree\n"
