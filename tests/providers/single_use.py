"""A Cloudreve whose refresh tokens may be used once, and whose answers may get lost."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from adapters import START
from recordings import recording
from upstreams import Asked, Reply, as_json

REFRESH, LISTS = "/session/token/refresh", "/user/creditChanges"
FIRST = {"refreshToken": "refresh-0"}


async def lost(writer: asyncio.StreamWriter) -> None:
    """End the connection without an answer."""
    writer.close()


class Site:
    """Gives pair after pair, each for one that it still takes.

    `meanwhile` happens when it is asked for one; `losing` so many answers get lost, after the
    token was used where `is_spent_by_lost`.
    """

    def __init__(self) -> None:
        self.takes = {"refresh-0"}
        self.access = ""
        self.given = 0
        self.tried: list[str] = []
        self.losing = 0
        self.is_spent_by_lost = True
        self.is_down = False
        self.pause_seconds = 0.0
        self.meanwhile: Callable[[], None] = lambda: None

    async def __call__(self, asked: Asked) -> Reply:
        if asked.path == LISTS:
            is_good = asked.headers["authorization"] == f"Bearer {self.access}"
            return as_json(recording("cloudreve", "credit-changes") if is_good else {"code": 401})
        token = asked.json["refresh_token"]
        self.tried.append(token)
        self.meanwhile()
        await asyncio.sleep(self.pause_seconds)
        if self.is_down:
            return Reply(b"", 503)
        if self.losing > 0:
            self.losing -= 1
            if self.is_spent_by_lost:
                self._renew(token)
            return Reply(send=lost)
        return self._renew(token)

    def _renew(self, token: str) -> Reply:
        if token not in self.takes:
            return as_json({"code": 40020, "msg": "Invalid credentials"})
        self.takes.remove(token)
        self.given += 1
        self.access = f"access-{self.given}"
        self.takes.add(f"refresh-{self.given}")
        answer = recording("cloudreve", "refresh")
        answer["data"] = {
            "access_token": self.access,
            "refresh_token": f"refresh-{self.given}",
            "access_expires": (START + timedelta(hours=1)).isoformat(),
            "refresh_expires": (START + timedelta(days=14)).isoformat(),
        }
        return as_json(answer)
