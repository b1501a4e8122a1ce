"""
Commands as a container runs them, on a machine without containers.

The file system is read-only but for a small folder of temporary files, and what is mounted is below
/run. The process has number 1, a user of its own without any right, and gains none.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from shipped import DOCKERFILE, ROOT, stages

# As the Dockerfile has it.
USER = "10001"
_WHERE_IT_WORKS = "/run/credit-gateway"
_ENTER = r"""
set -eu
mount -t tmpfs -o mode=0755 tmpfs /run
cp -r "$1/." /run/
mkdir -p /run/tmp "$2"
# Files keep their modes, as each is mounted by itself.
find /run -type d -exec chmod a+rx {} +
# Where a folder above them is closed to the user, what is needed is put into an open one.
n=0
for place in $NEEDED; do
  n=$((n + 1))
  mkdir -p /run/needed/$n
  mount --bind "$place" /run/needed/$n
done
for place in $CLOSED; do
  mount -t tmpfs -o mode=0755 tmpfs "$place"
done
n=0
for place in $NEEDED; do
  n=$((n + 1))
  mkdir -p "$place"
  mount --bind /run/needed/$n "$place"
done
mount -t tmpfs -o size=16m,mode=1777 tmpfs /run/tmp
awk '{ print $5 }' /proc/self/mountinfo | while read -r place; do
  case $place in
    /proc* | /sys* | /dev* | /run/tmp) ;;
    *) mount -o remount,bind,ro "$place" ;;
  esac
done
cd "$2"
user=$3
shift 3
exec setpriv --reuid="$user" --regid="$user" --clear-groups --no-new-privs \
  --bounding-set=-all --inh-caps=-all "$@"
"""
needs_containment = pytest.mark.skipif(
    os.getuid() != 0 or not all(map(shutil.which, ("unshare", "setpriv", "mount"))),
    reason="a container's file system is made of mounts, which needs root and Linux's util-linux",
)


class Contained:
    """A command that runs; `mounted` is what its /run has."""

    def __init__(
        self,
        command: Sequence[str],
        mounted: Path,
        environ: Mapping[str, str] | None = None,
        user: str = USER,
    ) -> None:
        namespaces = ["unshare", "--mount", "--pid", "--fork", "--mount-proc"]
        entering = ["sh", "-c", _ENTER, "sh", str(mounted), _WHERE_IT_WORKS, user]
        # A pipe that nobody reads would hold up what logs a lot.
        self._told = tempfile.TemporaryFile("w+")  # noqa: SIM115 - `end` closes it
        self._process = subprocess.Popen(
            [*namespaces, *entering, *command],
            stdin=subprocess.DEVNULL,
            stdout=self._told,
            stderr=subprocess.STDOUT,
            env={
                "PATH": _path(),
                "TMPDIR": "/run/tmp",
                "HOME": "/",
                **_opened(),
                **(environ or {}),
            },
        )

    @property
    def told(self) -> str:
        """All that it has printed so far."""
        self._told.seek(0)
        return self._told.read()

    def tell(self, sig: signal.Signals) -> None:
        """Send a signal to the process that is the first of its container."""
        outside = self._process.pid
        (first,) = Path(f"/proc/{outside}/task/{outside}/children").read_text().split()
        os.kill(int(first), sig)

    def until(self, holds: Callable[[], bool], seconds: float = 60) -> None:
        """Return once something holds that it brings about."""
        deadline = time.monotonic() + seconds
        while not holds():
            assert self._process.poll() is None, f"it has ended: {self.told}"
            assert time.monotonic() < deadline, f"it does not come to hold: {self.told}"
            time.sleep(0.05)

    def ended(self, within: float = 60) -> int:
        """Return the status once it has ended."""
        return self._process.wait(within)

    def end(self) -> None:
        """End it at once, and with the first process of its container all others."""
        if self._process.poll() is None:
            try:
                self.tell(signal.SIGKILL)
            except (ProcessLookupError, ValueError):  # it has not begun, or just ends by itself
                self._process.kill()
        self._process.wait()
        self._told.close()


@contextmanager
def contained(
    command: Sequence[str],
    mounted: Path,
    environ: Mapping[str, str] | None = None,
    user: str = USER,
) -> Iterator[Contained]:
    """Run a command; everything in its container ends in the end."""
    one = Contained(command, mounted, environ, user)
    try:
        yield one
    finally:
        one.end()


def run(
    command: Sequence[str],
    mounted: Path,
    environ: Mapping[str, str] | None = None,
    user: str = USER,
) -> tuple[int, str]:
    """Run a command to its end; return its status and what it printed."""
    with contained(command, mounted, environ, user) as one:
        return one.ended(), one.told


def gateway_command(*arguments: str) -> list[str]:
    """Return what the image starts: its entry point, with these arguments in place of its own."""
    final = stages(DOCKERFILE.read_text())[-1]
    entry, own = final.last("ENTRYPOINT").words, final.last("CMD").words
    return [*entry, *(arguments or own)]


def _opened() -> Mapping[str, str]:
    """Say which folders the command needs that are within closed ones, and which those are."""
    closed = {
        place: next(
            (one for one in reversed(place.parents) if not one.stat().st_mode & 0o001), None
        )
        for place in (Path(sys.base_prefix), ROOT)
    }
    return {
        "NEEDED": " ".join(str(place) for place, within in closed.items() if within),
        "CLOSED": " ".join({str(within) for within in closed.values() if within}),
    }


def _path() -> str:
    # The virtual environment of the tests is in the place of the image's.
    return f"{Path(sys.executable).parent}:{os.environ['PATH']}"
