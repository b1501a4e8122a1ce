"""Credentials that a provider renews now and then, as they are kept for all processes."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from app.model.unshown import Unshown


class Access(Unshown, frozen=True):
    """What a provider is asked with until it expires."""

    token: str
    expires: datetime


class PauseKind(StrEnum):
    """Why credentials are not renewed for a while."""

    FAILED = "FAILED"
    REFUSED = "REFUSED"


class Pause(msgspec.Struct, frozen=True):
    """A time in which nobody renews; a refusal is one of the account, a failure is nobody's."""

    kind: PauseKind
    until: datetime


class Renewable(Unshown, frozen=True):
    """
    The credentials of an account, and what has been renewed of them.

    `revision` is another one after other credentials were linked. `current` is what the provider
    takes, `previous` the pair that it was renewed from, None until then. `access` is what the last
    renewal brought beside it. `taken_until` is when the turn of whoever renews them ends, `pause`
    the one that is told in place of a turn; both may be over already.
    """

    revision: int
    current: Mapping[str, str]
    previous: Mapping[str, str] | None = None
    access: Access | None = None
    taken_until: datetime | None = None
    pause: Pause | None = None


class Renewed(Unshown, frozen=True):
    """A pair that a provider gave for `spent`, the pair that it was renewed from."""

    current: Mapping[str, str]
    spent: Mapping[str, str]
    access: Access
