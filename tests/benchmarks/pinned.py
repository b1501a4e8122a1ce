"""A server on a core of its own: its processes, the time they took and the memory they hold."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_PATIENCE_SECONDS = 180
_LOOK_AGAIN_SECONDS = 0.005


class DidNotStart(Exception):
    """A server ended, or did not answer in time."""


@dataclass(frozen=True)
class Pinned:
    """A running server that listens at `port`."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cpu_seconds(self) -> float:
        """Return the processor time that all its processes took until now."""
        ticks = 0
        for pid in _tree(self.process.pid):
            with suppress(FileNotFoundError):
                after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
                ticks += int(after_name[11]) + int(after_name[12])
        return ticks / _TICKS_A_SECOND

    def memory_bytes(self) -> int:
        """Return the memory of all its processes, what several of them share divided by them."""
        kilobytes = 0
        for pid in _tree(self.process.pid):
            with suppress(FileNotFoundError):
                for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                    if line.startswith("Pss:"):
                        kilobytes += int(line.split()[1])
        return kilobytes << 10


@contextmanager
def pinned(
    command: Sequence[object],
    port: int,
    cores: set[int],
    log: Path,
    *,
    ready_path: str = "/",
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Iterator[Pinned]:
    """Start a server on these cores, and yield it once it answers at `ready_path`.

    Any answer is one but 502 and 503. What it writes goes to the file `log`.
    """
    with log.open("wb") as written:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=written,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            cwd=folder,
        )
        try:
            os.sched_setaffinity(process.pid, cores)
            _wait(process, f"http://127.0.0.1:{port}{ready_path}", log)
            yield Pinned(port, process)
        finally:
            _end(process)


def _wait(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    with httpx.Client(trust_env=False, timeout=5) as http:
        while True:
            with suppress(httpx.TransportError):
                if http.get(address).status_code not in {502, 503}:
                    return
            if process.poll() is not None or time.monotonic() > deadline:
                raise DidNotStart(f"{address} does not answer:\n{log.read_text()[-2000:]}")
            time.sleep(_LOOK_AGAIN_SECONDS)


def _tree(pid: int) -> list[int]:
    """Return a process and all below it."""
    found = [pid]
    for one in found:
        with suppress(FileNotFoundError, ProcessLookupError):
            for children in Path(f"/proc/{one}/task").glob("*/children"):
                found.extend(map(int, children.read_text().split()))
    return found


def _end(process: subprocess.Popen[bytes]) -> None:
    started = _tree(process.pid)
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(5)
    if process.poll() is None:
        for pid in started:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    process.wait()
