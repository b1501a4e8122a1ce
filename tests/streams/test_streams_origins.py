"""A browser tells whose page opens a WebSocket; those of others are turned away."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.datastructures import Headers
from streaming import hear, say, served, socket
from websockets.exceptions import InvalidStatus
from world import World, world

from app.api.streams.origins import is_welcome

APP = "https://app.example.com"
WELCOME = [
    ([], ["gateway.example.com"]),
    (["https://gateway.example.com"], ["gateway.example.com"]),
    (["https://gateway.example.com"], ["gateway.example.com:443"]),
    (["http://gateway.example.com"], ["gateway.example.com:80"]),
    (["https://Gateway.Example.com"], ["GATEWAY.example.com"]),
    (["http://localhost:8000"], ["localhost:8000"]),
    (["http://[::1]:8000"], ["[::1]:8000"]),
    ([APP], ["gateway.example.com"]),
]
FOREIGN = [
    (["https://evil.example.com"], ["gateway.example.com"]),
    (["https://gateway.example.com.evil.example.com"], ["gateway.example.com"]),
    (["https://gateway.example.com:8443"], ["gateway.example.com"]),
    (["http://localhost:8001"], ["localhost:8000"]),
    (["http://127.0.0.1:8000"], ["localhost:8000"]),
    ([f"{APP}.evil.example.com"], ["gateway.example.com"]),
    ([f"{APP}:444"], ["gateway.example.com"]),
    (["http://app.example.com"], ["gateway.example.com"]),
    (["null"], ["gateway.example.com"]),
    ([""], [""]),
    (["https://"], [""]),
    (["file://"], [""]),
    (["gateway.example.com"], ["gateway.example.com"]),
    (["https://user@gateway.example.com"], ["gateway.example.com"]),
    (["https://gateway.example.com/x"], ["gateway.example.com"]),
    (["https://gateway.example.com:x"], ["gateway.example.com:x"]),
    (["https://gateway.example.com"], []),
    (["https://gateway.example.com"], ["gateway.example.com", "gateway.example.com"]),
    (["https://gateway.example.com", "https://evil.example.com"], ["gateway.example.com"]),
    ([APP, "https://evil.example.com"], ["gateway.example.com"]),
]


def headers(origins: list[str], hosts: list[str]) -> Headers:
    lines = [("origin", one) for one in origins] + [("host", one) for one in hosts]
    return Headers(raw=[(name.encode(), value.encode()) for name, value in lines])


@pytest.mark.parametrize(("origins", "hosts"), WELCOME, ids=str)
def test_own_pages_configured_ones_and_no_pages_are_welcome(
    origins: list[str], hosts: list[str]
) -> None:
    assert is_welcome(headers(origins, hosts), [APP])


@pytest.mark.parametrize(("origins", "hosts"), FOREIGN, ids=str)
def test_other_pages_are_not(origins: list[str], hosts: list[str]) -> None:
    assert not is_welcome(headers(origins, hosts), [APP])


async def test_a_foreign_page_gets_no_connection_and_a_configured_one_does() -> None:
    with served(origins=[APP]) as one:
        statuses = []
        for origin in ("https://evil.example.com", "null"):
            with pytest.raises(InvalidStatus) as refused:
                async with socket(one.url, origin=origin):
                    pass
            statuses.append(refused.value.response.status_code)
        for origin in (APP, one.url):
            async with socket(one.url, origin=origin) as client:
                await say(client, type="connection_init")
                assert await hear(client) == {"type": "connection_ack"}

    assert statuses == [403, 403]


@pytest.fixture(scope="module")
def open_to_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("origins"), entries=1) as one:
        yield one


async def test_without_access_control_neither_foreign_pages_nor_foreign_names_get_in(
    open_to_all: World,
) -> None:
    url = open_to_all.url
    others: list[dict[str, Any]] = [
        {"origin": "https://evil.example.com"},
        {"headers": {"Host": "evil.example.com"}},
        {"headers": {"Host": "evil.example.com"}, "origin": "http://evil.example.com"},
    ]
    for more in others:
        with pytest.raises(InvalidStatus) as refused:
            async with socket(url, **more):
                pass
        assert refused.value.response.status_code == 403
    async with socket(url, origin=url) as client:
        await say(client, type="connection_init")

        assert await hear(client) == {"type": "connection_ack"}
