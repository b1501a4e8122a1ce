"""The gateway's own answers: tagged, not sent twice, and as small as the client lets them be."""

import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest
import zstandard
from raw import Raw, exchange, post
from world import World, world

CHANGES = (
    '{ customer(reference: "C-1001") { creditChanges(first: 50) { nodes { id reason } '
    "sources { state } } } }"
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("caching"), entries=60) as one:
        one.data(CHANGES)
        yield one


def get(served: World, query: str, *fields: str) -> Raw:
    head = [f"GET /graphql?query={quote(query)} HTTP/1.1", "Host: localhost", *fields, "", ""]
    return exchange(served.url, "\r\n".join(head).encode())


def test_an_answer_that_is_still_the_same_is_not_sent_again(served: World) -> None:
    first = get(served, CHANGES)
    again = get(served, CHANGES, f"If-None-Match: {first.headers['etag']}")

    assert (first.status, again.status, again.body) == (200, 304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["cache-control"].startswith("private, max-age=")
    assert {"Accept", "Authorization", "Accept-Encoding"} <= {
        one.strip() for one in again.headers["vary"].split(",")
    }


def test_an_error_is_always_sent(served: World) -> None:
    wrong = '{ customers(first: 1, after: "x") { totalCount } }'

    answer = get(served, wrong, "If-None-Match: *")

    assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")
    assert "etag" not in answer.headers
    assert json.loads(answer.body)["errors"]


def test_an_answer_is_as_small_as_the_client_lets_it_be(served: World) -> None:
    body = json.dumps({"query": CHANGES}).encode()

    plain = exchange(served.url, post(body))
    small = exchange(served.url, post(body, b"Accept-Encoding: gzip, deflate, br, zstd"))

    assert small.headers["content-encoding"] == "zstd"
    assert len(small.body) * 2 < len(plain.body)
    decoded = zstandard.ZstdDecompressor().decompress(small.body)
    assert json.loads(decoded)["data"] == json.loads(plain.body)["data"]
