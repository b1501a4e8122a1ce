"""What may befall a Redis under its users: each fault begins, and is over when it returns."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from random import Random
from typing import Any

from redis import Redis
from redis_server import RedisServer

Fault = Callable[[RedisServer, Random], Awaitable[None]]
Damage = Callable[[bytes, Random], bytes]

# Longer than an operation is waited for, so that Redis is found to be away.
_HANGS_SECONDS = 0.3


async def nothing(server: RedisServer, chance: Random) -> None:
    del server, chance


async def keys_deleted(server: RedisServer, chance: Random) -> None:
    with server.client() as client:
        for key in list(client.scan_iter()):
            if chance.random() < 0.5:
                client.delete(key)


async def fields_deleted(server: RedisServer, chance: Random) -> None:
    with server.client() as client:
        for key, field in _fields(client):
            if chance.random() < 0.3:
                client.hdel(key, field)


async def fields_damaged(server: RedisServer, chance: Random) -> None:
    with server.client() as client:
        for key, field in _fields(client):
            if chance.random() < 0.3:
                whole = client.hget(key, field) or b""
                client.hset(key, field, chance.choice(DAMAGES)(whole, chance))


async def flushed(server: RedisServer, chance: Random) -> None:
    del chance
    with server.client() as client:
        client.flushall()


async def scripts_flushed(server: RedisServer, chance: Random) -> None:
    del chance
    with server.client() as client:
        client.script_flush()


async def restarted(server: RedisServer, chance: Random) -> None:
    server.kill()
    await asyncio.sleep(chance.choice([0, 0.1]))
    await asyncio.to_thread(server.start)


async def stopped(server: RedisServer, chance: Random) -> None:
    server.pause()
    await asyncio.sleep(chance.choice([0.01, 0.05, _HANGS_SECONDS]))
    server.go_on()


async def paused(server: RedisServer, chance: Random) -> None:
    del chance
    with server.client() as client:
        client.client_pause(int(1000 * _HANGS_SECONDS))


async def deafened(server: RedisServer, chance: Random) -> None:
    """Cut the connections on which processes hear of changes."""
    del chance
    with server.client() as client:
        client.client_kill_filter(_type="pubsub")


FAULTS: Mapping[str, Fault] = {
    fault.__name__: fault
    for fault in (
        *(keys_deleted, fields_deleted, fields_damaged, flushed, scripts_flushed),
        *(restarted, stopped, paused, deafened),
    )
}


def _noise(whole: bytes, chance: Random) -> bytes:
    return chance.randbytes(len(whole))


def _cut(whole: bytes, chance: Random) -> bytes:
    return whole[: chance.randrange(len(whole) + 1)]


def _cut_between_words(whole: bytes, chance: Random) -> bytes:
    words = whole.split()
    return b" ".join(words[: chance.randrange(len(words) + 1)])


def _one_bit_wrong(whole: bytes, chance: Random) -> bytes:
    if not whole:
        return b"\x00"
    at = chance.randrange(len(whole))
    return whole[:at] + bytes([whole[at] ^ 1 << chance.randrange(8)]) + whole[at + 1 :]


DAMAGES: tuple[Damage, ...] = (*(_noise, _cut, _cut_between_words, _one_bit_wrong),)


def _fields(client: Redis) -> list[tuple[bytes, Any]]:
    keys = [key for key in client.scan_iter() if client.type(key) == b"hash"]
    return [(key, field) for key in keys for field in client.hkeys(key)]
