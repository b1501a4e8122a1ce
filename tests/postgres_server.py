"""A real PostgreSQL on a free port, where one is installed."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import asyncpg
import pytest
from redis_server import free_port

USER, PASSWORD = "gateway", "not-a-secret"


def _binaries() -> Path | None:
    """Return the folder of the newest PostgreSQL; Debian keeps it out of the path."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    found_there = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found_there[-1].parent if found_there else None


BINARIES = _binaries()
needs_postgresql = pytest.mark.skipif(
    BINARIES is None, reason="no PostgreSQL is installed; apt-get install postgresql brings it"
)


class PostgresServer:
    """One PostgreSQL whose files are in a temporary folder."""

    def __init__(self, folder: Path) -> None:
        assert BINARIES
        self.port = free_port()
        self._files = folder / "files"
        self._folder = folder
        self._binaries = BINARIES
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0
        # PostgreSQL refuses to run as root.
        self._as_nobody = (
            ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
            if os.getuid() == 0
            else []
        )

    def make(self) -> None:
        """Make an empty cluster; its own order of texts is not the one by code points."""
        if self._as_nobody:
            shutil.chown(self._folder, "postgres")
        word = self._folder / "password"
        word.write_text(PASSWORD)
        word.chmod(0o644)
        order = ["--encoding=UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=en-US"]
        login = [f"--username={USER}", f"--pwfile={word}", "--auth=scram-sha-256"]
        where = ["--no-sync", f"--pgdata={self._files}"]
        subprocess.run(
            [*self._as_nobody, self._binaries / "initdb", *where, *order, *login],
            check=True,
            capture_output=True,
            cwd=self._folder,
        )

    def start(self) -> None:
        """Return when it answers."""
        listening = ["-p", str(self.port), "-k", str(self._folder), "-h", "127.0.0.1"]
        options = [*listening, "-c", "fsync=off", "-c", "max_connections=200"]
        self._process = subprocess.Popen(
            [*self._as_nobody, self._binaries / "postgres", "-D", self._files, *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
        )
        deadline = time.monotonic() + 60
        while not self._answers():
            assert time.monotonic() < deadline, "PostgreSQL did not start"
            time.sleep(0.05)

    def stop(self) -> None:
        """End it as an operator does who does not wait for clients."""
        assert self._process
        self._process.send_signal(signal.SIGINT)
        self._process.wait(60)

    def pause(self) -> None:
        """Stop all of its processes as they are: connections are accepted, nothing is answered."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def url(self, database: str) -> str:
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    async def new_database(self, template: str = "template1") -> str:
        """Make a database and return its address."""
        self._databases += 1
        name = f"directory{self._databases}"
        connection = await asyncpg.connect(self.url("postgres"))
        try:
            await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        finally:
            await connection.close()
        return self.url(name)

    def _answers(self) -> bool:
        found = subprocess.run(
            [self._binaries / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)],
            check=False,
            capture_output=True,
        )
        return found.returncode == 0

    def _signal(self, number: signal.Signals) -> None:
        assert self._process
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        for child in [self._process.pid, *map(int, children.read_text().split())]:
            with suppress(ProcessLookupError):
                os.kill(child, number)


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Start a PostgreSQL, and end it by its process id."""
    # Whoever PostgreSQL runs as cannot look into the folders of tests.
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    server = PostgresServer(folder)
    try:
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
