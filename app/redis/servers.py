"""Addresses that name several servers: those of a Redis Cluster and of Sentinels."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

CLUSTER = "redis+cluster"
SENTINEL = "redis+sentinel"

_PATHS = {
    CLUSTER: re.compile(r"/?"),
    SENTINEL: re.compile(r"/(?P<service>[^/]+)(?:/(?P<database>[0-9]{1,5})?)?"),
}


@dataclass(frozen=True)
class Servers:
    """Where to ask, and with Sentinel for what. The credentials are those of the Redis itself."""

    hosts: tuple[tuple[str, int], ...]
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    service: str = ""
    database: int = 0


def read(url: str) -> Servers:
    """Return the servers of a redis+cluster:// or redis+sentinel:// address, else ValueError."""
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    named = _PATHS[scheme].fullmatch(slash + path) if scheme in _PATHS else None
    if named is None:
        raise ValueError("not the address of a Redis Cluster or of Sentinels")
    credentials, _, hosts = authority.rpartition("@")
    username, _, password = credentials.partition(":")
    found = named.groupdict()
    return Servers(
        tuple(_host(text) for text in hosts.split(",")),
        unquote(username) or None,
        unquote(password) or None,
        unquote(found.get("service") or ""),
        int(found.get("database") or 0),
    )


def _host(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname or not parts.port:
        raise ValueError("a server is written HOST:PORT")
    return parts.hostname, parts.port
