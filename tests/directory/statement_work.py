"""What a database does for a statement, counted: a busy machine changes nothing about it."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from places import Place

from app.directory.directory import Directory

# Of so many steps each SQLite tells once.
_TOLD_STEPS = 10


class Work(NamedTuple):
    """Rows that were looked at, in SQLite steps of its machine, and pages that were fetched."""

    rows: int
    pages: int

    def exceeds(self, most: "Work") -> bool:
        return self.rows > most.rows or self.pages > most.pages


def together(parts: list[Work]) -> Work:
    return Work(sum(part.rows for part in parts), sum(part.pages for part in parts))


async def work_of(directory: Directory, place: Place, statement: str, values: Any) -> Work:  # noqa: ANN401
    """Run a statement of the directory once more and return what it took."""
    if place.is_postgresql:
        return await _work_of_postgresql(directory, statement, values)
    return _work_of_sqlite(place.url.removeprefix("sqlite:///"), statement, values)


def _work_of_sqlite(file: str, statement: str, values: Any) -> Work:  # noqa: ANN401
    told = 0

    def tell() -> None:
        nonlocal told
        told += 1

    # What a new connection fetches, no memory of an older one has spared it.
    with closing(sqlite3.connect(file)) as plain:
        plain.set_progress_handler(tell, _TOLD_STEPS)
        before = _reads()
        plain.execute(statement, values).fetchall()
        return Work(told * _TOLD_STEPS, _reads() - before)


def _reads() -> int:
    """Return how often this thread has read from files; 0 where no Linux tells that."""
    told = Path("/proc/thread-self/io")
    lines = told.read_text().splitlines() if told.is_file() else ["syscr: 0"]
    return int(dict(line.split(": ") for line in lines)["syscr"])


async def _work_of_postgresql(directory: Directory, statement: str, values: Any) -> Work:  # noqa: ANN401
    explain = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "
    async with directory._database.reading() as connection:
        told = (await connection.exec_driver_sql(explain + statement, values)).scalar_one()
    (explained,) = json.loads(told) if isinstance(told, str) else told
    plan = explained["Plan"]
    rows = sum(_rows_of(step) for step in _steps(plan))
    return Work(rows, plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def _steps(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _steps(part)


def _rows_of(step: dict[str, Any]) -> int:
    removed = step.get("Rows Removed by Filter", 0) + step.get("Rows Removed by Index Recheck", 0)
    return int((step["Actual Rows"] + removed) * step["Actual Loops"])
