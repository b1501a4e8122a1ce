"""A search finds what a look at every customer finds, and looks at few of them."""

import random
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from datetime import datetime
from typing import Any

import asyncpg
import pytest
from directories import put
from places import Place
from sqlalchemy import event
from statement_work import Work, together, work_of

from app.directory import searching
from app.directory.directory import Directory
from app.directory.searching import searched

GIVEN = ["Anna", "Bea", "Céline", "Åsa", "Jürgen", "O'Neil", 'Quo"te', "Back\\slash", "李雷"]
FAMILY = ["Öberg", "Straße", "Novák", "de la Cruz", "Ng", "100%", "under_score", "(x) & y:*"]


def sample(count: int) -> list[tuple[str, str]]:
    """Return references and names; three of them are rare, at the end of the order."""
    chance = random.Random(7)
    rows = []
    for number in range(count):
        name = f"{chance.choice(GIVEN)} {chance.choice(FAMILY)} {chance.randrange(10**6):06}"
        rows.append((f"C-{number:07}", name))
    for number in range(1, 4):
        rows[-number] = (rows[-number][0], f"Zoë Qwxyz ß{number}")
    return rows


async def fill(place: Place, rows: Sequence[tuple[str, str]]) -> None:
    """Put customers past the directory, as many at once as there are."""
    now = datetime(2026, 1, 1)  # noqa: DTZ001 - as the database keeps it
    values = [
        (f"{number:016x}", reference, name, searched(reference, name), now)
        for number, (reference, name) in enumerate(rows)
    ]
    if place.is_postgresql:
        connection = await asyncpg.connect(place.url)
        await connection.copy_records_to_table("customers", records=values)
        await connection.execute("VACUUM ANALYZE customers")
        await connection.close()
        return
    with closing(sqlite3.connect(place.url.removeprefix("sqlite:///"))) as plain, plain:
        plain.executemany(
            "INSERT INTO customers VALUES (?, ?, ?, ?, ?)",
            [(*value[:4], value[4].isoformat(" ")) for value in values],
        )


@asynccontextmanager
async def filled(place: Place, count: int) -> AsyncIterator[Directory]:
    async with place.opened() as directory:
        await fill(place, sample(count))
        yield directory


def expected(
    rows: Sequence[tuple[str, str]], search: str, after: str | None, before: str | None
) -> list[str]:
    wanted = searched(search, None).removesuffix("\x1f")
    return sorted(
        reference
        for reference, name in rows
        if wanted in searched(reference, name)
        and (after is None or reference > after)
        and (before is None or reference < before)
    )


async def found(directory: Directory, search: str | None, **span: Any) -> list[str]:  # noqa: ANN401
    bounds = {"after": None, "before": None, "limit": 20, **span}
    page = await directory.customers_page(search=search, **bounds)
    return [customer.reference for customer in page]


@pytest.mark.parametrize("stretch", [1, 50, 5000])
async def test_a_search_finds_what_a_look_at_every_customer_finds(
    place: Place, stretch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "_STRETCH", stretch)
    monkeypatch.setattr(searching, "_FEW", stretch)
    rows, chance = sample(300), random.Random(stretch)
    texts = [searched(*row) for row in rows]
    async with filled(place, 300) as directory:
        for turn in range(120):
            whole = chance.choice(texts).replace("\x1f", "")
            start = chance.randrange(len(whole))
            search = whole[start : start + 1 + turn % 6]
            ends = sorted(f"C-{chance.randrange(300):07}" for _ in range(2))
            after = chance.choice([None, ends[0]])
            before = chance.choice([None, ends[1]])
            limit = chance.choice([1, 7, 400])
            all_of_them = expected(rows, search, after, before)

            span = {"after": after, "before": before, "limit": limit}
            assert await found(directory, search, **span) == all_of_them[:limit], search
            last = await found(directory, search, **span, backwards=True)
            assert last == all_of_them[-limit:], search
            if after is before is None:
                assert await directory.customers_count(search) == len(all_of_them)


async def test_the_index_follows_each_change(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "_STRETCH", 1)
    first = await put(directory, "A-1", "Anna")
    for number in range(5):
        await put(directory, f"B-{number}", "Bea")
    last = await put(directory, "C-1", "Cleo")

    await directory.put_customer("C-1", "Dora")
    await directory.delete_customer(first.id)

    assert await found(directory, "anna") == await found(directory, "cleo") == []
    assert await found(directory, "cl") == []
    assert await found(directory, "dor") == await found(directory, "do") == [last.reference]
    assert await directory.customers_count("bea") == 5


ASKED: dict[str, tuple[str | None, dict[str, Any]]] = {
    "the first page": (None, {}),
    "the last page": (None, {"backwards": True}),
    "a page in the middle": (None, {"after": "C-0000999"}),
    "a frequent search": ("ann", {}),
    "a frequent search in the middle": ("ann", {"after": "C-0000999"}),
    "a frequent search to the end": ("ann", {"after": "C-0001990"}),
    "a frequent search of one character": ("a", {}),
    "a rare search": ("zoë qwx", {}),
    "a rare search of two characters": ("ë ", {}),
    "a search that finds nobody": ("xyzzy", {}),
    "a search of two characters that finds nobody": ("§§", {}),
}


@asynccontextmanager
async def noted(directory: Directory) -> AsyncIterator[list[tuple[str, Any]]]:
    """Note the statements that are run meanwhile."""
    statements: list[tuple[str, Any]] = []

    def note(_: object, __: object, statement: str, values: object, *___: object) -> None:
        if "customers" in statement:
            statements.append((statement, values))

    engine = directory._database._engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


async def plan_of(directory: Directory, place: Place, statement: str, values: object) -> list[str]:
    explain = "EXPLAIN " if place.is_postgresql else "EXPLAIN QUERY PLAN "
    async with directory._database.reading() as connection:
        rows = await connection.exec_driver_sql(explain + statement, values)  # type: ignore[arg-type]
        return [str(row[-1]) for row in rows]


def reads_all(step: str) -> bool:
    return "Seq Scan on customers" in step or step.strip() in {"SCAN customers", "SCAN walked"}


async def test_no_page_reads_the_whole_table(place: Place) -> None:
    async with filled(place, 20_000) as directory:
        async with noted(directory) as statements:
            for search, span in ASKED.values():
                await found(directory, search, **span)
        plans = [await plan_of(directory, place, *each) for each in list(statements)]

    assert len(plans) >= len(ASKED)
    assert [step for plan in plans for step in plan if reads_all(step)] == []


async def works(directory: Directory, place: Place) -> dict[str, Work]:
    """Return what each page takes of the database."""
    taken = {}
    for name, (search, span) in ASKED.items():
        async with noted(directory) as statements:
            await found(directory, search, **span)
        taken[name] = together([await work_of(directory, place, *each) for each in statements[:]])
    return taken


async def test_a_hundred_times_as_many_customers_take_about_as_much_work(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with place.opened() as directory:
        await fill(place, sample(2000))
        few = await works(directory, place)
        await place.run("DELETE FROM customers")
        await fill(place, sample(200_000))
        many = await works(directory, place)
        monkeypatch.setattr(searching, "_STRETCH", 200_001)
        walked = await works(directory, place)

    # The longest walk is two and a half times as long as all of the few; then the index is asked.
    most = Work(*(5 * max(column) for column in zip(*few.values(), strict=True)))
    assert {name: each for name, each in many.items() if each.exceeds(most)} == {}
    dear = {name for name, each in walked.items() if each.exceeds(most)}
    assert dear >= {"a rare search", "a search that finds nobody"}, "a walk would not be noticed"
