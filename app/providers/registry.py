"""Which class serves which kind of provider; a new kind is one line here."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from app.metrics.metrics import Metrics
from app.model.accounts import CredentialStore
from app.model.clock import Clock
from app.providers.carecloud import CareCloud
from app.providers.cloudreve import Cloudreve
from app.providers.hostup import HostUp
from app.providers.http import Upstream
from app.providers.page import Provider
from app.redis.rates import Rates
from app.settings.providers import (
    AnyProviderSettings,
    CareCloudSettings,
    CloudreveSettings,
    HostUpSettings,
)


class Live(Provider, Protocol):
    """A provider that is asked over HTTP, by `upstream`."""

    @property
    def upstream(self) -> Upstream: ...


Maker = Callable[[Any, CredentialStore, Clock, Rates | None, Metrics | None, Upstream | None], Live]

REGISTRY: Mapping[type[AnyProviderSettings], Maker] = {
    CloudreveSettings: Cloudreve,
    HostUpSettings: HostUp,
    CareCloudSettings: CareCloud,
}


def make(
    settings: AnyProviderSettings,
    store: CredentialStore,
    clock: Clock,
    rates: Rates | None = None,
    metrics: Metrics | None = None,
    upstream: Upstream | None = None,
) -> Live:
    """Return the provider of these settings; close it after use.

    Its calls are counted in `rates` and told in `metrics`; without them they are not. They go by
    `upstream`, where it is another one's.
    """
    return REGISTRY[type(settings)](settings, store, clock, rates, metrics, upstream)
