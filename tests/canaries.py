"""
Looks for secrets where none may be: in logs at DEBUG, in Redis, and in what callers are told.

All tests run under it. The secrets of the emulated providers, of callers and of the vault all have
a shape of their own, so that any of them is known wherever it turns up.
"""

import logging
import re
import zlib
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from typing import Any

import structlog
from redis import Redis
from redis.exceptions import RedisError

_SECRETS = re.compile(
    r"""
      eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}      # a JWT: Cloudreve's tokens, those of callers
    | (?<![0-9])[0-9]{40}(?![0-9])            # a key of HostUp
    | sandbox-password                        # the login at CareCloud
    | (?<![0-9a-f])[0-9a-f]{40}(?![0-9a-f])   # its bearer token
    | cg_[\w-]{43}                            # a caller's API key
    | QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE   # the vault's key
    """,
    re.VERBOSE,
)


class SecretTold(AssertionError):
    """A secret was found where none may be."""


def secret_in(text: str) -> str | None:
    """Return the beginning of a secret that is in a text, None where there is none."""
    found = _SECRETS.search(text)
    return f"{found.group()[:12]}…" if found else None


def assert_none(text: str, where: str) -> None:
    """Raise `SecretTold` where a secret is in the text."""
    if found := secret_in(text):
        raise SecretTold(f"{found} in {where}")


class Watch(logging.Handler):
    """Reads everything that is logged, by whichever library, and remembers the secrets in it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))
        self.found: list[str] = []
        self.read = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Look at one line, its arguments and its traceback."""
        self.look(self.format(record), record.name)

    def look(self, text: str, where: str) -> None:
        self.read += 1
        if found := secret_in(text):
            self.found.append(f"{found} in a log of {where}: {text[:200]}")

    def listen(self) -> None:
        """Read all that structlog logs, in place of whoever reads some of it now."""
        structlog.reset_defaults()
        structlog.configure(processors=[structlog.processors.format_exc_info, self.event])

    def event(self, _: object, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        """Look at one event of structlog."""
        self.look(repr(event), "structlog")
        raise structlog.DropEvent


@contextmanager
def watching() -> Iterator[Watch]:
    """Read all logs at DEBUG for as long as this lasts."""
    watch, root = Watch(), logging.getLogger()
    before = root.level
    root.addHandler(watch)
    root.setLevel(logging.DEBUG)
    watch.listen()
    try:
        yield watch
    finally:
        structlog.reset_defaults()
        root.setLevel(before)
        root.removeHandler(watch)


def look_through(redis: Redis) -> int:
    """Raise `SecretTold` where a secret is kept in a Redis; return how many values were read."""
    read = 0
    try:
        for key in redis.scan_iter():
            kept = redis.hgetall(key) if redis.type(key) == b"hash" else {b"": redis.get(key)}
            for field, value in kept.items():
                read += 1
                assert_none(_plain(key) + _plain(field) + _plain(value or b""), f"Redis at {key!r}")
    except RedisError:
        return read
    return read


def _plain(value: bytes | str) -> str:
    if isinstance(value, str):
        return value
    with suppress(zlib.error):
        value = zlib.decompress(value)
    return value.decode(errors="replace")
