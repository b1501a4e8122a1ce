"""How a provider is doing, as its last calls tell."""

from datetime import datetime
from enum import StrEnum

import structlog

from app.model.clock import Clock

_log = structlog.get_logger("providers")


class ProviderState(StrEnum):
    UP = "UP"
    DEGRADED = "DEGRADED"
    DOWN = "DOWN"


class Health:
    """The state of one provider in this process, and since when it holds; each change is logged.

    Nobody asks a provider only to know its state: it is what the last call told, however long ago
    that was. So `DEGRADED` and `DOWN` end when a call is answered. Only being asked to slow down
    ends by itself, at the time that the provider said.

    A refusal of one account's credentials says nothing about the provider and does not count.
    """

    def __init__(self, clock: Clock, name: str = "") -> None:
        self._clock = clock
        self._name = name
        self._state = ProviderState.UP
        self._since: datetime | None = None
        self._slowed_at: datetime | None = None
        self._slowed_until: datetime | None = None

    @property
    def state(self) -> ProviderState:
        return ProviderState.DEGRADED if self._is_slowed() else self._state

    @property
    def since(self) -> datetime | None:
        """Since when it is so; None before the first call."""
        if self._is_slowed():
            return self._slowed_at
        if self._state is ProviderState.UP and self._since and self._slowed_until:
            return max(self._since, self._slowed_until)
        return self._since

    def succeeded(self) -> None:
        """Note an answer; an open circuit stays so until it is closed."""
        if self._state is not ProviderState.DOWN:
            self._become(ProviderState.UP)

    def failed(self) -> None:
        """Note a failure; an open circuit stays so until it is closed."""
        if self._state is not ProviderState.DOWN:
            self._become(ProviderState.DEGRADED)

    def opened(self) -> None:
        """Note that the provider is left alone, as it failed too often."""
        self._become(ProviderState.DOWN)

    def closed(self) -> None:
        """Note that the provider was left alone, and has answered."""
        self._become(ProviderState.UP)

    def slowed(self, until: datetime) -> None:
        """Note that the provider asked for fewer requests, until then."""
        if not self._is_slowed():
            self._slowed_at = self._clock()
            _log.warning("provider asks for fewer requests", provider=self._name, until=str(until))
            self._slowed_until = until
        elif self._slowed_until is None or until > self._slowed_until:
            self._slowed_until = until

    def _is_slowed(self) -> bool:
        if self._state is not ProviderState.UP or self._slowed_until is None:
            return False
        return self._clock() < self._slowed_until

    def _become(self, state: ProviderState) -> None:
        was, is_first = self._state, self._since is None
        if state is was and not is_first:
            return
        self._state, self._since = state, self._clock()
        if state is not was:
            level = _log.info if state is ProviderState.UP else _log.warning
            level("provider changed its state", provider=self._name, state=state, was=was)
