"""Where traces are sent to: a collector, which is asked for nothing and waited for by nobody."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import aiohttp

from app.observing.tracing import Tracing
from app.outgoing.body import TooLarge, Unpackable, body_of
from app.outgoing.client import Client, encoded

_PATH = "/v1/traces"
_HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
# It is nearby. The last spans of a process wait for it no longer than this, either.
_TIMEOUT_SECONDS = 3
# It says how many it did not take, which nobody here can mend.
_MOST_ANSWER_BYTES = 64 << 10


@asynccontextmanager
async def collecting(tracing: Tracing, endpoint: str | None) -> AsyncIterator[None]:
    """Trace for as long as this lasts, where there is a collector; what is left is sent then."""
    if endpoint is None:
        yield
        return
    client, url = Client(_HEADERS, most_connections=1), encoded(f"{endpoint}{_PATH}")

    async def post(body: bytes) -> bool:
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                async with client.request("POST", url, body=body) as response:
                    await body_of(response, _MOST_ANSWER_BYTES)  # so that the connection is kept
                    return response.status == HTTPStatus.OK
        except (aiohttp.ClientError, OSError, TooLarge, Unpackable):
            return False

    tracing.open(post)
    try:
        yield
    finally:
        await tracing.close()
        await client.aclose()
