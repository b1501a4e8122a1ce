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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from shipped import DOCKERFILE, stages

# As the Dockerfile has it.
USER = "10001"
_WHERE_IT_WORKS = "/run/credit-gateway"
_ENTER = r"""
set -eu
mount -t tmpfs -o mode=0755 tmpfs /run
cp -r "$1/." /run/
mkdir -p /run/tmp "$2"
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
        namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        entering = ["sh", "-c", _ENTER, "sh", str(mounted), _WHERE_IT_WORKS, user]
        self._process = subprocess.Popen(
            [*namespaces, *entering, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={"PATH": _path(), "TMPDIR": "/run/tmp", "HOME": "/", **(environ or {})},
        )

    def tell(self, sig: signal.Signals) -> None:
        """Send a signal to the process that is the first of its container."""
        outside = self._process.pid
        children = Path(f"/proc/{outside}/task/{outside}/children").read_text().split()
        assert len(children) == 1, "it does not run"
        os.kill(int(children[0]), sig)

    def until(self, told: str) -> None:
        """Return once it has printed a line that holds this."""
        assert self._process.stdout
        for line in self._process.stdout:
            if told in line:
                return
        assert self._process.stderr
        pytest.fail(f"it ended and said: {self._process.stderr.read()}")

    def ended(self, within: float = 60) -> tuple[int, str, str]:
        """Return the status, and what was printed since, once it has ended."""
        out, err = self._process.communicate(timeout=within)
        return self._process.returncode, out, err

    def end(self) -> None:
        """End it at once, and everything in its container."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()


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
    command: Sequence[str], mounted: Path, environ: Mapping[str, str] | None = None
) -> tuple[int, str, str]:
    """Run a command to its end; return its status and what it printed."""
    with contained(command, mounted, environ) as one:
        return one.ended()


def gateway_command(*arguments: str) -> list[str]:
    """Return what the image starts: its entry point, with these arguments in place of its own."""
    final = stages(DOCKERFILE.read_text())[-1]
    entry, own = final.last("ENTRYPOINT").words, final.last("CMD").words
    return [*entry, *(arguments or own)]


def _path() -> str:
    # The virtual environment of the tests is in the place of the image's.
    return f"{Path(sys.executable).parent}:{os.environ['PATH']}"
