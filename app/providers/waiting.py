"""How long a provider asks to be left alone."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import msgspec

# A provider that says "not before tomorrow" is asked again after an hour all the same.
LONGEST_WAIT = timedelta(hours=1)
_MOST_DIGITS = 9


class _Hint(msgspec.Struct):
    retry_after: str | int = msgspec.field(name="retryAfter")


def hint_of(body: bytes) -> str:
    """Return the `retryAfter` of HostUp's answer to too many requests, empty without one."""
    try:
        return str(msgspec.json.decode(body, type=_Hint).retry_after)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


def retry_at(hint: str, now: datetime) -> datetime | None:
    """Read seconds or a date; None when there is nothing to read or it makes no sense."""
    text = hint.strip()
    if text.isascii() and text.isdigit():
        return now + min(timedelta(seconds=int(text[:_MOST_DIGITS])), LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(text)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return min(max(at, now), now + LONGEST_WAIT)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
