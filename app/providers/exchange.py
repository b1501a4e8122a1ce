"""
One request over HTTP and its answer, of which no more is read than may be.

Decoded bytes are counted. A head has at most 128 lines of 8 kB each, which aiohttp sees to. JSON
that is nested too deep is refused by msgspec, which stops at Python's own limit of about a
thousand levels.
"""

from contextlib import suppress
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import quote

import aiohttp
import msgspec

from app.model.clock import Clock
from app.model.errors import UpstreamInvalidResponse, UpstreamRateLimited, UpstreamUnavailable
from app.observing.spans import note_status
from app.outgoing.body import READABLE, TooLarge, Unpackable, body_of, coding_of
from app.outgoing.client import Client, encoded, field_of
from app.providers.call import Answer, Call, Unreached, Unreadable
from app.providers.waiting import hint_of, retry_at
from app.settings.providers import ProviderSettings

_JSON = {"Content-Type": "application/json"}


class Exchange:
    """The connections to one provider."""

    def __init__(self, settings: ProviderSettings, clock: Clock) -> None:
        self._name = settings.name
        self._clock = clock
        self._max_body_bytes = settings.max_body
        self._base_url = encoded(settings.base_url).rstrip("/")
        self._client = Client(
            {"Accept": "application/json", "Accept-Encoding": "gzip, deflate"},
            most_connections=settings.max_concurrency,
        )

    async def send(self, call: Call) -> Answer:
        """Return the answer; raises `UpstreamError`."""
        url, headers, body = self._base_url + call.path, call.headers, None
        if call.params:
            said = [f"{name}={_quoted(str(value))}" for name, value in call.params.items()]
            url = f"{url}?{'&'.join(said)}"
        if call.json is not None:
            headers, body = {**headers, **_JSON}, msgspec.json.encode(call.json)
        try:
            async with self._client.request(call.method, url, headers, body) as response:
                note_status(response.status)
                if response.status == HTTPStatus.TOO_MANY_REQUESTS:
                    raise await self._rate_limited(response)
                self._refuse_by_head(response)
                return Answer(response.status, await self._body(response))
        except aiohttp.ClientResponseError as error:
            raise Unreadable(f"{self._name} sent an unreadable answer.") from error
        except (aiohttp.ClientError, OSError) as error:
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

    def _refuse_by_head(self, response: aiohttp.ClientResponse) -> None:
        status = response.status
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            at = retry_at(field_of(response, "Retry-After"), self._clock())
            raise UpstreamUnavailable(
                f"{self._name} is not available (HTTP {status}).", retry_at=at
            )
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            raise Unreadable(f"{self._name} redirects; its base_url is wrong.")
        if coding_of(response) not in READABLE:
            raise Unreadable(f"{self._name} compressed its answer in a way it was not asked for.")
        kind = field_of(response, "Content-Type").partition(";")[0].strip().lower()
        if status < HTTPStatus.BAD_REQUEST and kind != "application/json":
            raise Unreadable(f"{self._name} answered something else than JSON.")

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        try:
            return await body_of(response, self._max_body_bytes)
        except TooLarge:
            raise Unreadable(f"{self._name} sent more than max_body allows.") from None
        except Unpackable as error:
            raise Unreadable(f"{self._name} sent an unreadable answer.") from error

    async def _rate_limited(self, response: aiohttp.ClientResponse) -> UpstreamRateLimited:
        """Return the error, with the time that the header or else the body says."""
        hint = field_of(response, "Retry-After")
        if not hint and coding_of(response) in READABLE:
            with suppress(aiohttp.ClientError, UpstreamInvalidResponse):
                hint = hint_of(await self._body(response))
        return UpstreamRateLimited(
            f"{self._name} asks for fewer requests.", retry_at=retry_at(hint, self._clock())
        )


# Sizes and orders are always the same, a customer's id is for each of its calls.
@lru_cache(maxsize=10_000)
def _quoted(value: str) -> str:
    return quote(value, safe="")


def _is_untrusted(error: BaseException) -> bool:
    """Say whether it was the other side's certificate that ended a connection."""
    reason: BaseException | None = error
    while reason is not None:
        if isinstance(reason, aiohttp.ClientConnectorCertificateError):
            return True
        reason = reason.__cause__ or reason.__context__
    return False
