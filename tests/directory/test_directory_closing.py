"""A closed directory leaves nothing behind that would speak to an event loop that has ended."""

import asyncio
import threading
from pathlib import Path

from app.directory.directory import Directory
from app.directory.vault import Vault


def connections() -> set[threading.Thread]:
    """Return the threads of connections, of other tests' too."""
    return {one for one in threading.enumerate() if "connection" in one.name}


async def test_callers_who_went_away_leave_no_thread_behind(tmp_path: Path) -> None:
    others = connections()
    for _ in range(10):
        directory = await Directory.open(f"sqlite:///{tmp_path}/d.db", Vault([bytes(32)]))
        asked = [asyncio.ensure_future(directory.customers_count(None)) for _ in range(20)]
        await asyncio.sleep(0.001)
        assert connections() - others
        for one in asked:
            one.cancel()
        await asyncio.gather(*asked, return_exceptions=True)

        await directory.close()

        assert not connections() - others
