"""The client by which a server is asked that is trusted with nothing but its answer."""

import ssl
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from app.outgoing.connection import connector


def client(
    headers: Mapping[str, str], *, most_connections: int, base_url: str = ""
) -> httpx.AsyncClient:
    """Return a client without redirects, cookies, proxies of the environment and second tries.

    It has no timeout either: whoever asks has one for the whole exchange. Close it after use.
    """
    return httpx.AsyncClient(
        base_url=base_url,
        transport=AiohttpTransport(
            client=lambda: _session(most_connections),
            # Unused, as the session has its own; a full one takes 20 ms to load.
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        ),
        timeout=None,  # noqa: S113 - as above
        trust_env=False,
        follow_redirects=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        headers={**headers, "User-Agent": "credit-gateway"},
    )


def _session(most_connections: int) -> aiohttp.ClientSession:
    session = aiohttp.ClientSession(
        connector=connector(most_connections),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
    )
    # It asks again by itself when a connection is lost, unseen; here one try is one.
    # There is no public switch; its own test client sets the same.
    session._retry_connection = False  # noqa: SLF001
    return session
