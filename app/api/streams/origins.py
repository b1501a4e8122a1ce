"""Which pages a browser may open a WebSocket for: it asks nobody but the server that is asked."""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers

_PORTS = {"http": "80", "https": "443"}


def is_welcome(headers: Headers, origins: Collection[str]) -> bool:
    """Say whether a handshake comes from no page, from one of this host, or from one of `origins`.

    The scheme of this host's own pages is not compared: behind a proxy it is not known.
    """
    sent = headers.getlist("origin")
    if not sent:
        return True  # browsers always say it; whoever is no browser is led by no page
    origin, hosts = sent[0].lower(), headers.getlist("host")
    if len(sent) > 1 or len(hosts) != 1:
        return False
    if origin in origins:
        return True
    scheme, _, authority = origin.partition("://")
    port = _PORTS.get(scheme, "")
    own = _with_port(hosts[0].lower(), port)
    return bool(port) and own is not None and own == _with_port(authority, port)


def _with_port(authority: str, port: str) -> str | None:
    """Return a host with the port that is meant; None for what is none."""
    try:
        parts = urlsplit(f"//{authority}")
        told = parts.port or port
    except ValueError:
        return None
    is_one = parts.hostname and parts.netloc == authority and "@" not in authority
    return f"{parts.hostname}:{told}" if is_one else None
