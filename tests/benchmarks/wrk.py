"""Load by wrk, on a core of its own."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

BINARY = shutil.which("wrk")
MISSING = "wrk makes the load and is not installed; apt-get install wrk brings it"

# Which of the bodies comes first is the only argument. One body alone is sent without asking Lua.
_SCRIPT = """
local bodies = {}
for body in io.lines("%s") do bodies[#bodies + 1] = body end
wrk.method = "POST"
wrk.path = "/graphql"
wrk.headers["Content-Type"] = "application/json"
wrk.body = bodies[1]
if #bodies > 1 then
  local asked, next = {}, 0
  function init(arguments)
    next = tonumber(arguments[1])
    for _, body in ipairs(bodies) do
      asked[#asked + 1] = wrk.format(nil, nil, nil, body)
    end
  end
  function request()
    next = next %% #asked + 1
    return asked[next]
  end
end
function done(summary, latency, _)
  local failed = summary.errors
  io.write(string.format(
    '\\n{"answers": %%d, "seconds": %%f, "bytes": %%d, "refused": %%d, "lost": %%d, '
    .. '"p50": %%f, "p99": %%f}\\n',
    summary.requests, summary.duration / 1e6, summary.bytes, failed.status,
    failed.connect + failed.read + failed.write + failed.timeout,
    latency:percentile(50) / 1e6, latency:percentile(99) / 1e6))
end
"""


class Load(NamedTuple):
    """What came of a load; `refused` are answers of 400 and above, `lost` no answers at all.

    Times are seconds, `bytes` those of all answers with their heads.
    """

    answers: int
    seconds: float
    bytes: int
    refused: int
    lost: int
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        return self.answers / self.seconds


class Generator:
    """Offers the same requests to any server: each of `bodies` in turn, again and again."""

    def __init__(self, folder: Path, bodies: Sequence[str], connections: int, core: int) -> None:
        self._script = folder / "load.lua"
        self._connections = connections
        self._core = core
        lines = folder / "bodies"
        lines.write_text("".join(f"{body}\n" for body in bodies))
        self._script.write_text(_SCRIPT % lines)

    def offer(self, origin: str, seconds: int, first: int = 0) -> Load:
        """Offer as many requests as are answered, beginning behind the `first` bodies."""
        if BINARY is None:
            raise RuntimeError(MISSING)
        command = [BINARY, "--threads=1", f"--connections={self._connections}"]
        command += [f"--duration={seconds}s", "--timeout=10s", f"--script={self._script}"]
        command += [origin, "--", str(first)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as wrk:
            os.sched_setaffinity(wrk.pid, {self._core})
            told, _ = wrk.communicate(timeout=seconds + 60)
        if wrk.returncode:
            raise RuntimeError(f"wrk failed: {told.decode()}")
        return Load(**json.loads(told.splitlines()[-1]))
