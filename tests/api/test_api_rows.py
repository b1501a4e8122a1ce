"""Rows that were written are kept for the next answers, until something of them is purged."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from changing import UNLINK
from viewing import asking
from world import World, world

from app.api.rows import rows

QUERY = """{ customer(reference: "C-1001") { accounts { id }
  creditChanges(first: 9) { nodes { id occurredAt amount { amount unit } reason } } } }"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, more='[cache]\nfresh_for = "1h"\n', entries=20) as one:
        yield one


async def test_they_are_written_once_and_forgotten_with_an_account(served: World) -> None:
    rows.forget()
    async with asking(served) as one:
        answers = [await one.ask(QUERY) for _ in range(4)]
        kept = rows.count
        customer = answers[0]["data"]["customer"]
        unlinked = await one.ask(UNLINK, input={"accountId": customer["accounts"][0]["id"]})
        left = rows.count, rows.bytes

    assert kept == 9
    assert "errors" not in unlinked
    assert left == (0, 0)
