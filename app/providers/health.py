"""How a provider is doing, as its last calls tell."""

from datetime import datetime
from enum import StrEnum

from app.model.clock import Clock


class ProviderState(StrEnum):
    UP = "UP"
    DEGRADED = "DEGRADED"
    DOWN = "DOWN"


class Health:
    """The state of one provider and since when it holds.

    A refusal of one account's credentials says nothing about the provider and does not count.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.state = ProviderState.UP
        self.since: datetime | None = None

    def succeeded(self) -> None:
        self._become(ProviderState.UP)

    def failed(self) -> None:
        self._become(ProviderState.DEGRADED)

    def _become(self, state: ProviderState) -> None:
        if state is not self.state or self.since is None:
            self.state, self.since = state, self._clock()
