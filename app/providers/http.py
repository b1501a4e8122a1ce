"""
The one door to upstreams.

Rings, from the outside: one deadline over everything, a bulkhead, retries of reads, then a single
exchange with a cap on decoded bytes, no redirects, no cookies, no proxies of the environment.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, NamedTuple, TypeVar

import aiohttp
import httpx
import stamina
import structlog
from httpx_aiohttp import AiohttpTransport

from app.model.clock import Clock
from app.model.errors import (
    UpstreamError,
    UpstreamInvalidResponse,
    UpstreamRateLimited,
    UpstreamTimeout,
    UpstreamUnauthorized,
    UpstreamUnavailable,
)
from app.providers.health import Health
from app.providers.waiting import hint_of, retry_at
from app.settings.providers import ProviderSettings

T = TypeVar("T")

# Every failure is logged here, once; a line for each try would only repeat it.
stamina.instrumentation.set_on_retry_hooks([])
_log = structlog.get_logger("providers")

_TRIES = 3


class Call(NamedTuple):
    """One request to a provider. `path` is relative to its base URL."""

    method: str
    path: str
    headers: Mapping[str, str] = {}
    params: Mapping[str, str | int] = {}
    json: Any = None
    is_read: bool = True


class Answer(NamedTuple):
    """What came back: a status below 500 other than 3xx and 429, and the decoded body."""

    status: int
    body: bytes


class Unreached(UpstreamUnavailable):
    """There was no connection, or it was lost; what was asked may have been done all the same."""


class Upstream:
    """Asks one provider, within its limits; every failure becomes an `UpstreamError`."""

    def __init__(self, settings: ProviderSettings, clock: Clock) -> None:
        self.name = settings.name
        self.health = Health(clock)
        self._clock = clock
        self._timeout = settings.timeout
        self._max_body_bytes = settings.max_body
        self._bulkhead = asyncio.Semaphore(settings.max_concurrency)
        self._client = httpx.AsyncClient(
            base_url=settings.base_url,
            transport=AiohttpTransport(
                client=lambda: _session(settings.max_concurrency),
                # Unused, as the session has its own; a full one takes 20 ms to load.
                verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            ),
            timeout=None,  # noqa: S113 - one deadline covers the whole call, see `ask`
            trust_env=False,
            follow_redirects=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            headers={"Accept": "application/json", "User-Agent": "credit-gateway"},
        )

    async def ask(self, call: Call, read: Callable[[Answer], T]) -> T:
        """Send the call and return what `read` makes of its answer.

        Reads are tried up to three times within the deadline while the provider is unavailable
        and does not say for how long; `read` takes part in that by raising `UpstreamUnavailable`.
        Raises `UpstreamError`.
        """
        seen: list[UpstreamUnavailable] = []
        try:
            async with asyncio.timeout(self._timeout.total_seconds()), self._bulkhead:
                result = await self._try(call, read, seen)
        except TimeoutError as error:
            self._failed(call, "timeout")
            if seen:  # it did answer; only trying again took too long
                raise seen[-1] from error
            raise UpstreamTimeout(f"{self.name} did not answer in time.") from error
        except UpstreamUnauthorized:
            self.health.succeeded()
            raise
        except UpstreamError as error:
            self._failed(call, error.code)
            raise
        self.health.succeeded()
        return result

    async def aclose(self) -> None:
        await self._client.aclose()

    def _failed(self, call: Call, why: str) -> None:
        self.health.failed()
        _log.warning("upstream failed", provider=self.name, path=call.path, why=why)

    async def _try(
        self, call: Call, read: Callable[[Answer], T], seen: list[UpstreamUnavailable]
    ) -> T:
        tries = _TRIES if call.is_read else 1
        async for attempt in stamina.retry_context(
            on=_may_pass,
            attempts=tries,
            wait_initial=0.1,
            wait_max=1,
            wait_jitter=0.2,  # enough to part callers that failed together
            timeout=None,
        ):
            with attempt:
                try:
                    return read(await self._exchange(call))
                except UpstreamUnavailable as error:
                    seen.append(error)
                    raise
        raise AssertionError  # pragma: no cover - the last attempt returns or raises

    async def _exchange(self, call: Call) -> Answer:
        try:
            async with self._client.stream(
                call.method,
                call.path,
                params=call.params or None,
                headers=call.headers,
                json=call.json,
            ) as response:
                if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
                    raise await self._rate_limited(response)
                self._refuse_by_head(response)
                return Answer(response.status_code, await self._body(response))
        except (httpx.DecodingError, aiohttp.ClientResponseError) as error:
            raise UpstreamInvalidResponse(f"{self.name} sent an unreadable answer.") from error
        except (httpx.TransportError, aiohttp.ClientError, OSError) as error:
            if isinstance(error, TimeoutError):
                raise
            raise Unreached(f"{self.name} could not be reached.") from error

    def _refuse_by_head(self, response: httpx.Response) -> None:
        status = response.status_code
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            at = retry_at(response.headers.get("retry-after", ""), self._clock())
            raise UpstreamUnavailable(f"{self.name} is not available (HTTP {status}).", retry_at=at)
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            raise UpstreamInvalidResponse(f"{self.name} redirects; its base_url is wrong.")
        # Each coding multiplies what a byte becomes by up to a thousand before it can be counted.
        if "," in response.headers.get("content-encoding", ""):
            raise UpstreamInvalidResponse(f"{self.name} compressed its answer more than once.")
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if status < HTTPStatus.BAD_REQUEST and kind != "application/json":
            raise UpstreamInvalidResponse(f"{self.name} answered something else than JSON.")

    async def _body(self, response: httpx.Response) -> bytes:
        """Read the body, counting decoded bytes so that a compressed bomb stops at the cap."""
        parts, size = [], 0
        async for part in response.aiter_bytes():
            size += len(part)
            if size > self._max_body_bytes:
                raise UpstreamInvalidResponse(f"{self.name} sent more than max_body allows.")
            parts.append(part)
        return b"".join(parts)

    async def _rate_limited(self, response: httpx.Response) -> UpstreamRateLimited:
        """Return the error, with the time that the header or else the body says."""
        hint = response.headers.get("retry-after", "")
        if not hint and "," not in response.headers.get("content-encoding", ""):
            with suppress(httpx.HTTPError, aiohttp.ClientError, UpstreamInvalidResponse):
                hint = hint_of(await self._body(response))
        return UpstreamRateLimited(
            f"{self.name} asks for fewer requests.", retry_at=retry_at(hint, self._clock())
        )


def _may_pass(error: Exception) -> bool:
    return isinstance(error, UpstreamUnavailable) and error.retry_at is None


def _session(max_concurrency: int) -> aiohttp.ClientSession:
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=max_concurrency),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
    )
    # It asks again by itself when a connection is lost, unseen; here three tries are three.
    # There is no public switch; its own test client sets the same.
    session._retry_connection = False  # noqa: SLF001
    return session
