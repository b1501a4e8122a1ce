"""Renewing one pair of Cloudreve's tokens, by a process whose turn it is."""

import asyncio
from collections.abc import Mapping
from typing import Any

from app.model.errors import UpstreamTimeout, UpstreamUnauthorized, UpstreamUnavailable
from app.model.renewable import Access, Renewable, Renewed
from app.providers.call import Call, Unreached
from app.providers.cloudreve_outcomes import data_of
from app.providers.http import Upstream
from app.providers.shapes import cloudreve as shapes
from app.providers.telling import reading
from app.providers.turns import Turn

# Pauses before a pair is written again that could not be, shorter together than a turn.
_WRITE_AGAIN_SECONDS = (0.1, 0.5)


class Renewal:
    """Asks for a new pair and keeps it."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        # What a directory that was away could not keep, with what it was renewed from.
        self._unkept: dict[str, tuple[Renewable, Renewed]] = {}

    async def token(self, turn: Turn, before: Renewable) -> str | None:
        """Return the access token of a new pair, once that is kept.

        None where other credentials were linked or renewed meanwhile. Raises `UpstreamError`, an
        `UpstreamUnauthorized` where no pair is accepted.
        """
        renewed = self._received(turn.account_id, before) or await self._renewed(turn, before)
        return renewed.access.token if await self._keep(turn, before, renewed) else None

    async def _renewed(self, turn: Turn, before: Renewable) -> Renewed:
        try:
            try:
                return await self._exchange(turn.account_id, before.current)
            except (Unreached, UpstreamTimeout):
                # It may have been renewed all the same; most sites then give another pair for it.
                await turn.prolong()
                return await self._exchange(turn.account_id, before.current)
        except UpstreamUnauthorized:
            if before.previous is None:
                raise
        await turn.prolong()
        return await self._exchange(turn.account_id, before.previous)

    async def _exchange(self, account_id: str, spent: Mapping[str, str]) -> Renewed:
        body: dict[str, Any] = {"refresh_token": spent["refreshToken"]}
        call = Call(
            "POST", "/session/token/refresh", json=body, is_read=False, credential=account_id
        )
        name = self._upstream.name
        read = reading(shapes.Tokens, name)
        tokens = await self._upstream.ask(call, lambda answer: data_of(answer, read, name))
        access = Access(tokens.access_token, tokens.access_expires)
        return Renewed({**spent, "refreshToken": tokens.refresh_token}, spent, access)

    def _received(self, account_id: str, before: Renewable) -> Renewed | None:
        """Return a pair that could not be kept, if it was renewed from what is there now."""
        since, renewed = self._unkept.pop(account_id, (None, None))
        if since is None or (since.revision, since.current) != (before.revision, before.current):
            return None
        return renewed

    async def _keep(self, turn: Turn, before: Renewable, renewed: Renewed) -> bool:
        self._unkept[turn.account_id] = (before, renewed)
        for seconds in (*_WRITE_AGAIN_SECONDS, None):
            try:
                is_kept = await turn.keep(before, renewed)
            except UpstreamUnavailable:
                if seconds is None:
                    raise
                await asyncio.sleep(seconds)
            else:
                del self._unkept[turn.account_id]
                return is_kept
        raise AssertionError  # pragma: no cover - the last try returns or raises
