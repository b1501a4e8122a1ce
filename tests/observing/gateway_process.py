"""A gateway as a process of its own, whose log is read as its operator would."""

import asyncio
import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
from canaries import assert_none
from commands import COMMAND
from world import configuration, import_customers

from app import settings
from app.sandbox import SandboxServer

T = TypeVar("T")
_PATIENCE_SECONDS = 30


@dataclass
class Gateway:
    """One that is ready, at `http`; what it logged so far is in a file."""

    http: httpx.Client
    process: subprocess.Popen[str]
    log: Path
    folder: Path

    @property
    def text(self) -> str:
        written = self.log.read_text("utf-8")
        assert_none(written, "the log")
        return written

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def told(self, **fields: object) -> list[dict[str, Any]]:
        """Return the lines that say this."""
        return [one for one in self.events if fields.items() <= one.items()]

    def ask(self, query: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return self.http.post("/graphql", json={"query": query}, headers=headers)

    def end(self) -> int:
        """Stop it as an operator does, and return its exit status."""
        self.process.terminate()
        return self.process.wait(_PATIENCE_SECONDS)


def eventually(look: Callable[[], T], within: float = 60) -> T:
    """Return what is seen once it is something; what it is by then where it never is."""
    until = time.monotonic() + within
    while not (seen := look()) and time.monotonic() < until:
        time.sleep(0.02)
    return seen


@contextmanager
def gateway(folder: Path, providers: SandboxServer, more: str = "") -> Iterator[Gateway]:
    """Serve the sandbox's sample customers; once it is told to stop it does so at once."""
    more = f'{more}\n[server]\nunready_for = "0s"\n'
    folder.mkdir(parents=True, exist_ok=True)
    file, log = configuration(folder, providers.url, more), folder / "log"
    customers = providers.sandbox.sample_customers()
    asyncio.run(import_customers(settings.load(file, {}), customers))
    command = [str(COMMAND), "serve", "--config", str(file), "--port", "0"]
    with (
        log.open("wb") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        try:
            assert process.stdout
            found = re.search(r"(http://\S+)/graphql", process.stdout.readline())
            assert found, log.read_text()
            with httpx.Client(base_url=found[1], timeout=30, trust_env=False) as http:
                assert eventually(lambda: is_ready(http), _PATIENCE_SECONDS), log.read_text()
                yield Gateway(http, process, log, folder)
        finally:
            process.kill()


def is_ready(http: httpx.Client) -> bool:
    try:
        return http.get("/readyz").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
