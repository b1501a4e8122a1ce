"""What the three emulated providers have in common."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import RLock
from typing import Any, ClassVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from app.sandbox.history import Account, ControlError

Clock = Callable[[], datetime]
Answer = Callable[[Request, bytes], Response]
Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]

KEEP = "keep"
SINGLE_USE = "single_use"


@dataclass
class Settings:
    """What control may change for all providers.

    `rotate` says what becomes of a used refresh token; `access_life` is how long access and
    bearer tokens live, None for each provider's usual time.
    """

    latency: timedelta = timedelta(0)
    rotate: str = KEEP
    access_life: timedelta | None = None

    def access_life_or(self, usual: timedelta) -> timedelta:
        """Return how long access tokens live at a provider with this usual life."""
        return usual if self.access_life is None else self.access_life


@dataclass
class Surroundings:
    """What a provider shares with the sandbox it stands in."""

    seed: int
    clock: Clock
    settings: Settings
    lock: RLock = field(default_factory=RLock)

    def locked(self, answer: Answer) -> Endpoint:
        """Return an endpoint that answers from one consistent state."""

        async def endpoint(request: Request) -> Response:
            body = await request.body()
            with self.lock:
                return answer(request, body)

        return endpoint


class Upstream(ABC):
    """One emulated provider: its accounts, its credentials and its API."""

    name: ClassVar[str]
    base_path: ClassVar[str]

    def __init__(self, around: Surroundings) -> None:
        self.around = around

    @property
    @abstractmethod
    def accounts(self) -> Mapping[str, Account]:
        """All accounts by the id they have at the provider."""

    @abstractmethod
    def app(self) -> Starlette:
        """Return the API, relative to `base_path`."""

    @abstractmethod
    def credentials(self, account: Account) -> dict[str, str]:
        """Return the first credentials of an account, always the same."""

    @abstractmethod
    def issue(self, account: Account) -> dict[str, str]:
        """Return new credentials of an account that are accepted from now on."""

    @abstractmethod
    def expire(self, what: str) -> None:
        """Stop accepting what was issued: `access`, `refresh` or `all`."""

    @abstractmethod
    def failure(self, status: int, headers: Mapping[str, str]) -> Response:
        """Answer with an HTTP error in the provider's own words."""

    @abstractmethod
    def refusal(self, code: int) -> Response:
        """Answer with a failure inside of a success."""

    def account(self, reference: str, index: int) -> Account:
        """Return a customer's account, counted from 0."""
        for account in self.accounts.values():
            if account.holder.person.reference == reference and account.holder.index == index:
                return account
        raise ControlError(f"{reference} has no account {index} at {self.name}", 404)


def bearer(request: Request) -> str:
    """Return the token of the Authorization header, empty without one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def json_object(body: bytes) -> dict[str, Any] | None:
    """Read a request's body; None when it is no JSON object."""
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
