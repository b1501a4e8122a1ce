"""Real servers for the tests of this folder."""

from collections.abc import Iterator

import pytest
from redis_cluster import RedisCluster, redis_cluster
from redis_sentinel import Sentinels, redis_sentinels
from redis_server import BINARY, RedisServer, redis_server

_NONE = "no redis-server is installed; apt-get install redis-server brings it"


@pytest.fixture(scope="session")
def running() -> Iterator[RedisServer]:
    if BINARY is None:
        pytest.skip(_NONE)
    with redis_server() as found:
        yield found


@pytest.fixture
def server(running: RedisServer) -> RedisServer:
    """Return an empty Redis; a test that stops it lets it go on."""
    with running.client() as client:
        client.flushall()
    return running


@pytest.fixture(scope="session")
def cluster() -> Iterator[RedisCluster]:
    if BINARY is None:
        pytest.skip(_NONE)
    with redis_cluster() as found:
        yield found


@pytest.fixture
def sentinels() -> Iterator[Sentinels]:
    if BINARY is None:
        pytest.skip(_NONE)
    with redis_sentinels() as found:
        yield found
