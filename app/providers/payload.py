"""Reading what a provider gave: JSON into declared shapes, exact decimals, times."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta, Raw

from app.model.errors import UpstreamInvalidResponse
from app.model.money import plain
from app.providers.call import Unreadable

T = TypeVar("T")
E = TypeVar("E")

# At most 27 digits: the difference of two has at most the 28 that Decimal adds exactly.
UNSIGNED = r"[0-9]{1,15}(?:\.[0-9]{1,12})?"
SIGNED = f"-?{UNSIGNED}"
LOCAL_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"
UnsignedText = Annotated[str, Meta(pattern=rf"^{UNSIGNED}\Z")]
SignedText = Annotated[str, Meta(pattern=rf"^{SIGNED}\Z")]
# Without a currency the text is empty, or there is none.
CurrencyCodeOrNone = Annotated[str, Meta(pattern=r"^([A-Z]{3})?\Z")]
CurrencyCode = Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")]
LocalTime = Annotated[str, Meta(pattern=rf"^{LOCAL_TIME}\Z")]
Instant = Annotated[datetime, Meta(tz=True)]
# What may stand in a header; anything else is no token, and would end the header or the call.
Token = Annotated[str, Meta(pattern=r"^[!-~]{1,10000}\Z")]
Points = Annotated[int, Meta(ge=-(10**15), le=10**15)]
# GraphQL's Int has 32 bits; a larger number in such a field is not what the documents say.
Int32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]

_LOCAL_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} (?:[01][0-9]|2[0-3])(?::[0-9]{2}){2}")
# Amounts beyond these are damage, and writing them out digit by digit would be an attack.
_NUMBER = re.compile(rb"-?[0-9]{1,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?")
# Nearly all: what such a one is needs no further look.
_PLAIN_NUMBER = re.compile(rb"-?[0-9]{1,15}(\.[0-9]{1,12})?")
_LARGEST_EXPONENT = 20
_SMALLEST_EXPONENT = -20
_MOST_DIGITS = 28
_LAST_DAY = date.max.isoformat()
_encode = msgspec.json.Encoder().encode


def decoded(body: bytes, shape: type[T], provider: str) -> T:
    """Return the body in its declared shape; `UpstreamInvalidResponse` names the wrong place."""
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        where = re.search(r"`(\$[^`]*)`$", str(error))
        at = f" at {where[1]}" if where else ""
        raise UpstreamInvalidResponse(
            f"{provider} answered something else than its documents say{at}."
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(f"{provider} answered unreadable JSON.") from error


def decoded_data(data: Raw, shape: type[T], provider: str) -> T:
    """Return what an envelope holds in its declared shape; nothing at all is refused too."""
    if bytes(data) in {b"", b"null"}:
        raise UpstreamInvalidResponse(f"{provider} answered without data.")
    return decoded(bytes(data), shape, provider)


def translated(rows: list[T], translate: Callable[[T], E], provider: str) -> tuple[E, ...]:
    """Translate every row; what cannot be an entry is `UpstreamInvalidResponse`."""
    try:
        return tuple([translate(row) for row in rows])
    except (ArithmeticError, ValueError) as error:
        raise UpstreamInvalidResponse(
            f"{provider} gave an entry that cannot be read: {type(error).__name__}."
        ) from error


def exact(number: Raw) -> Decimal:
    """Return a JSON number with every digit that was sent; ValueError if it is no amount."""
    text = bytes(number)
    if _PLAIN_NUMBER.fullmatch(text):
        return Decimal(text.decode())
    if not _NUMBER.fullmatch(text):
        raise ValueError
    amount = Decimal(text.decode())
    _, digits, exponent = amount.as_tuple()
    if (
        not isinstance(exponent, int)
        or exponent < _SMALLEST_EXPONENT
        or amount.adjusted() > _LARGEST_EXPONENT
        or len(digits) > _MOST_DIGITS
    ):
        raise ValueError
    return amount


def in_utc(at: datetime) -> datetime:
    return at if at.tzinfo is UTC else at.astimezone(UTC)


def local_instants(text: str, zone: ZoneInfo) -> tuple[datetime, datetime | None]:
    """Read a local time as one instant, or as both of the hour that occurs twice in autumn.

    A time that never existed, in spring, is moved on by the gap. ValueError for what is no time.
    """
    # By a pattern and an ISO time, as `strptime` takes seven times as long.
    if not _LOCAL_TIME.fullmatch(text):
        raise ValueError("no local time")
    offset = _offset_on(text[:10], zone)
    if offset is not None:
        # To replace the zone of what was read without one takes ten times as long.
        return datetime.fromisoformat(f"{text}Z") - offset, None
    local = datetime.fromisoformat(text).replace(tzinfo=zone)
    first, second = in_utc(local), in_utc(local.replace(fold=1))
    return first, second if second > first else None


@lru_cache(maxsize=10_000)
def _offset_on(day: str, zone: ZoneInfo) -> timedelta | None:
    """Return by how much a zone is before UTC on a day; None where that changes on it or about it.

    In no zone does it change twice within three days. What is repeated or left out by a change may
    be about a midnight, which then is two instants itself.
    """
    if day == _LAST_DAY:
        return None
    begins = datetime.fromisoformat(day).replace(tzinfo=zone)
    midnights = (begins, begins + timedelta(days=1))
    offsets = {one.replace(fold=fold).utcoffset() for one in midnights for fold in (0, 1)}
    return offsets.pop() if len(offsets) == 1 else None


def digest(*given: object) -> str:
    """Return an id for a row without one, from everything that tells it from other rows.

    Decimals are given as `normal`, so that equal ones are.
    """
    return blake2b(_encode(given), digest_size=8).hexdigest()


def normal(amount: Decimal) -> str:
    """Write a decimal as all that are equal to it are written."""
    return plain(amount.normalize())


def known(text: str | None, *none: str) -> str | None:
    """Return the text, or None for what the provider writes when there is none."""
    return None if text is None or text == "" or text in none else text
