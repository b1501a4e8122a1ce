"""Gateways as processes of their own, which share a directory, and a Redis where one is named."""

import asyncio
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from commands import COMMAND


@contextmanager
def gateways(config: Path, count: int) -> Iterator[list[str]]:
    """Serve so many gateways of one configuration; yields their origins."""
    command = [str(COMMAND), "serve", "--config", str(config), "--port", "0"]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for _ in range(count)
    ]
    try:
        yield [_origin(process) for process in processes]
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.communicate()


def _origin(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    told = process.stdout.readline()
    found = re.search(r"(http://\S+)/graphql", told)
    assert found, "a gateway did not start"
    return found[1]


def at_once(origins: list[str], query: str, times: int) -> list[dict[str, Any]]:
    """Ask every gateway so many times, all of it at once; return all answers."""

    async def ask_all() -> list[dict[str, Any]]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(timeout=60, limits=limits, trust_env=False) as http:

            async def ask(origin: str) -> dict[str, Any]:
                response = await http.post(f"{origin}/graphql", json={"query": query})
                answer: dict[str, Any] = response.json()
                return answer

            return await asyncio.gather(*(ask(origin) for origin in origins * times))

    return asyncio.run(ask_all())
