"""Listeners that do not read, that go away, and that are many."""

import asyncio
import base64
import gc
import json
import os
import socket as sockets
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta

import pytest
from streaming import LARGE, PACE, PROTOCOL, Served, begun, hear, say, served, subscribe, until
from websockets.asyncio.client import ClientConnection

from app.api.streams.outlet import Outlet
from app.server.connections import Connection, HttpConnection, WebSocketConnection

# Nothing ends because it takes long.
UNHURRIED = PACE._replace(to_begin=timedelta(seconds=30), to_take=timedelta(seconds=30))
Opening = Callable[[Served], sockets.socket]


def _frame(message: dict[str, object]) -> bytes:
    """Return a short text as a client sends it, masked by nought."""
    text = json.dumps(message).encode()
    assert len(text) < 126
    return bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text


def _listen_by_socket(one: Served) -> sockets.socket:
    """Subscribe to a flood over a WebSocket, and read no more than the handshake."""
    raw = _handshaken(one)
    raw.sendall(_frame({"type": "connection_init"}))
    raw.sendall(_frame({"id": "a", "type": "subscribe", "payload": {"query": "flood"}}))
    return raw


def _handshaken(one: Served) -> sockets.socket:
    """Return a WebSocket whose caller never said who it is."""
    key = base64.b64encode(os.urandom(16))
    raw = _connected(one)
    raw.sendall(
        b"GET /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %b\r\nSec-WebSocket-Protocol: %b\r\n\r\n"
        % (key, PROTOCOL.encode())
    )
    assert raw.recv(64).startswith(b"HTTP/1.1 101")
    return raw


def _listen_by_events(one: Served) -> sockets.socket:
    """Subscribe to a flood of server-sent events, and read none."""
    raw = _connected(one)
    body = b'{"query": "flood"}'
    raw.sendall(
        b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    )
    return raw


def _connected(one: Served) -> sockets.socket:
    # Little is left in the buffers of the system, so that the server's own fill up.
    raw = sockets.socket()
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    raw.settimeout(60)
    raw.connect(one.address)
    return raw


OPENINGS = [_listen_by_socket, _listen_by_events]


@asynccontextmanager
async def freeing(one: Served, seconds: float = 60) -> AsyncIterator[None]:
    """See that what is opened within is freed so soon after it."""
    before = (0, 0, one.tasks)
    yield
    await until(lambda: (one.source.open, one.streams.open, one.tasks) == before, seconds)


@pytest.mark.parametrize("listen", OPENINGS)
async def test_who_does_not_read_is_dropped_and_who_does_gets_everything(listen: Opening) -> None:
    with served() as one:
        async with freeing(one), begun(one.url) as reader:
            await subscribe(reader, "a", "flood")
            await _read(reader, lambda: one.source.told > 10)
            async with freeing_but_one(one):
                with listen(one) as silent:
                    await _read(reader, lambda: one.streams.open == 2)
                    meanwhile = await _read(reader, lambda: one.streams.open == 1)
                    left = await asyncio.to_thread(_left, silent)
            told = one.source.told
            afterwards = await _read(reader, lambda: one.source.told > told + 50)

    assert meanwhile > 50
    assert afterwards > 40
    # It ends without a word, as there was no room for one.
    assert b"complete" not in left
    assert len(left) < 20 << 20


@asynccontextmanager
async def freeing_but_one(one: Served) -> AsyncIterator[None]:
    """See that there is no more in the end than there was before."""
    before = one.tasks
    yield
    await until(lambda: (one.source.open, one.streams.open, one.tasks) == (1, 1, before))


async def _read(reader: ClientConnection, enough: Callable[[], bool]) -> int:
    """Read a flood until it is enough; return how many answers it had."""
    heard = 0
    async with asyncio.timeout(60):
        while not enough():
            assert (await hear(reader))["payload"] == {"data": {"value": LARGE}}
            heard += 1
    return heard


async def _settled(one: Served) -> int:
    """Return how many answers were made, once no more are."""
    await until(lambda: one.source.told > 0)
    before = -1
    while one.source.told > before:
        before = one.source.told
        await asyncio.sleep(0.5)
    assert one.source.open == 1
    return before


def _left(raw: sockets.socket) -> bytes:
    """Return what the system still has of a connection that was cut off."""
    parts = []
    with suppress(ConnectionError):
        while part := raw.recv(1 << 16):
            parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize("listen", OPENINGS)
async def test_nothing_is_made_for_who_does_not_read(listen: Opening) -> None:
    with served(pace=UNHURRIED) as one:
        async with freeing(one):
            with listen(one):
                held = await _settled(one)
        async with begun(one.url) as reader:
            await subscribe(reader, "a", "flood")
            control = await _read(reader, lambda: one.source.told > 4 * held)

    # What the buffers of the system and of the connection take, some megabytes, and no more.
    assert 0 < held < 600
    assert control > 2 * held


@pytest.mark.parametrize("listen", OPENINGS)
@pytest.mark.parametrize("leaving", ["closes", "resets"])
async def test_who_goes_away_frees_everything_at_once(listen: Opening, leaving: str) -> None:
    with served(pace=UNHURRIED) as one:
        async with freeing(one, seconds=10):
            raw = listen(one)
            await until(lambda: one.source.open == 1)
            if leaving == "resets":
                raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
            raw.close()


async def test_who_stays_keeps_everything() -> None:
    with served() as one:
        async with freeing(one), begun(one.url) as client:
            await subscribe(client, "a", "silent")
            await asyncio.sleep(2)

            assert (one.source.open, one.streams.open) == (1, 1)


async def test_200_connections_listen_at_once() -> None:
    with served(pace=UNHURRIED) as one:
        async with freeing(one), AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(begun(one.url)) for _ in range(200)]
            for client in clients:
                await subscribe(client, "a", "silent")
                await subscribe(client, "b", "three")
            await until(lambda: (one.source.open, one.source.told) == (200, 600))
            heard = [(await hear(client))["type"] for client in clients]
            most = one.streams.open

    assert most == 200
    assert heard == ["next"] * 200


async def test_a_thousand_short_subscriptions_leave_nothing_behind() -> None:
    with served(pace=UNHURRIED) as one:
        async with freeing(one):
            for number in range(250):
                await _listen_briefly(one)
                if number == 50:
                    early = await _objects(one)
            late = await _objects(one)
            assert _alive() == {}
            async with begun(one.url):
                control = _alive()

    assert one.source.subscribed == 1000
    assert late - early < 200
    assert (control["WebSocketConnection"], control["Outlet"]) == (1, 1)


async def _listen_briefly(one: Served) -> None:
    async with begun(one.url) as client:
        await subscribe(client, "a", "silent")
        await subscribe(client, "b", "three")
        await subscribe(client, "c", "ticking")
        await subscribe(client, "d", "broken")
        while (await hear(client))["type"] != "error":
            pass
        await say(client, id="a", type="complete")


async def _objects(one: Served) -> int:
    await until(lambda: (one.source.open, one.streams.open) == (0, 0))
    await asyncio.sleep(0.3)
    gc.collect()
    return len(gc.get_objects())


def _alive() -> Counter[str]:
    """Return what of the streams is in memory, by its type."""
    ours = (Outlet, HttpConnection, WebSocketConnection, Connection)
    return Counter(type(one).__name__ for one in gc.get_objects() if isinstance(one, ours))


PING, PONG = bytes([0x89, 0x80, 0, 0, 0, 0]), bytes([0x8A, 0x80, 0, 0, 0, 0])
FRAMES = {
    "pings": PING,
    "pongs": PONG,
    "messages": _frame({"type": "pong"}),
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_who_floods_a_connection_is_cut_off_and_who_does_not_is_served(frame: bytes) -> None:
    with served(pace=UNHURRIED) as one, _handshaken(one) as usual, _handshaken(one) as flooding:
        usual.sendall(frame * 100)
        with suppress(OSError):
            flooding.sendall(frame * 20_000)
        cut_off = _is_cut_off(flooding)
        usual.sendall(frame * 100 + PING)
        served_on = not _is_cut_off(usual, within=0.5)

    assert cut_off
    assert served_on


def _is_cut_off(raw: sockets.socket, within: float = 60) -> bool:
    raw.settimeout(within)
    try:
        while raw.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True
