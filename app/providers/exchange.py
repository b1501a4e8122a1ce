"""
One request over HTTP and its answer, of which no more is read than may be.

Decoded bytes are counted. A head has at most 128 lines of 8 kB each, which aiohttp sees to. JSON
that is nested too deep is refused by msgspec, which stops at Python's own limit of about a
thousand levels.
"""

from contextlib import suppress
from http import HTTPStatus

import aiohttp
import httpx

from app.model.clock import Clock
from app.model.errors import UpstreamInvalidResponse, UpstreamRateLimited, UpstreamUnavailable
from app.outgoing.client import client
from app.providers.call import Answer, Call, Unreached, Unreadable
from app.providers.waiting import hint_of, retry_at
from app.settings.providers import ProviderSettings

# A piece of 16 kB becomes at most 17 MB by these before it can be counted, and by others, or by
# two of them, many thousand times as much.
_CODINGS = {"", "identity", "gzip", "deflate"}


class Exchange:
    """The connections to one provider."""

    def __init__(self, settings: ProviderSettings, clock: Clock) -> None:
        self._name = settings.name
        self._clock = clock
        self._max_body_bytes = settings.max_body
        self._client = client(
            {"Accept": "application/json", "Accept-Encoding": "gzip, deflate"},
            base_url=settings.base_url,
            most_connections=settings.max_concurrency,
        )

    async def send(self, call: Call) -> Answer:
        """Return the answer; raises `UpstreamError`."""
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
            raise Unreadable(f"{self._name} sent an unreadable answer.") from error
        except (httpx.TransportError, aiohttp.ClientError, OSError) as error:
            if isinstance(error, TimeoutError):
                raise
            why = (
                "showed no certificate to be trusted"
                if _is_untrusted(error)
                else "could not be reached"
            )
            raise Unreached(f"{self._name} {why}.") from error

    async def aclose(self) -> None:
        await self._client.aclose()

    def _refuse_by_head(self, response: httpx.Response) -> None:
        status = response.status_code
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            at = retry_at(response.headers.get("retry-after", ""), self._clock())
            raise UpstreamUnavailable(
                f"{self._name} is not available (HTTP {status}).", retry_at=at
            )
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            raise Unreadable(f"{self._name} redirects; its base_url is wrong.")
        if not _may_be_decoded(response):
            raise Unreadable(f"{self._name} compressed its answer in a way it was not asked for.")
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if status < HTTPStatus.BAD_REQUEST and kind != "application/json":
            raise Unreadable(f"{self._name} answered something else than JSON.")

    async def _body(self, response: httpx.Response) -> bytes:
        """Read the body, counting decoded bytes so that a compressed bomb stops at the cap."""
        parts, size = [], 0
        async for part in response.aiter_bytes():
            size += len(part)
            if size > self._max_body_bytes:
                raise Unreadable(f"{self._name} sent more than max_body allows.")
            parts.append(part)
        return b"".join(parts)

    async def _rate_limited(self, response: httpx.Response) -> UpstreamRateLimited:
        """Return the error, with the time that the header or else the body says."""
        hint = response.headers.get("retry-after", "")
        if not hint and _may_be_decoded(response):
            with suppress(httpx.HTTPError, aiohttp.ClientError, UpstreamInvalidResponse):
                hint = hint_of(await self._body(response))
        return UpstreamRateLimited(
            f"{self._name} asks for fewer requests.", retry_at=retry_at(hint, self._clock())
        )


def _may_be_decoded(response: httpx.Response) -> bool:
    return response.headers.get("content-encoding", "").strip().lower() in _CODINGS


def _is_untrusted(error: BaseException) -> bool:
    """Say whether it was the other side's certificate that ended a connection."""
    reason: BaseException | None = error
    while reason is not None:
        if isinstance(reason, aiohttp.ClientConnectorCertificateError):
            return True
        reason = reason.__cause__ or reason.__context__
    return False
