"""The ways in which a server that should speak HTTPS can begin, none of which is to be trusted."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from authorities import OVER, Authority
from cryptography.x509 import DNSName
from wire import Greeting
from wire_faults import TIMEOUT, UNAVAILABLE, head

# What is told of each that is wrong.
CODES: Mapping[str, str] = {
    "unknown_authority": UNAVAILABLE,
    "expired": UNAVAILABLE,
    "of_another_host": UNAVAILABLE,
    "plain_http": UNAVAILABLE,
    "garbage": UNAVAILABLE,
    "cut": UNAVAILABLE,
    "half_a_greeting": TIMEOUT,
    "silence": TIMEOUT,
}


class Greetings(NamedTuple):
    """One that is right for whoever trusts the authority in `trusted`, and those that are not."""

    trusted: Path
    right: Greeting
    wrong: Mapping[str, Greeting]


def greetings(folder: Path) -> Greetings:
    """Return all of them; `folder` takes their certificates."""
    trusted, unknown = Authority(folder, "trusted"), Authority(folder, "unknown")
    wrong: Mapping[str, Greeting] = {
        "unknown_authority": unknown.vouch(),
        "expired": trusted.vouch(term=OVER),
        "of_another_host": trusted.vouch(DNSName("elsewhere.example.com")),
        "plain_http": _plain_http,
        "garbage": _garbage,
        "cut": _cut,
        "half_a_greeting": _half_a_greeting,
        "silence": _silence,
    }
    return Greetings(trusted.file, trusted.vouch(), wrong)


async def _plain_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(head("400 Bad Request", "Content-Length: 2") + b"{}")


async def _garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"\x00\xff\xfe SSH-2.0 \r\n\r\n" * 100)


async def _cut(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read(1)


async def _half_a_greeting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Begin a record of a handshake, and never end it."""
    writer.write(b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03")
    await _silence(reader, writer)


async def _silence(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    while await reader.read(1 << 16):
        pass
