"""Credentials as callers give them; none of them is ever written out."""

from collections.abc import Mapping
from typing import Any

import strawberry
from strawberry import UNSET
from strawberry.utils.str_converters import to_camel_case

from app.api.types.inputs import given
from app.directory.lines import AccountLine, parse_account
from app.model.accounts import ProviderKind


def _unshown(self: object) -> str:
    return f"<{type(self).__name__}>"


@strawberry.input(description="How an account at a Cloudreve provider is reached.")
class CloudreveCredentials:
    refresh_token: str = strawberry.field(
        description="A refresh token of the account's user that nothing else uses; the gateway "
        "renews it, which uses it up."
    )
    __repr__ = _unshown


@strawberry.input(description="How an account at a HostUp provider is reached.")
class HostUpCredentials:
    api_key: str = strawberry.field(description="An API key of the account.")
    __repr__ = _unshown


@strawberry.input(
    description="Whose account at a CareCloud provider it is; the login is the operator's own."
)
class CareCloudCredentials:
    customer_id: str = strawberry.field(description="CareCloud's own id of the customer.")
    __repr__ = _unshown


@strawberry.input(one_of=True, description="Exactly one, matching the provider's kind.")
class AccountCredentials:
    cloudreve: CloudreveCredentials | None = UNSET
    hostup: HostUpCredentials | None = UNSET
    carecloud: CareCloudCredentials | None = UNSET
    __repr__ = _unshown

    def as_written(self) -> dict[str, dict[str, str]]:
        """Return them as an import line has them."""
        return {
            kind.lower(): {to_camel_case(name): text for name, text in vars(one).items()}
            for kind in ProviderKind
            if (one := given(getattr(self, kind.lower())))
        }


def line_of(
    provider: str,
    label: str | None,
    credentials: AccountCredentials,
    providers: Mapping[str, ProviderKind],
) -> AccountLine:
    """Return an account as it is linked; `BadUserInput`, with its `field`, where it cannot be."""
    shape: dict[str, Any] = {"provider": provider, "label": label}
    return parse_account({**shape, "credentials": credentials.as_written()}, providers)
