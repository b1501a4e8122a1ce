"""Documents of an embedded Redis are kept as those of any other, step by step."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from redis_server import RedisServer, needs_redis, redis_server

from app.mirror.documents import Lease
from app.mirror.embedded import EmbeddedStore, document_store
from app.mirror.store import CHANNEL, DocumentStore, Encoded, Saved
from app.redis.changes import Changes
from app.redis.connection import connect
from app.redis.embedded import Embedded
from app.redis.guard import Guard

NAMES = ("{a}:1:balance", "{b}:1:balance")
BLOCKS = ("one", "two", "three")
KEPT_FOR = timedelta(minutes=5)


@pytest.fixture(scope="module")
def running() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def server(running: RedisServer) -> RedisServer:
    with running.client() as client:
        client.flushall()
    return running


class Player:
    """Does what it is told to a store, and says what came of it; eras are unlike in any two."""

    def __init__(self, store: DocumentStore) -> None:
        self.store = store
        self.eras = dict.fromkeys(NAMES, "")

    async def play(self, step: str, name: str, chance: Random) -> object:
        lease = Lease(name, chance.choice(["lease", "rebuild"]), chance.choice(["t1", "t2"]))
        version, over = chance.choice(["v1", "v2"]), chance.choice([None, "v1", "v2", "v3"])
        names = [block for block in BLOCKS if chance.random() < 0.6]
        datas = [chance.choice([None, b"data", b"other"]) for _ in names]
        wants_lease, knows_era = chance.random() < 0.5, chance.random() < 0.8
        wanted = lease if wants_lease else None
        era = self.eras[name] if knows_era else "another"
        if step == "look":
            found = await self.store.look(name, (version, names), wanted)
            self.eras[name] = found.era
            return found._replace(era=str(bool(found.era)))
        if step == "save":
            document = Encoded(version, b"state", dict(zip(names, datas, strict=True)))
            return await self.store.save(name, document, over=over, era=era, lease=wanted)
        if step == "versions":
            return await self.store.versions(NAMES)
        if step == "fail":
            await self.store.fail(name, chance.choice([b"failed", b"again"]))
        elif step == "purge":
            await self.store.purge(name)
        else:
            await getattr(self.store, step)(lease)
        return step


STEPS = (*("look", "save") * 4, "versions", "fail", "purge", "renew", "release")


async def played(store: DocumentStore, seed: int) -> list[object]:
    player, chance = Player(store), Random(seed)
    return [
        await player.play(chance.choice(STEPS), chance.choice(NAMES), Random(chance.random()))
        for _ in range(150)
    ]


@asynccontextmanager
async def store_at(url: str) -> AsyncIterator[tuple[DocumentStore, list[str]]]:
    """Return a store, and the words that are heard of it."""
    client, heard = connect(url), list[str]()
    guard, changes = Guard(client), Changes(client, CHANNEL)
    changes.listen(heard.append, lambda: None)
    changes.start()
    try:
        async with asyncio.timeout(60):
            while not changes.is_live:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)
        yield document_store(guard, kept_for=KEPT_FOR), heard
    finally:
        await changes.aclose()
        await guard.aclose()
        await client.aclose()


@needs_redis
@pytest.mark.parametrize("seed", range(8))
async def test_both_do_and_tell_the_same(seed: int, server: RedisServer) -> None:
    async with store_at("embedded://") as (here, heard), store_at(server.url) as (there, told):
        embedded, redis = await played(here, seed), await played(there, seed)
        async with asyncio.timeout(60):
            while len(told) < len(heard):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)

    assert embedded == redis
    assert heard == told
    assert {one for one in redis if isinstance(one, Saved)} == set(Saved)


@needs_redis
async def test_a_store_that_overwrites_what_another_wrote_would_be_noticed(
    server: RedisServer,
) -> None:
    class Careless(EmbeddedStore):
        async def save(self, name: str, document: Encoded, **given: Any) -> Saved:  # noqa: ANN401
            there = (await self.look(name)).version
            return await super().save(name, document, **{**given, "over": there})

    async with store_at(server.url) as (there, _):
        careless = await played(Careless(Embedded(), kept_for=KEPT_FOR), 1)

        assert careless != await played(there, 1)


async def test_what_has_expired_is_neither_told_nor_kept() -> None:
    store = EmbeddedStore(Embedded(), kept_for=timedelta(milliseconds=50))
    for number in range(100):
        await store.save(f"{{{number}}}:1:balance", Encoded("v", b"", {}), over=None, era="")
    before = await store.versions(["{1}:1:balance"])
    await asyncio.sleep(0.06)

    after = await store.versions(["{1}:1:balance"])

    assert (before, after) == (["v"], [None])
    assert not store._shelf.documents


async def test_what_shares_a_redis_shares_its_documents_and_what_does_not_does_not() -> None:
    shared = Embedded()
    one, other = (EmbeddedStore(shared, kept_for=KEPT_FOR) for _ in range(2))
    apart = EmbeddedStore(Embedded(), kept_for=KEPT_FOR)

    await one.save(NAMES[0], Encoded("v", b"state", {}), over=None, era="")

    assert (await other.look(NAMES[0])).state == b"state"
    assert (await apart.look(NAMES[0])).state is None
