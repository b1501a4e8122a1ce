"""Which class serves which kind of provider; a new kind is one line here."""

from collections.abc import Callable, Mapping
from typing import Any

from app.model.accounts import CredentialStore
from app.model.clock import Clock
from app.providers.carecloud import CareCloud
from app.providers.cloudreve import Cloudreve
from app.providers.hostup import HostUp
from app.providers.page import Provider
from app.settings.providers import (
    AnyProviderSettings,
    CareCloudSettings,
    CloudreveSettings,
    HostUpSettings,
)

REGISTRY: Mapping[type[AnyProviderSettings], Callable[[Any, CredentialStore, Clock], Provider]] = {
    CloudreveSettings: Cloudreve,
    HostUpSettings: HostUp,
    CareCloudSettings: CareCloud,
}


def make(settings: AnyProviderSettings, store: CredentialStore, clock: Clock) -> Provider:
    """Return the provider of these settings; close it after use."""
    return REGISTRY[type(settings)](settings, store, clock)
