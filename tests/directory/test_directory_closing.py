"""A closed directory leaves nothing behind that would speak to an event loop that has ended."""

import asyncio
import threading
from pathlib import Path

from app.directory.directory import Directory
from app.directory.vault import Vault


def connections() -> list[str]:
    """Return the names of the threads of connections."""
    return [one.name for one in threading.enumerate() if "connection" in one.name]


async def test_callers_who_went_away_leave_no_thread_behind(tmp_path: Path) -> None:
    for _ in range(10):
        directory = await Directory.open(f"sqlite:///{tmp_path}/d.db", Vault([bytes(32)]))
        asked = [asyncio.ensure_future(directory.customers_count(None)) for _ in range(20)]
        await asyncio.sleep(0.001)
        assert connections()
        for one in asked:
            one.cancel()
        await asyncio.gather(*asked, return_exceptions=True)

        await directory.close()

        assert not connections()
