"""Every form of Redis that the configuration can name does the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from asking import CHANNEL, asking, hearing, until, until_written
from certificates import certified
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.cluster import RedisCluster as AsyncRedisCluster
from redis.exceptions import NoScriptError, RedisClusterException, ResponseError
from redis_cluster import RedisCluster
from redis_server import RedisServer, free_port, needs_redis

from app.redis.connection import answers, connect, is_embedded
from app.redis.guard import Script
from app.redis.servers import Servers, read

pytest_plugins = ("redis_fixtures",)

FORMS = ("embedded", "redis", "unix", "cluster", "sentinel")
each_form = pytest.mark.parametrize("form", FORMS)

KEEP = Script(
    "redis.call('SET', KEYS[1], ARGV[1])\n"
    "redis.call('RPUSH', KEYS[2], ARGV[1], ARGV[2])\n"
    f"redis.call('PUBLISH', '{CHANNEL}', ARGV[3])\n"
    "return {redis.call('GET', KEYS[1]), redis.call('LRANGE', KEYS[2], 0, -1)}"
)
BYTES = bytes(range(256))


@pytest.fixture(scope="module")
def sockets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("redis")


@pytest.fixture(scope="module")
def on_socket(sockets: Path) -> Iterator[str]:
    server = RedisServer("--unixsocket", str(sockets / "redis.sock"))
    server.start()
    yield f"unix://{sockets}/redis.sock"
    server.kill()


@pytest.fixture
def url(form: str, request: pytest.FixtureRequest) -> str:
    if form == "embedded":
        return "embedded://"
    names = {"redis": "server", "unix": "on_socket", "cluster": "cluster", "sentinel": "sentinels"}
    found = request.getfixturevalue("running") and request.getfixturevalue(names[form])
    return found if isinstance(found, str) else str(found.url)


@each_form
async def test_a_script_reads_writes_and_tells(form: str, url: str) -> None:
    async with hearing(url) as (changes, guard, heard):
        for n in range(3):
            key = f"{{{form}{n}}}"
            value, entries = await guard.run(
                KEEP, [f"{key}:state", f"{key}:entries"], [BYTES, 7, f"{n} ä"]
            )

            assert value == BYTES
            assert entries == [BYTES, b"7"]
            if form == "embedded":  # there, words go by themselves, as documents do
                await changes.publish(guard, f"{n} ä")
        await until(lambda: len(heard) == 3)

    assert heard[:3] == ["0 ä", "1 ä", "2 ä"]


@each_form
async def test_a_script_that_redis_forgot_is_sent_again(form: str, url: str) -> None:
    script = Script(f"return '{form}' .. ARGV[1]")
    async with asking(url) as (client, guard):
        assert await guard.run(script, ["k"], [1]) == f"{form}1".encode()
        assert await client.evalsha(script.sha1, 1, "k", 1) == f"{form}1".encode()
        await client.script_flush()
        with pytest.raises(NoScriptError):
            await client.evalsha(script.sha1, 1, "k", 2)

        assert await guard.run(script, ["k"], [2]) == f"{form}2".encode()


@each_form
async def test_a_wrong_script_is_told(form: str, url: str) -> None:
    async with asking(url) as (_, guard):
        with pytest.raises(ResponseError):
            await guard.run(Script(f"{form} is not Lua"), ["k"], [])

        assert not guard.is_away


@each_form
async def test_it_answers(form: str, url: str) -> None:
    client = connect(url)
    assert is_embedded(client) is (form == "embedded")
    await client.aclose()

    assert await answers(url)


@pytest.mark.parametrize("form", ["redis://{}", "redis+cluster://{}", "redis+sentinel://{}/main"])
async def test_where_nothing_listens_nothing_answers(form: str) -> None:
    assert not await answers(form.format(f"127.0.0.1:{free_port()}"))


async def test_a_redis_that_is_no_cluster_does_not_answer_as_one(server: RedisServer) -> None:
    assert not await answers(f"redis+cluster://127.0.0.1:{server.port}")


async def test_a_redis_that_wants_another_password_does_not_answer(server: RedisServer) -> None:
    with server.client() as client:
        client.acl_setuser("u", enabled=True, passwords="+p@ss", commands=["+@all"])
    url = f"redis://u:{{}}@127.0.0.1:{server.port}"

    assert await answers(url.format("p%40ss"))
    assert not await answers(url.format("pass"))


async def test_a_cluster_is_found_from_any_one_of_its_nodes(cluster: RedisCluster) -> None:
    nowhere = f"redis+cluster://127.0.0.1:{free_port()}"

    assert await answers(cluster.url_of(cluster.nodes[4:5]))
    assert await answers(f"{nowhere},127.0.0.1:{cluster.nodes[5].port}")
    assert not await answers(nowhere)


async def test_a_cluster_whose_servers_all_moved_is_found_where_it_is_configured(
    cluster: RedisCluster,
) -> None:
    nowhere = ClusterNode("127.0.0.1", free_port())
    async with asking(cluster.url) as (client, guard):
        assert isinstance(client, AsyncRedisCluster)
        client.nodes_manager.startup_nodes = {nowhere.name: nowhere}
        await client.aclose()

        assert await until_written(guard, "k", "v") < 10


async def test_keys_of_two_nodes_in_one_script_are_our_mistake(cluster: RedisCluster) -> None:
    async with asking(cluster.url) as (_, guard):
        with pytest.raises(RedisClusterException, match="same key slot"):
            await guard.run(KEEP, ["a", cluster.keys_elsewhere("a")], [1, 2, 3])

        assert not guard.is_away


@needs_redis
async def test_a_redis_behind_tls_is_asked_by_its_certificate(tmp_path: Path) -> None:
    key, certificate = certified(tmp_path)
    server = RedisServer(
        *("--tls-port", str(port := free_port()), "--tls-auth-clients", "no"),
        *("--tls-cert-file", str(certificate), "--tls-key-file", str(key)),
    )
    server.start()
    try:
        url = f"rediss://127.0.0.1:{port}/0"

        assert await answers(f"{url}?ssl_ca_certs={certificate}")
        assert not await answers(url)
    finally:
        server.kill()


def test_several_servers_are_read_from_one_address() -> None:
    assert read("redis+cluster://u:p%40s@a:1,[::1]:2") == Servers(
        (("a", 1), ("::1", 2)), "u", "p@s"
    )
    assert read("redis+sentinel://:pw@a:1,b:2/main/3") == Servers(
        (("a", 1), ("b", 2)), None, "pw", "main", 3
    )
    assert "p@s" not in repr(read("redis+cluster://u:p%40s@a:1"))


@pytest.mark.parametrize(
    "url",
    [
        "redis://a:1",
        "redis+cluster://",
        "redis+cluster://a",
        "redis+cluster://a:1/2",
        "redis+sentinel://a:1",
        "redis+sentinel://a:1/",
        "redis+sentinel://a:1,/m",
    ],
)
def test_what_names_no_servers_is_refused(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (its text is for developers)
        read(url)
