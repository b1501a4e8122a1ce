"""Rows that were written are kept for the next answers, until something of them is purged."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from changing import UNLINK
from viewing import asking
from world import World, world

from app import services
from app.api.rows import rows
from app.history.windows import Windows

QUERY = """{ customer(reference: "C-1001") { accounts { id }
  creditChanges(first: 9) { nodes { id occurredAt amount { amount unit } reason } } } }"""


@pytest.fixture
def merged(monkeypatch: pytest.MonkeyPatch) -> Windows:
    """Return what the gateway remembers of the windows that it merged."""
    windows = Windows()
    monkeypatch.setattr(services, "Windows", lambda: windows)
    return windows


@pytest.fixture
def served(tmp_path: Path, merged: Windows) -> Iterator[World]:  # noqa: ARG001 - it is there first
    with world(tmp_path, more='[cache]\nfresh_for = "1h"\n', entries=20) as one:
        yield one


async def test_they_are_written_once_and_forgotten_with_an_account(
    served: World, merged: Windows
) -> None:
    rows.forget()
    async with asking(served) as one:
        answers = [await one.ask(QUERY) for _ in range(4)]
        kept, windows = rows.count, len(merged)
        customer = answers[0]["data"]["customer"]
        unlinked = await one.ask(UNLINK, input={"accountId": customer["accounts"][0]["id"]})
        left = rows.count, rows.bytes, len(merged)

    assert kept == 9 + 1  # and all of them together
    assert "errors" not in unlinked
    assert windows == 1
    assert left == (0, 0, 0)
