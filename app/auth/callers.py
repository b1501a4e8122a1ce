"""From a request's `Authorization` header to the one value that says who is calling."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from app.auth.anonymous import ANONYMOUS
from app.auth.api_keys import PREFIX, KeyHolders
from app.auth.bearer import sent_token
from app.auth.claims import Expected
from app.auth.key_server import KeyServer
from app.auth.keys import KeySource, OneKey, development_key, static_key
from app.auth.published import PublishedKeys
from app.auth.tokens import Tokens
from app.directory.directory import Directory
from app.model.clock import Clock
from app.model.errors import Unauthenticated
from app.model.viewer import Known, Viewer
from app.settings import AuthSettings


class Callers(Protocol):
    """Says who is calling."""

    async def viewer(self, authorization: Sequence[str]) -> Viewer:
        """Return who sent these `Authorization` headers.

        Raises `Unauthenticated`, and `UpstreamUnavailable` where it cannot be told now.
        """
        ...

    async def known(self, authorization: Sequence[str]) -> Known:
        """Return who sent these `Authorization` headers, and until when; raises as `viewer`.

        What ends before that, as a key that is revoked does, is refused when it is asked again.
        """
        ...

    def remembered(self, authorization: str) -> Viewer | None:
        """Return who sends this `Authorization` header, where that is known without asking.

        None says nothing of whether it is good.
        """
        ...


class Anyone:
    """Asks nobody who is calling."""

    async def viewer(self, authorization: Sequence[str]) -> Viewer:  # noqa: ARG002
        return ANONYMOUS

    async def known(self, authorization: Sequence[str]) -> Known:  # noqa: ARG002
        return Known(ANONYMOUS)

    def remembered(self, authorization: str) -> Viewer | None:  # noqa: ARG002
        return ANONYMOUS


class Bearers:
    """Knows callers by their token or their API key."""

    def __init__(self, tokens: Tokens, keys: KeyHolders) -> None:
        self._tokens = tokens
        self._keys = keys

    async def viewer(self, authorization: Sequence[str]) -> Viewer:
        return (await self.known(authorization)).viewer

    async def known(self, authorization: Sequence[str]) -> Known:
        token = sent_token(authorization)
        if token.startswith(PREFIX):
            return Known(await self._keys.viewer(token))
        return await self._tokens.known(token)

    def remembered(self, authorization: str) -> Viewer | None:
        # A key may have been revoked since, and a token cannot be.
        with suppress(Unauthenticated):
            return self._tokens.remembered(sent_token([authorization]))
        return None


@asynccontextmanager
async def callers(
    settings: AuthSettings, directory: Directory, clock: Clock
) -> AsyncIterator[Callers]:
    """Give what knows the callers, as the configuration says, for as long as the process lives."""
    if settings.mode == "none" or settings.issuer is None:
        yield Anyone()
        return
    expected = Expected(settings.issuer, settings.audience, settings.customer_claim)
    async with _keys(settings, clock) as keys:
        yield Bearers(Tokens(keys, expected, clock), KeyHolders(directory))


@asynccontextmanager
async def _keys(settings: AuthSettings, clock: Clock) -> AsyncIterator[KeySource]:
    if settings.development_key is not None:
        yield OneKey(development_key(settings.development_key.get_secret_value()))
    elif settings.public_key is not None:
        yield OneKey(static_key(settings.public_key))
    elif settings.jwks_url is not None:
        server = KeyServer(settings.jwks_url)
        published = PublishedKeys(server.read, clock)
        published.start()
        try:
            yield published
        finally:
            await published.aclose()
            await server.aclose()
    else:
        raise AssertionError  # pragma: no cover - the settings hold one of them
