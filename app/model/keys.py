"""API keys, as they are known after they were shown once."""

from datetime import datetime

import msgspec

from app.model.viewer import Scope


class ApiKey(msgspec.Struct, frozen=True):
    """A key that a caller may send in place of a token; the key itself is not kept.

    `id` is permanent and no secret. `reference` is the customer's own key whose the caller is, None
    where it is no customer's. `revoked_at` is None while the key may be used.
    """

    id: str
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    reference: str | None = None
    revoked_at: datetime | None = None
