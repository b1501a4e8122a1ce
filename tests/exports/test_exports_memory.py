"""100,000 entries are exported in the memory of 10,000, and are the rows that GraphQL gives."""

import asyncio
import csv
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import orjson
import pytest
from figures import note
from graphql_rows import flat, page_query, unaliased
from memory import forget_peak, peak_bytes, resident_bytes
from redis_server import needs_redis, redis_server
from world import configuration, import_customers

from app import settings
from app.sandbox import Sandbox, SandboxServer

pytestmark = [needs_redis, pytest.mark.timeout(300)]

ENTRIES = 100_000
FEW = 10_000
ACCOUNTS = 2
PAGE = 1000
# What an export of few entries does not show: buffers of a connection that is written without end.
SLACK = 6 << 20
# A row has some 800 bytes as JSON and 250 as CSV, and each takes more than that while it is held.
LEAST_COLLECTED = (ENTRIES - FEW) * 150
MORE = f"""
page_size = {PAGE}
timeout = "60s"

[server]
request_timeout = "120s"

[cache]
url = "{{redis}}"
fresh_for = "1d"

[limits]
page_size = {PAGE}
cost = 10000000
"""
SCRIPT = Path(__file__).with_name("collecting.py")


class Taken(NamedTuple):
    """How many rows were taken of an export, how much more memory it took at most, and how long."""

    rows: int
    grown_bytes: int
    processor_seconds: float


class Served(NamedTuple):
    """A gateway in a process of its own."""

    http: httpx.Client
    pid: int

    def export(self, form: str, **where: str) -> Iterator[str]:
        """Yield the lines of an export of credit changes."""
        with self._answer(form, where) as answer:
            rest = b""
            for part in answer.iter_raw():
                *lines, rest = (rest + part).split(b"\n")
                yield from map(bytes.decode, lines)
            assert rest == b""

    @contextmanager
    def _answer(self, form: str, where: Mapping[str, str]) -> Iterator[httpx.Response]:
        path = f"/customers/LONG/credit-changes.{form}"
        headers = {"Accept-Encoding": "identity"}
        with self.http.stream("GET", path, params=where, headers=headers) as answer:
            assert answer.status_code == httpx.codes.OK, answer.read()
            yield answer

    def taken(self, form: str, **where: str) -> Taken:
        before, began = resident_bytes(self.pid), processor_seconds(self.pid)
        forget_peak(self.pid)
        with self._answer(form, where) as answer:
            lines = sum(part.count(b"\n") for part in answer.iter_raw())
        took = processor_seconds(self.pid) - began
        return Taken(lines - (form == "csv"), peak_bytes(self.pid) - before, took)

    def pages(self) -> Iterator[list[dict[str, Any]]]:
        """Yield the rows of the same list, a page at a time, as GraphQL gives them."""
        after, more = None, True
        while more:
            variables = {"of": "LONG", "first": PAGE, "after": after, "order": "NEWEST_FIRST"}
            asked = {"query": page_query("creditChanges"), "variables": variables}
            answer = orjson.loads(self.http.post("/graphql", json=asked).content)
            assert "errors" not in answer, answer["errors"]
            page = answer["data"]["customer"]["list"]
            yield [unaliased(node) for node in page["nodes"]]
            after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]


def processor_seconds(pid: int) -> float:
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Configure a customer with two accounts, whose histories have 100,000 entries together."""
    with (
        redis_server() as redis,
        SandboxServer(Sandbox(entries=ENTRIES // ACCOUNTS, customers=ACCOUNTS)) as providers,
    ):
        folder = tmp_path_factory.mktemp("long")
        file = configuration(folder, providers.url, MORE.format(redis=redis.url))
        cards = [
            {**account, "label": f"card {number}"}
            for number, customer in enumerate(providers.sandbox.sample_customers())
            for account in customer["accounts"]
            if account["provider"] == "loyalty"
        ]
        assert len(cards) == ACCOUNTS
        configured = settings.load(file, {})
        asyncio.run(import_customers(configured, [{"reference": "LONG", "accounts": cards}]))
        yield file


@contextmanager
def served(config: Path, *how: str) -> Iterator[Served]:
    """Serve a gateway that has the whole histories in its memory."""
    command = [sys.executable, str(SCRIPT), str(config), *how]
    root = Path(__file__).parents[2]
    environ = {**os.environ, "PYTHONPATH": str(root)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ)
    try:
        assert process.stdout
        url = process.stdout.readline().strip()
        with httpx.Client(base_url=url, trust_env=False, timeout=120) as http:
            yield Served(http, process.pid)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def gateway(config: Path) -> Iterator[Served]:
    with served(config) as one:
        yield one


@pytest.fixture(scope="module")
def control(config: Path) -> Iterator[Served]:
    with served(config, "collect") as one:
        yield one


@pytest.fixture(scope="module")
def few(gateway: Served) -> dict[str, str]:
    """Return the bound after which about 10,000 entries are."""
    line = next(islice(gateway.export("ndjson"), FEW, None))
    return {"from": orjson.loads(line)["occurredAt"]}


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_an_export_takes_as_much_memory_for_many_entries_as_for_few(
    gateway: Served, few: dict[str, str], form: str
) -> None:
    small, large = measured(gateway, few, form)

    assert large - small < SLACK


def test_an_export_that_was_collected_first_would_be_noticed(
    control: Served, few: dict[str, str]
) -> None:
    small, large = measured(control, few, "ndjson", ", collected before it is sent")

    assert large - small > LEAST_COLLECTED > SLACK


def measured(served: Served, few: dict[str, str], form: str, how: str = "") -> tuple[int, int]:
    """Return how many bytes few entries take, and all of them."""
    served.taken(form, **few)  # reads the histories, and makes what is made once
    small, large = served.taken(form, **few), served.taken(form)
    for one in (small, large):
        note(f"memory of {one.rows} rows as {form}{how}", f"{one.grown_bytes / 2**20:.1f} MiB")
    note(
        f"rows in a second of a processor as {form}{how}",
        f"{ENTRIES / large.processor_seconds:,.0f}",
    )
    assert FEW <= small.rows < FEW + 100
    assert large.rows == ENTRIES
    return small.grown_bytes, large.grown_bytes


def test_the_rows_of_both_formats_are_those_of_graphql(gateway: Served) -> None:
    json_lines = gateway.export("ndjson")
    rows = csv.DictReader(f"{line}\n" for line in gateway.export("csv"))
    count = 0
    for page in gateway.pages():
        assert [orjson.loads(next(json_lines)) for _ in page] == page
        for node in page:
            cells = {name: cell for name, cell in next(rows).items() if cell}
            assert cells == dict(flat(node))
        count += len(page)

    assert count == ENTRIES
    assert next(json_lines, None) is None
    assert next(rows, None) is None
