"""
A client of upstreams without deadline, caps or distrust, which every fault of a wire hits.

    python naive_client.py URL SECONDS

tells what became of it, and by how many bytes it grew meanwhile.
"""

import asyncio
import os
import sys

import httpx
from memory import peak_bytes, resident_bytes


async def meet(
    url: str, seconds: float, *, follow: bool = False, silence: float | None = None
) -> str:
    """Return how asking ended: "waits" where it had not within so many seconds.

    `silence` is the longest pause within an answer that it bears.
    """
    client = httpx.AsyncClient(follow_redirects=follow, timeout=silence, trust_env=False)
    try:
        async with asyncio.timeout(seconds), client:
            response = await client.get(url)
    except TimeoutError:
        return "waits"
    except httpx.TransportError:
        return "breaks"
    if response.status_code != httpx.codes.OK:
        return str(response.status_code)
    try:
        response.json()
    except (ValueError, RecursionError):
        return "cannot read it"
    return "takes it"


def main() -> None:
    before = resident_bytes(os.getpid())
    outcome = asyncio.run(meet(sys.argv[1], float(sys.argv[2])))
    sys.stdout.write(f"{outcome}\n{peak_bytes(os.getpid()) - before}\n")


if __name__ == "__main__":
    main()
