"""Clients of Redis in all its forms, none of which waits long or tries again by itself."""

import asyncio
from typing import Any
from weakref import WeakKeyDictionary

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException, RedisError

from app.redis import servers
from app.redis.embedded import Embedded

Client = Redis | RedisCluster

# One step of an exchange: longer than the patience of a caller, so that an answer which comes
# a little late is still read and its connection kept.
SOCKET_SECONDS = 0.5
# Several steps: a start node that hangs, the next one, the topology.
_ANSWER_SECONDS = 2.0
_embedded: WeakKeyDictionary[Client, Embedded] = WeakKeyDictionary()


class _Cluster(RedisCluster):
    """A Cluster client that never forgets its configured servers, and closes all connections."""

    async def initialize(self, *args: Any, **kwargs: Any) -> RedisCluster:  # noqa: ANN401 (as inherited)
        """Read the topology where it is not known, from any server that ever told it."""
        if self._initialize:
            # Once found, only the found servers are asked again; all of them may have moved.
            for node in self.startup_nodes:
                self.nodes_manager.startup_nodes.setdefault(node.name, node)
        return await super().initialize(*args, **kwargs)

    async def aclose(self) -> None:
        await super().aclose()
        await self.nodes_manager.aclose()
        await self.nodes_manager.aclose("startup_nodes")


class _PrimaryPool(SentinelConnectionPool):
    """Connections to the present primary; their end closes those to the Sentinels too."""

    async def aclose(self) -> None:
        await super().aclose()
        await self.sentinel_manager.aclose()


def _bounds() -> dict[str, Any]:
    return {
        "socket_timeout": SOCKET_SECONDS,
        "socket_connect_timeout": SOCKET_SECONDS,
        "retry": Retry(NoBackoff(), 0),
        "health_check_interval": 0,
        "decode_responses": False,
        "driver_info": None,
        "protocol": 2,
    }


def connect(url: str) -> Client:
    """Return a client for an address as it is configured; `embedded://` is in this process.

    Nothing is sent before the first operation. The caller closes the client.
    """
    scheme = url.partition("://")[0]
    if scheme == "embedded":
        return _connect_embedded()
    if scheme == servers.CLUSTER:
        return _cluster(servers.read(url))
    if scheme == servers.SENTINEL:
        return _primary(servers.read(url))
    # What the address says beyond the server must not lengthen a wait.
    return Redis.from_pool(ConnectionPool(**{**parse_url(url), **_bounds()}))


def _connect_embedded() -> Client:
    # Who has a Redis does not wait for it to load.
    from fakeredis import FakeAsyncRedis, FakeServer  # noqa: PLC0415

    client: Client = FakeAsyncRedis(server=FakeServer(), protocol=2)
    _embedded[client] = Embedded()
    return client


def _cluster(there: servers.Servers) -> Client:
    return _Cluster(
        startup_nodes=[ClusterNode(host, port) for host, port in there.hosts],
        username=there.username,
        password=there.password,
        # To read the topology anew closes the connections of everybody else; a moved slot is
        # only noted, and after a lost connection the topology is read anyway.
        reinitialize_steps=0,
        **_bounds(),
    )


def _primary(there: servers.Servers) -> Client:
    sentinel = Sentinel(there.hosts, sentinel_kwargs=_bounds())  # type: ignore[no-untyped-call]
    pool = _PrimaryPool(
        there.service,
        sentinel,
        username=there.username,
        password=there.password,
        db=there.database,
        **_bounds(),
    )  # type: ignore[no-untyped-call]
    return Redis.from_pool(pool)


def is_embedded(client: Client) -> bool:
    """Say whether this Redis is in this process, where nothing can be late or lost."""
    return client in _embedded


def embedded(client: Client) -> Embedded | None:
    """Return what all who use a Redis in this process share; None where it is elsewhere."""
    return _embedded.get(client)


async def ping(client: Client) -> bool:
    """Say whether Redis answers; of a Cluster any primary is enough."""
    try:
        if not isinstance(client, RedisCluster):
            return bool(await client.ping())
        await client.initialize()
        answers = await asyncio.gather(
            *(client.execute_command("PING", target_nodes=node) for node in client.get_primaries()),
            return_exceptions=True,
        )
    except (RedisError, RedisClusterException, OSError):
        return False
    return any(answer is True or answer == b"PONG" for answer in answers)


async def answers(url: str) -> bool:
    """Say whether the Redis at this address answers."""
    client = connect(url)
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            return await ping(client)
    except TimeoutError:
        return False
    finally:
        await client.aclose()
