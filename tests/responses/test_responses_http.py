"""An answer that is given again is the same to HTTP as the one that was made, in every way."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from urllib.parse import quote

import brotli  # type: ignore[import-untyped]
import httpx
import pytest
import zstandard
from asking_again import C_1001, CHANGES, ask, is_hit, kept
from raw import POST, Conversation, Raw, chunked, exchange, post
from world import World, gateway, world

from app import settings

RESPONSE, PLAIN = "application/graphql-response+json", "application/json"
PAGE = '{ customer(reference: "C-1001") { creditChanges(first: 20) { nodes { id reason } } } }'
BODY = json.dumps({"query": PAGE}).encode()
CODINGS = ("identity", "gzip", "br", "zstd")
ORIGIN = "https://app.example.com"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    more = f'[cache]\nfresh_for = "1h"\n[server]\ncors_origins = ["{ORIGIN}"]'
    with world(tmp_path_factory.mktemp("http"), more=more, entries=30) as one:
        yield one


@pytest.fixture
def one(served: World) -> Iterator[World]:
    with fresh(served) as another:
        yield another


@contextmanager
def fresh(served: World) -> Iterator[World]:
    with gateway(served.settings, served.sandbox, served.folder) as another:
        yield another


def hit(raw: Raw) -> bool:
    return raw.headers.get("x-cache") == "HIT"


def again(one: World, request: bytes) -> Raw:
    """Send the same bytes until the ring in front has the answer, and return it."""
    answers = [exchange(one.url, request) for _ in range(3)]
    assert hit(answers[-1])
    return answers[-1]


def get(query: str, *fields: str, method: str = "GET") -> bytes:
    head = [f"{method} /graphql?query={quote(query)} HTTP/1.1", "Host: localhost", *fields, "", ""]
    return "\r\n".join(head).encode()


def decoded(raw: Raw) -> bytes:
    match raw.headers.get("content-encoding", "identity"):
        case "gzip":
            return gzip.decompress(raw.body)
        case "br":
            text: bytes = brotli.decompress(raw.body)
            return text
        case "zstd":
            return zstandard.ZstdDecompressor().decompress(raw.body)
        case _:
            return raw.body


def without_moment(raw: Raw) -> dict[str, str]:
    momentary = {
        *("date", "x-cache", "cache-control", "ratelimit", "ratelimit-policy"),
        *("x-request-id", "server-timing"),
    }
    return {name: value for name, value in raw.headers.items() if name not in momentary}


@pytest.mark.parametrize("request_", [post(BODY), get(PAGE)], ids=["POST", "GET"])
def test_nothing_of_an_answer_differs_when_it_is_given_again(one: World, request_: bytes) -> None:
    answers = [exchange(one.url, request_) for _ in range(4)]

    assert [hit(each) for each in answers] == [False, True, True, True]
    assert {each.status for each in answers} == {200}
    assert {each.body for each in answers} == {answers[0].body}
    assert [without_moment(each) for each in answers] == [without_moment(answers[0])] * 4
    assert all(int(each.headers["content-length"]) == len(each.body) for each in answers)
    assert all(each.headers["cache-control"].startswith("private, max-age=") for each in answers)
    assert all(each.headers["ratelimit"] for each in answers)


def test_what_was_asked_by_post_is_known_by_get_and_its_head(one: World) -> None:
    first = exchange(one.url, post(BODY))
    by_url = again(one, get(PAGE))
    head = exchange(one.url, get(PAGE, method="HEAD"))
    by_post = again(one, post(BODY))

    assert first.body == by_url.body == by_post.body
    assert hit(head)
    assert head.body == b""
    assert head.headers["etag"] == by_url.headers["etag"]
    assert head.headers["content-length"] == by_url.headers["content-length"]


def test_what_is_still_the_same_is_not_sent_again(one: World) -> None:
    made = exchange(one.url, get(PAGE))
    given = again(one, get(PAGE))
    tag = given.headers["etag"]
    same = exchange(one.url, get(PAGE, f"If-None-Match: {tag}"))
    other = exchange(one.url, get(PAGE, 'If-None-Match: W/"another"'))
    later = exchange(one.url, get(PAGE))

    assert made.headers["etag"] == tag
    assert (same.status, same.body, same.headers["etag"]) == (304, b"", tag)
    assert hit(same)
    assert (other.status, other.body) == (200, given.body)
    assert (later.status, later.body) == (200, given.body)


@pytest.mark.parametrize("make", [lambda *more: post(BODY, *more), None], ids=["POST", "GET"])
def test_every_content_coding_of_what_is_given_again_is_the_same(one: World, make: object) -> None:
    def request(coding: str) -> bytes:
        field = f"Accept-Encoding: {coding}"
        return post(BODY, field.encode()) if make else get(PAGE, field)

    plain = exchange(one.url, post(BODY)).body
    answers = {coding: [exchange(one.url, request(coding)) for _ in range(3)] for coding in CODINGS}
    mixed = {coding: exchange(one.url, request(coding)) for coding in reversed(CODINGS)}

    for coding, each in answers.items():
        assert hit(each[2])
        for raw in (*each, mixed[coding]):
            assert raw.headers.get("content-encoding", "identity") == coding
            assert decoded(raw) == plain
            assert "Accept-Encoding" in raw.headers["vary"]


def test_each_media_type_is_answered_as_itself(one: World) -> None:
    for _ in range(3):
        told = {
            accept: exchange(one.url, post(BODY, f"Accept: {accept}".encode())).headers
            for accept in (RESPONSE, PLAIN, "*/*", "text/html;q=0.1, application/*")
        }
    kinds = [told[accept]["content-type"].partition(";")[0] for accept in told]
    refused = exchange(one.url, post(BODY, b"Accept: text/plain"))
    events = exchange(one.url, post(BODY, b"Accept: text/event-stream"))

    assert kinds == [RESPONSE, PLAIN, PLAIN, PLAIN]
    assert all(headers["x-cache"] == "HIT" for headers in told.values())
    assert (refused.status, hit(refused)) == (406, False)
    assert events.headers["content-type"].startswith("text/event-stream")


def test_a_page_of_another_host_is_refused_what_was_given_to_this_one(one: World) -> None:
    mine = again(one, post(BODY))
    head = b"POST /graphql HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"
    length = b"Content-Length: %d\r\n\r\n" % len(BODY)
    others = [
        exchange(one.url, head % host + length + BODY)
        for host in (b"evil.example.com", b"localhost.evil.example.com", b"192.0.2.1")
    ]
    twice = exchange(one.url, post(BODY, b"Host: evil.example.com"))
    later = again(one, post(BODY))

    assert [each.status for each in others] == [421] * 3
    assert not any(hit(each) for each in others)
    assert twice.status in {400, 421}
    assert later.body == mine.body


def test_pages_of_other_origins_may_not_read_what_one_may_read(one: World) -> None:
    may = again(one, post(BODY, b"Origin: " + ORIGIN.encode()))
    may_not = again(one, post(BODY, b"Origin: https://evil.example.com"))
    none = again(one, post(BODY))

    assert may.headers["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-origin" not in may_not.headers
    assert "access-control-allow-origin" not in none.headers
    assert may.body == may_not.body == none.body


def test_what_is_no_json_is_refused_after_the_same_bytes_were_given(one: World) -> None:
    again(one, post(BODY))
    length = b"Content-Length: %d" % len(BODY)
    twice = b"\r\nContent-Type: application/json"
    kinds = (b"text/plain", b"application/json; charset=latin-1", b"", twice)
    answers = [
        exchange(one.url, b"\r\n".join([POST, b"Content-Type: " + kind, length, b"", BODY]))
        for kind in kinds
    ]

    assert [each.status for each in answers] == [415] * 4


def test_a_body_in_parts_is_given_the_same_answer(one: World) -> None:
    first = again(one, post(BODY)).body
    whole = exchange(one.url, chunked(BODY))
    with Conversation(one.url) as slow:
        slow.send(post(BODY)[:-30])
        slow.send(post(BODY)[-30:-7])
        slow.send(post(BODY)[-7:])
        in_parts = slow.answer()

    assert hit(whole)
    assert hit(in_parts)
    assert whole.body == in_parts.body == first


def test_requests_on_one_connection_are_answered_each_with_its_own(one: World) -> None:
    other = json.dumps(
        {"query": '{ customer(reference: "C-1002") { payments { totalCount sources { state } } } }'}
    ).encode()
    requests = [post(BODY), post(other), get(PAGE), post(BODY), post(b"{"), post(other)]
    apart = [exchange(one.url, each) for each in requests]
    with Conversation(one.url) as conversation:
        conversation.send(b"".join(requests * 3))
        together = [conversation.answer() for _ in requests * 3]

    assert [each.status for each in together] == [each.status for each in apart] * 3
    assert [each.body for each in together] == [each.body for each in apart] * 3
    assert sum(hit(each) for each in together) == 15


def persisted(query: str | None, name: str) -> bytes:
    known = {"persistedQuery": {"version": 1, "sha256Hash": name}}
    return json.dumps({"query": query, "variables": C_1001, "extensions": known}).encode()


def test_a_persisted_document_is_given_again_by_its_hash(one: World) -> None:
    name = sha256(CHANGES.encode()).hexdigest()
    unknown = exchange(one.url, post(persisted(None, name)))
    first = exchange(one.url, post(persisted(CHANGES, name)))
    given = again(one, post(persisted(None, name)))
    wrong = exchange(one.url, post(persisted(CHANGES, "0" * 64)))

    assert b"PERSISTED_QUERY_NOT_FOUND" in unknown.body
    assert json.loads(first.body)["data"]
    assert given.body == first.body
    assert b"BAD_USER_INPUT" in wrong.body
    assert not hit(wrong)


def test_only_trusted_documents_are_given_again(served: World) -> None:
    file = served.folder / "trusted.json"
    file.write_text(json.dumps({sha256(CHANGES.encode()).hexdigest(): CHANGES}))
    whole = (served.folder / "gateway.toml").read_text()
    trusting = served.folder / "trusting.toml"
    trusting.write_text(f'{whole}\n[graphql]\ntrusted_documents = "trusted.json"\n')
    configured = settings.load(trusting, {})
    with gateway(configured, served.sandbox, served.folder) as one:
        given = kept(one)
        refused = [ask(one, PAGE) for _ in range(3)]

    assert is_hit(given)
    assert [each.json()["errors"][0]["extensions"]["code"] for each in refused] == [
        "DOCUMENT_NOT_TRUSTED"
    ] * 3


def test_a_browser_is_shown_its_page_where_others_are_given_an_answer(one: World) -> None:
    again(one, get(PAGE))
    browser = {"Accept": "text/html"}
    page = httpx.get(f"{one.url}/graphql", headers=browser, trust_env=False)

    assert "x-cache" not in page.headers
    assert again(one, get(PAGE)).headers["content-type"].startswith(PLAIN)
