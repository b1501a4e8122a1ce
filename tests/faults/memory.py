"""What a process holds, and for how long it got no processor, as Linux tells."""

import re
from pathlib import Path


def resident_bytes(pid: int) -> int:
    """Return what a process holds in memory now."""
    return _status_bytes(pid, "VmRSS")


def peak_bytes(pid: int) -> int:
    """Return the most that a process held in memory since `forget_peak`."""
    return _status_bytes(pid, "VmHWM")


def forget_peak(pid: int) -> None:
    """Let the peak begin again from now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def starved_seconds(pid: int) -> float:
    """Return for how long in all a process's first thread could run, and others ran instead."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def _status_bytes(pid: int, name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) << 10
