"""A gateway as a process of its own, with a wire that can be damaged between it and the sandbox."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from canaries import assert_none
from memory import starved_seconds
from wire import Greeting, Wire
from world import configuration, import_customers

from app import settings
from app.sandbox import Sandbox, SandboxServer

ENTRIES = 20
PROVIDERS = ("cloud", "hosting", "loyalty")
STALE_AFTER_SECONDS = 601
# Longer than whatever waits by the real time, whose clock cannot be moved.
_PATIENCE_SECONDS = 60
# What a customer asks for; the deadline below is far above what a provider may take.
REQUEST_SECONDS = 2.0
PROVIDER_SECONDS = 0.5
_SERVER = Path(__file__).with_name("clocked_gateway.py")
_MORE = f"""
[server]
request_timeout = "{REQUEST_SECONDS:g}s"

[cache]
url = "{{cache}}"
fresh_for = "10m"
rebuild_after = "3650d"
stale_for = "24h"
"""
QUERY = """query($reference: String!, $providers: [String!]) { customer(reference: $reference) {
  creditChanges(first: 100, filter: {providers: $providers}) {
    nodes { id occurredAt amount { amount unit } account { provider { name } } }
    pageInfo { hasNextPage }
    sources { state account { provider { name } } error { code message retryAt } } } } }"""
Rows = list[dict[str, Any]]


class Told(NamedTuple):
    """What was answered about a customer's credit, and after how many seconds of its own."""

    body: dict[str, Any]
    seconds: float

    @property
    def page(self) -> dict[str, Any]:
        page: dict[str, Any] = self.body["data"]["customer"]["creditChanges"]
        return page

    @property
    def rows(self) -> Rows:
        rows: Rows = self.page["nodes"]
        return rows

    @property
    def errors(self) -> list[dict[str, Any]]:
        errors: list[dict[str, Any]] = self.body.get("errors", [])
        return errors

    @property
    def states(self) -> dict[str, str]:
        return {name: source["state"] for name, source in self.sources.items()}

    @property
    def sources(self) -> dict[str, dict[str, Any]]:
        return {one["account"]["provider"]["name"]: one for one in self.page["sources"]}


@dataclass
class Faulty:
    """One gateway of the process `pid`, and all that is behind it."""

    http: httpx.Client
    pid: int
    wire: Wire
    sandbox: Sandbox
    config: Path
    environment: Mapping[str, str]
    ahead: timedelta = timedelta(0)
    _unread: Iterator[str] = field(default_factory=lambda: map("C-{}".format, range(1006, 9999)))

    def unread(self) -> str:
        """Return a customer of whom the gateway has read nothing."""
        return next(self._unread)

    def ask(self, reference: str, *providers: str) -> Told:
        """Return what is told of a customer's credit, at these providers only if any are named."""
        variables = {"reference": reference, "providers": list(providers) or None}
        began = self.own_seconds()
        response = self.http.post("/graphql", json={"query": QUERY, "variables": variables})
        seconds = self.own_seconds() - began
        assert response.status_code == 200, response.text
        assert_none(response.text, "an answer")
        return Told(response.json(), seconds)

    def own_seconds(self) -> float:
        """Return a time that stands still while others have the processors that it takes."""
        return time.perf_counter() - starved_seconds(self.pid) - starved_seconds(os.getpid())

    def move(self, seconds: float) -> None:
        """Move the gateway's clock on."""
        self.ahead += timedelta(seconds=seconds)
        self.control(ahead=seconds)

    def control(self, **wishes: float) -> dict[str, Any]:
        """Return what only the process itself can tell."""
        answer: dict[str, Any] = self.http.post("/control", params=wishes).json()
        return answer

    def clock(self) -> datetime:
        return datetime.fromisoformat(self.control()["now"])

    def recovered(self, reference: str) -> Told:
        """Ask as time goes by until all is fresh; fails where nothing comes of waiting."""
        return self.until(lambda: self.ask(reference), lambda told: is_whole(told, "FRESH"))

    def until_whole(self, reference: str) -> Told:
        """Ask until all is fresh or about to be, as where what is read is old a moment later."""
        return self.until(
            lambda: self.ask(reference),
            lambda told: not told.errors and not any(s["error"] for s in told.sources.values()),
        )

    def until(self, ask: Callable[[], Told], holds: Callable[[Told], bool]) -> Told:
        """Ask again as time goes by until it holds, each time when it is said that it may."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not holds(told := ask()):
            assert time.monotonic() < deadline, f"it did not come to hold: {told.sources}"
            time.sleep(0.05)
            self.move(self._until_retried(told))
        return told

    def _until_retried(self, told: Told) -> float:
        errors = [source["error"] for source in told.sources.values() if source["error"]]
        times = [datetime.fromisoformat(error["retryAt"]) for error in errors]
        return max([(at - self.clock()).total_seconds() + 0.1 for at in times] + [0])


def is_whole(told: Told, state: str) -> bool:
    return not told.errors and told.states == dict.fromkeys(PROVIDERS, state)


@contextmanager
def faulty(
    folder: Path,
    *,
    customers: int = 3,
    cache: str = "embedded://",
    environment: Mapping[str, str] | None = None,
    greeting: Greeting | None = None,
    unlinked: Mapping[str, str] | None = None,
) -> Iterator[Faulty]:
    """Serve so many of the sandbox's customers through a wire; everything stops in the end.

    `greeting` is how the wire begins its connections, for HTTPS; `unlinked` tells of customers at
    which provider they have no account.
    """
    emulated = Sandbox(entries=ENTRIES, customers=customers)
    # The gateway's clock runs ahead by hours; tokens shall not end by that.
    emulated.change_settings(access_token_seconds=10_000_000)
    with (
        SandboxServer(emulated) as server,
        Wire(server.url, PROVIDERS, greeting) as wire,
    ):
        config = configuration(folder, server.url, _MORE.format(cache=cache))
        around = {**_relayed(settings.load(config, {}), wire), **(environment or {})}
        configured = settings.load(config, around)
        linked = _without(emulated.sample_customers(), unlinked or {})
        asyncio.run(import_customers(configured, linked))
        with (
            _serving(config, around) as (process, url),
            httpx.Client(base_url=url, timeout=30, trust_env=False) as http,
        ):
            one = Faulty(http, process.pid, wire, emulated, config, around)
            wire.clock = one.clock
            yield one


def _without(lines: Rows, unlinked: Mapping[str, str]) -> Rows:
    for line in lines:
        absent = unlinked.get(line["reference"])
        line["accounts"] = [one for one in line["accounts"] if one["provider"] != absent]
    return lines


def _relayed(configured: settings.Settings, wire: Wire) -> dict[str, str]:
    """Return what makes the gateway ask the wire, impatiently and as often as it likes."""
    changed: dict[str, str] = {}
    for name in PROVIDERS:
        path = httpx.URL(configured.providers[name].base_url).path
        settled = {
            "BASE_URL": wire.url(name) + path,
            "TIMEOUT": f"{PROVIDER_SECONDS * 1000:.0f}ms",
            "RATE": "1000000/minute",
        }
        changed |= {f"GATEWAY_PROVIDERS__{name.upper()}__{key}": v for key, v in settled.items()}
    return changed


@contextmanager
def _serving(
    config: Path, environment: Mapping[str, str]
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    log = config.with_suffix(".log")
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, str(_SERVER), str(config)],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            assert process.stdout
            port = process.stdout.readline().strip()
            assert port, log.read_text()
            url = f"http://127.0.0.1:{port}"
            _wait_until_ready(url)
            yield process, url
        finally:
            process.kill()
            process.communicate()
    logged = log.read_text()
    assert_none(logged, "the gateway's log")
    assert "Traceback" not in logged, logged
    assert "exception was never retrieved" not in logged, logged


def _wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            if httpx.get(f"{url}/readyz", trust_env=False).status_code == 200:
                return
        time.sleep(0.02)
    raise AssertionError("the gateway did not become ready")
