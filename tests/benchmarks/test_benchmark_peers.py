"""The comparison with peers runs, its verdicts depend on what is measured, and it can fail."""

import json
import os
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from contest import Entrant, Result, hold
from entrants import HERE, Arena
from pinned import Pinned, pinned
from questions import Row
from redis_server import free_port
from rivalry import GATEWAY, PLAIN, Cases, Pace
from speed_table import BEGIN, END, Goal, between_marks, ratio, table
from wrk import BINARY, MISSING

CORES = sorted(os.sched_getaffinity(0))
pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(BINARY is None, reason=MISSING),
    pytest.mark.skipif(len(CORES) < 2, reason="the servers and the load need a core each"),
    pytest.mark.timeout(300),
]
ANSWER = json.dumps({"data": {"rows": [[number] for number in range(3000)]}}).encode()
ROWS: list[Row] = [(number,) for number in range(3000)]
BODY = "{}"


def rows_of(data: Mapping[str, Any]) -> list[Row]:
    return [tuple(row) for row in data["rows"]]


def dawdling(
    folder: Path, *, microseconds: int = 0, refuses: int = 0
) -> AbstractContextManager[Pinned]:
    """Serve an answer, with so much work for each, refusing every so manieth."""
    file = folder / "answer"
    file.write_bytes(ANSWER)
    port = free_port()
    command = [sys.executable, HERE / "dawdling.py", port, file, microseconds, refuses]
    return pinned(command, port, {CORES[0]}, folder / f"{port}.log")


def held(folder: Path, *entrants: Entrant) -> dict[str, Result]:
    return hold(entrants, folder, seconds=1, rounds=1, connections=8, core=CORES[1])


def test_a_server_that_is_made_slower_loses(tmp_path: Path) -> None:
    with dawdling(tmp_path) as quick, dawdling(tmp_path, microseconds=1000) as slow:
        results = held(
            tmp_path,
            Entrant("quick", quick, [BODY], rows_of, ROWS),
            Entrant("slow", slow, [BODY], rows_of, ROWS),
        )

    for_quick = ratio(Goal("", "case", "quick", "slow", 1), {"case": results})
    for_slow = ratio(Goal("", "case", "slow", "quick", 1), {"case": results})
    assert for_quick
    assert for_quick.by_rate > 2
    assert for_quick.by_cpu > 2
    assert for_slow
    assert for_slow.by_rate < 0.5
    assert for_slow.by_cpu < 0.5


def test_a_load_with_refused_answers_is_told_and_not_counted(tmp_path: Path) -> None:
    with dawdling(tmp_path, refuses=50) as refusing:
        results = held(tmp_path, Entrant(GATEWAY, refusing, [BODY], rows_of, ROWS))

    assert results[GATEWAY].trials == []
    assert "refused" in results[GATEWAY].failures[0]
    shown = table({"mirrored": results}, [], date(2026, 1, 2))
    assert f"A load of {GATEWAY}" in shown
    assert "not measured" in shown


def test_a_server_that_answers_otherwise_is_not_measured(tmp_path: Path) -> None:
    with dawdling(tmp_path) as other:
        results = held(tmp_path, Entrant("other", other, [BODY], rows_of, ROWS[1:]))

    assert results["other"].trials == []
    assert "others than expected" in results["other"].failures[0]


def test_the_gateway_is_measured_beside_plain_strawberry(tmp_path: Path) -> None:
    cases = Cases(Arena(tmp_path, CORES[0]), Pace(1, 1, CORES[1]), print, with_node=False)

    cases.measure(["mirrored"])

    reached = ratio(Goal("", "mirrored", GATEWAY, PLAIN, 1), cases.measured)
    assert reached
    assert reached.by_cpu > 1
    assert cases.measured["mirrored"][GATEWAY].failures == []


def test_the_table_replaces_what_is_between_its_marks(tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")

    between_marks(file, "new\n")

    assert file.read_text() == f"before\n{BEGIN}\nnew\n{END}\nafter\n"


def test_a_file_without_the_marks_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text("before\n")

    with pytest.raises(ValueError, match="has no"):
        between_marks(file, "new\n")

    assert file.read_text() == "before\n"
