"""
Every error that crosses a layer, by whose turn it is.

GatewayError
├── CallerError                  the caller's: ask differently
│   ├── BadUserInput
│   ├── InvalidCursor
│   ├── Unauthenticated
│   ├── Forbidden
│   ├── NotFound
│   └── TooSlow
├── UpstreamError                one provider could not answer; a mirror may still serve
│   ├── UpstreamUnavailable      nobody's: try again later
│   ├── UpstreamTimeout          nobody's: try again later
│   ├── UpstreamRateLimited      nobody's: not before `retry_at`
│   ├── UpstreamUnauthorized     the operator's or the customer's: link the account again
│   └── UpstreamInvalidResponse  a developer's: the answer is not what its documents say
├── PlaceLost                    the mirror's: the provider no longer knows a stored place
└── ConfigurationError           the operator's: names the key
"""

from datetime import datetime
from typing import ClassVar


class GatewayError(Exception):
    """The root of every error of ours.

    `field` is the path of the input's field that it is about, None where it is about none.
    """

    field: str | None = None


class CallerError(GatewayError):
    """The request cannot be answered as asked; the message says what to change."""

    code: ClassVar[str] = "BAD_USER_INPUT"


class BadUserInput(CallerError):
    """An argument is out of its range or names something that cannot be."""


class InvalidCursor(CallerError):
    """A cursor was not made by this gateway for this list and filter."""

    code: ClassVar[str] = "INVALID_CURSOR"


class Unauthenticated(CallerError):
    """Nobody knows who is calling. `sent` is True when a token or key was sent and is refused."""

    code: ClassVar[str] = "UNAUTHENTICATED"

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class Forbidden(CallerError):
    """The viewer may see what was named, but not do this to it."""

    code: ClassVar[str] = "FORBIDDEN"


class NotFound(CallerError):
    """What was named does not exist, or the viewer may not know that it does."""

    code: ClassVar[str] = "NOT_FOUND"


class TooSlow(CallerError):
    """A listener does not take what it is told as fast as it happens, and is told no more."""

    code: ClassVar[str] = "RATE_LIMITED"


class UpstreamError(GatewayError):
    """A provider could not answer.

    The message is ours and holds nothing that a provider said. `retry_at` is the instant before
    which asking again is pointless; None when nothing is known.
    """

    code: ClassVar[str] = "UPSTREAM_UNAVAILABLE"

    def __init__(self, message: str, *, retry_at: datetime | None = None) -> None:
        super().__init__(message)
        self.retry_at = retry_at


class UpstreamUnavailable(UpstreamError):
    """The provider did not answer, or answered that it cannot."""


class UpstreamTimeout(UpstreamError):
    """The provider did not answer in time."""

    code: ClassVar[str] = "UPSTREAM_TIMEOUT"


class UpstreamRateLimited(UpstreamError):
    """The provider asks to be asked less."""

    code: ClassVar[str] = "UPSTREAM_RATE_LIMITED"


class UpstreamUnauthorized(UpstreamError):
    """The provider refuses the credentials, also after they were renewed once.

    `relink` is True when linking the account again can mend it, False when the refused
    credentials are the provider's own in the configuration.
    """

    code: ClassVar[str] = "UPSTREAM_UNAUTHORIZED"

    def __init__(
        self, message: str, *, retry_at: datetime | None = None, relink: bool = True
    ) -> None:
        super().__init__(message, retry_at=retry_at)
        self.relink = relink


class UpstreamInvalidResponse(UpstreamError):
    """The answer is not what the provider's documents say."""

    code: ClassVar[str] = "UPSTREAM_INVALID_RESPONSE"


class PlaceLost(GatewayError):
    """A stored place no longer continues the list; it has to be read anew from its newest end."""


class ConfigurationError(GatewayError):
    """The configuration cannot be used; the message is one line that names the key."""
