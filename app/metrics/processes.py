"""
What several processes count, added up: a folder with files of each of them.

The processes are told of it by the environment, before they load the library. One that has ended
leaves what it counted, as counters must not go back, and no gauges.
"""

import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_SH, flock
from pathlib import Path
from shutil import copyfile, rmtree
from tempfile import mkdtemp

from prometheus_client import Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_GAUGES = "gauge"
# In place of a process's number: all that have ended.
_ENDED = "0"


class Folder:
    """Where the processes count that are started from now on, until it is removed."""

    def __init__(self) -> None:
        self._path = Path(mkdtemp(prefix="credit-gateway-metrics-"))
        os.environ[_VARIABLE] = str(self._path)

    def keep(self, alive: Collection[int | None]) -> None:
        """Keep the gauges of these processes alone; what others counted goes into one file."""
        # `counter_17.db`, `histogram_17.db`, `gauge_livesum_17.db`
        by_pid = [(file, file.stem.rpartition("_")[2]) for file in self._path.glob("*.db")]
        ended = [file for file, pid in by_pid if pid != _ENDED and int(pid) not in alive]
        if not ended:
            return
        with _locked(self._path, LOCK_EX):
            for file in ended:
                kind = file.stem.partition("_")[0]
                if kind != _GAUGES:
                    _add(file, self._path / f"{kind}_{_ENDED}.db")
                file.unlink()

    def remove(self) -> None:
        """Take the folder away; processes that are started from then on count alone."""
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


class Shared(Collector):
    """The sums over all processes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def collect(self) -> Iterable[Metric]:
        with _locked(self._path, LOCK_SH):
            # One that is just being made is empty.
            files = [str(file) for file in self._path.glob("*.db") if file.stat().st_size]
            merged: Iterable[Metric] = MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]
            return merged


def shared() -> Shared | None:
    """Return what all processes count; None where this one counts alone."""
    path = os.environ.get(_VARIABLE)
    return Shared(Path(path)) if path else None


def _add(file: Path, to: Path) -> None:
    """Add the values in one file to those in another, which need not be there."""
    if not to.exists():
        copyfile(file, to)
        return
    sums = MmapedDict(str(to))  # type: ignore[no-untyped-call]
    for key, value, *_ in MmapedDict.read_all_values_from_file(str(file)):  # type: ignore[no-untyped-call]
        so_far, at = sums.read_value(key)  # type: ignore[no-untyped-call]
        sums.write_value(key, so_far + value, at)  # type: ignore[no-untyped-call]
    sums.close()  # type: ignore[no-untyped-call]


@contextmanager
def _locked(path: Path, how: int) -> Iterator[None]:
    """Hold the folder, so that nothing is counted twice or not at all while files are added up."""
    with (path / "lock").open("a") as file:
        flock(file, how)
        yield
