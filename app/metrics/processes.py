"""
What several processes count, added up: a folder with files of each of them.

The processes are told of it by the environment, before they load the library. One that has ended
leaves what it counted, as counters must not go back, and no gauges.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from prometheus_client import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


class Folder:
    """Where processes that are started from now on count together, until it is removed."""

    def __init__(self) -> None:
        self._path = mkdtemp(prefix="credit-gateway-metrics-")
        os.environ[_VARIABLE] = self._path

    def forget(self, pid: int) -> None:
        """Take away the gauges of a process that has ended."""
        mark_process_dead(pid, self._path)  # type: ignore[no-untyped-call]

    def remove(self) -> None:
        os.environ.pop(_VARIABLE, None)
        rmtree(self._path, ignore_errors=True)


@contextmanager
def folder() -> Iterator[Folder]:
    """Open a folder for processes that are about to start; it is removed in the end."""
    one = Folder()
    try:
        yield one
    finally:
        one.remove()


def shared() -> "Shared | None":
    """Return what all processes counted; None where this one counts alone."""
    path = os.environ.get(_VARIABLE)
    return Shared(Path(path)) if path else None


class Shared(Collector):
    """The sums over all processes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def collect(self) -> Iterable[Metric]:
        files = [str(file) for file in self._path.glob("*.db") if _has_begun(file)]
        merged: Iterable[Metric] = MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]
        return merged


def _has_begun(file: Path) -> bool:
    # One that is just being made is empty, and one of a process that ended may be gone.
    with suppress(FileNotFoundError):
        return file.stat().st_size > 0
    return False
