"""Addresses that the configuration names: providers, Redis, the database, origins."""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from app.settings.secret import SecretUrl, resolved, surroundings
from app.settings.values import Written, refusal

_SQLITE = "sqlite:///"
_POSTGRESQL = "postgresql://USER:PASSWORD@HOST/DATABASE"
_POSTGRESQL_OPTIONS = ("sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl")
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
# The number of a database within Redis.
_DATABASE = re.compile(r"/?|/[0-9]{1,5}")
_SENTINEL_PATH = re.compile(r"/[^/]+(/|/[0-9]{1,5})?")


def is_loopback(host: str) -> bool:
    """Say whether nobody but this machine can reach `host`."""
    try:
        return ip_address(host.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _split(url: str) -> SplitResult:
    """Take an address apart, its port read once: an impossible one is a ValueError as well."""
    if not url.isprintable() or " " in url or "\\" in url:
        raise ValueError
    parts = urlsplit(url)
    if parts.port == 0:
        raise ValueError
    return parts


def _web_url(url: str) -> str:
    parts = _split(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError
    if "@" in parts.netloc:
        raise refusal("must not hold a user or a password; remove them from the address")
    if "?" in url or "#" in url:
        raise refusal('must end before any "?" or "#"; remove them and what follows')
    return url.rstrip("/")


def _origin(value: str) -> str:
    parts = _split(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise ValueError
    if value != f"{parts.scheme}://{parts.netloc}" or value != value.lower():
        raise ValueError
    return value


def is_open_http(url: str) -> bool:
    """Say whether an address would be asked unencrypted over a network."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")


def _collector_url(url: str) -> str:
    address = _web_url(url)
    if is_open_http(address):
        raise refusal("http is only for loopback; write an address that starts with https://")
    return address


def _has_port(server: str) -> bool:
    try:
        parts = _split(f"//{server}")
    except ValueError:
        return False
    return bool(parts.hostname) and parts.port is not None and parts.netloc == server


def _check_servers(url: str) -> None:
    """Refuse a redis+cluster:// or redis+sentinel:// address that is not one."""
    scheme, _, rest = url.partition("://")
    if not rest.isprintable() or " " in rest:
        raise ValueError
    if set(rest) & set("?#"):
        raise refusal(
            'must end before any "?" or "#"; within a password they are written %3F and %23'
        )
    authority, slash, path = rest.partition("/")
    if not all(_has_port(server) for server in authority.rpartition("@")[2].split(",")):
        raise refusal(
            f'must name each server with its port, such as "{scheme}://10.0.0.1:7000,10.0.0.2:7000'
            + ("/NAME" if "sentinel" in scheme else "")
            + '"; within a password "/" is written %2F'
        )
    if scheme == "redis+cluster" and path:
        raise refusal("must end after its servers; a Redis Cluster has no numbered databases")
    if scheme == "redis+sentinel" and not _SENTINEL_PATH.fullmatch(slash + path):
        raise refusal(
            "must name the primary as the Sentinels do, and may number a database; "
            'write "redis+sentinel://HOST:PORT/NAME" or "redis+sentinel://HOST:PORT/NAME/N"'
        )


def _cache_url(value: SecretUrl) -> SecretUrl:
    url = value.get_secret_value()
    if url.startswith(("redis+cluster://", "redis+sentinel://")):
        _check_servers(url)
        return value
    parts = _split(url)
    on_host = bool(parts.hostname) and _DATABASE.fullmatch(parts.path) is not None
    usable = {
        "embedded": url == "embedded://",
        "redis": on_host,
        "rediss": on_host,
        "unix": parts.path.startswith("/") and len(parts.path) > 1,
    }
    if not usable.get(parts.scheme):
        raise ValueError
    return value


def _check_postgresql(url: str) -> None:
    """Refuse a postgresql:// address that is not one, or whose options would not be heeded."""
    parts = _split(url)
    if not parts.hostname or not re.fullmatch(r"/[^/]+", parts.path) or "#" in url:
        raise refusal(
            f'must name a host and a database; write "{_POSTGRESQL}"; '
            'within a password "/" is written %2F, "#" %23, "?" %3F and "@" %40'
        )
    options = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    for name, chosen in options:
        if name not in _POSTGRESQL_OPTIONS:
            raise refusal(
                "has an option that is not known; known: " + ", ".join(_POSTGRESQL_OPTIONS)
            )
        if name == "sslmode" and chosen not in _SSL_MODES:
            raise refusal("has an sslmode that is none; write one of " + ", ".join(_SSL_MODES))


def _directory_url(value: SecretUrl, info: ValidationInfo) -> SecretUrl:
    url = value.get_secret_value()
    if url.startswith("postgresql://"):
        _check_postgresql(url)
        return value
    if url.startswith(("postgresql+", "postgres:")):
        raise refusal(f'must be written as "{_POSTGRESQL}"')
    name = url.removeprefix(_SQLITE)
    if not url.startswith(_SQLITE) or not name.isprintable() or set(name) & set("?#"):
        raise ValueError
    if not name or name.startswith(":") or name.endswith("/"):
        # A database in memory would lose every customer at the next start.
        raise refusal('must name a file; write "sqlite:///FILE"')
    path: Path = surroundings(info).folder / name
    return SecretUrl(f"{_SQLITE}{path.as_posix()}")


def _shown(value: object) -> str:
    return f'"{value}"'


BaseUrl = Annotated[
    str,
    AfterValidator(_web_url),
    Written('an address such as "https://cloud.example.com/api/v4"'),
]
CollectorUrl = Annotated[
    str,
    AfterValidator(_collector_url),
    Written('the address of a collector such as "http://127.0.0.1:4318"'),
]
Origin = Annotated[
    str,
    AfterValidator(_origin),
    Written('exact origins in lower case such as "https://app.example.com"'),
]
CacheUrl = Annotated[
    SecretUrl,
    AfterValidator(_cache_url),
    BeforeValidator(resolved),
    Written(
        '"embedded://", "redis://HOST:PORT/N", "rediss://HOST:PORT/N", "unix:///PATH", '
        '"redis+cluster://HOST:PORT,HOST:PORT" or "redis+sentinel://HOST:PORT,HOST:PORT/NAME"',
        _shown,
    ),
]
DirectoryUrl = Annotated[
    SecretUrl,
    AfterValidator(_directory_url),
    BeforeValidator(resolved),
    Written(f'"sqlite:///FILE" or "{_POSTGRESQL}"', _shown),
]
