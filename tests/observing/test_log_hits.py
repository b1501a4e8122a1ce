"""What a connection answers or refuses by itself is told as all else is."""

import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from gateway_process import Gateway, eventually, gateway
from scraping import scrape

from app.sandbox import Sandbox, SandboxServer

PAGE = '{ customer(reference: "C-1001") { payments(first: 3) { nodes { id } } } }'
REQUESTS = "credit_gateway_http_requests_total"

NO_KEY = (
    b"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("hits")
    with SandboxServer(Sandbox(entries=5)) as providers, gateway(folder, providers) as one:
        yield one


def asked(one: Gateway, headers: dict[str, str] | None = None) -> httpx.Response:
    """Ask so that the whole request comes at once: what comes in parts goes the whole way."""
    return one.http.get("/graphql", params={"query": PAGE}, headers=headers)


def test_what_is_known_to_the_byte_has_an_id_and_a_line_each_time(served: Gateway) -> None:
    answers = [asked(served, {"X-Request-ID": f"known-{number}"}) for number in range(5)]
    traced = asked(served, {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"})
    unnamed = {asked(served).headers["x-request-id"] for _ in range(5)}

    names = [one.headers.get_list("x-request-id") for one in answers]
    assert names == [[f"known-{number}"] for number in range(5)]
    assert traced.headers["x-request-id"] == "ab" * 16
    assert len(unnamed) == 5
    assert answers[-1].headers["server-timing"] == "cache;desc=HIT"
    told = eventually(lambda: served.told(request_id="known-4"))
    (first,), (last,) = served.told(request_id="known-0"), told
    assert (first["cache"], last["cache"]) == ("MISS", "HIT")
    for name in ("method", "path", "status", "viewer", "event", "level"):
        assert last[name] == first[name]
    assert last["duration_ms"] < first["duration_ms"]
    assert {one["request_id"] for one in served.told(cache="HIT")} >= unnamed


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", "400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 40_000, "431"),
        (NO_KEY, "400"),
    ],
)
def test_what_is_no_request_is_counted_and_told(served: Gateway, sent: bytes, status: str) -> None:
    def counted() -> float:
        return scrape(served.http).value(REQUESTS, path="other", method="other", status=status)

    def told() -> int:
        return len(served.told(path="other", status=int(status)))

    before, lines = counted(), told()
    address = urlsplit(str(served.http.base_url))
    with socket.create_connection((address.hostname, address.port or 0), timeout=10) as client:
        client.sendall(sent[:9000])
        if rest := sent[9000:]:
            time.sleep(0.3)
            client.sendall(rest)
        answer = client.recv(1000)

    assert answer.startswith(f"HTTP/1.1 {status}".encode())
    assert counted() == before + 1
    assert eventually(lambda: told() == lines + 1)
