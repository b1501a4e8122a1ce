"""
The gateway beside its peers: the same questions to all of them in turn, on one core each.

Run by `make bench`. Prints a table in Markdown, and writes it between two marks of a file where one
is named.
"""

import argparse
import os
import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from entrants import Arena, peers_are_installed
from rivalry import CASES, Cases, Pace
from speed_table import between_marks, table
from wrk import BINARY, MISSING

_LEAST_CORES = 2


def main() -> int:
    """Measure everything and print it; nonzero where something cannot be measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=4, help="how long one load lasts")
    parser.add_argument("--rounds", type=int, default=3, help="how often each server has its turn")
    parser.add_argument("--only", action="append", choices=CASES, help="a case; again for more")
    parser.add_argument("--table", type=Path, help="the file whose table is to be replaced")
    wanted = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if BINARY is None:
        sys.stderr.write(f"{MISSING}\n")
        return 1
    if len(cores) < _LEAST_CORES:
        sys.stderr.write("The servers and the load need a core each; this machine has one.\n")
        return 1
    # What is started here shares the load's core, unless it is measured.
    os.sched_setaffinity(0, {cores[1]})
    with_node = peers_are_installed()
    if not with_node:
        sys.stderr.write("Without Node.js and npm the peers in JavaScript are left out.\n")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        pace = Pace(wanted.seconds, wanted.rounds, cores[1])
        cases = Cases(Arena(folder, cores[0]), pace, _tell, with_node=with_node)
        cases.measure(wanted.only or CASES)
    written = table(cases.measured, cases.started, datetime.now(UTC).date())
    sys.stdout.write(written)
    if cases.broken:
        return 1
    if wanted.table:
        between_marks(wanted.table, written)
    return 0


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
