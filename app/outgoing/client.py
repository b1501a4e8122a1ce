"""The client by which a server is asked that is trusted with nothing but its answer."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

import aiohttp
from yarl import URL

from app.outgoing.connection import connector

_NO_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=None)
_NONE: Mapping[str, str] = {}


class Client:
    """Asks without redirects, cookies, proxies of the environment and second tries.

    It has no timeout either: whoever asks has one for the whole exchange. Close it after use.
    """

    def __init__(self, headers: Mapping[str, str], *, most_connections: int) -> None:
        self._headers = {**headers, "User-Agent": "credit-gateway"}
        self._most_connections = most_connections
        self._session: aiohttp.ClientSession | None = None

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] = _NONE,
        body: bytes | None = None,
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """Ask an address in which everything is encoded; for as long as the block lasts.

        The answer's head is there, its body is to be read. Raises `aiohttp.ClientError` and
        `OSError`.
        """
        if self._session is None:
            self._session = self._open()
        return self._session.request(
            method, URL(url, encoded=True), headers=headers, data=body, allow_redirects=False
        )

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        session = aiohttp.ClientSession(
            connector=connector(self._most_connections),
            headers=self._headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=_NO_TIMEOUT,
            auto_decompress=False,
            trust_env=False,
        )
        # It asks again by itself when a connection is lost, unseen; here one try is one.
        # There is no public switch; its own test client sets the same.
        session._retry_connection = False  # noqa: SLF001
        return session


def encoded(url: str) -> str:
    """Return an address as it is sent, with what it says in other letters encoded."""
    return str(URL(url))


def field_of(response: aiohttp.ClientResponse, name: str) -> str:
    """Return what a head says in all lines of that name together; empty where it says nothing."""
    return ", ".join(response.headers.getall(name, ()))
