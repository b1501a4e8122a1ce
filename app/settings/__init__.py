"""The configuration: one TOML file, the environment over it, checked as a whole at the start."""

from app.settings.access import AuthSettings
from app.settings.loading import load
from app.settings.providers import (
    AnyProviderSettings,
    CareCloudSettings,
    CloudreveSettings,
    HostUpSettings,
    ProviderSettings,
    provider_kind,
)
from app.settings.reference import reference
from app.settings.secret import SecretUrl, without_password
from app.settings.sections import Settings
from app.settings.values import Rate

__all__ = [
    "AnyProviderSettings",
    "AuthSettings",
    "CareCloudSettings",
    "CloudreveSettings",
    "HostUpSettings",
    "ProviderSettings",
    "Rate",
    "SecretUrl",
    "Settings",
    "load",
    "provider_kind",
    "reference",
    "without_password",
]
