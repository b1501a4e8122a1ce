"""A kept answer is written by the connection itself; however the request comes, it is the same."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from asking_again import C_1001, CHANGES, kept
from hypothesis import given, settings
from hypothesis import strategies as st
from lists import until
from raw import Conversation, Raw, chunked, post
from scraping import scrape
from world import World, world

BODY = json.dumps({"query": CHANGES, "variables": C_1001}).encode()
KEPT = post(BODY)
OTHER = post(json.dumps({"query": "{ providers { name } }"}).encode(), b"Cache-Control: no-cache")
SLOW = '{ customer(reference: "C-1002") { creditChanges(first: 5) { nodes { id } } } }'


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    more = '[server]\nmax_in_flight = 1\n[cache]\nfresh_for = "1h"\n'
    with world(tmp_path_factory.mktemp("hits"), more=more, entries=20) as one:
        yield one


@pytest.fixture(scope="module")
def body(served: World) -> bytes:
    """Return the answer, once it is kept for requests to the byte."""
    with Conversation(served.url) as conversation:
        answer = until_hit(conversation)
    assert json.loads(answer.body)["data"]["customer"]["reference"] == "C-1001"
    return answer.body


def until_hit(conversation: Conversation) -> Raw:
    found: list[Raw] = []

    def hit() -> bool:
        conversation.send(KEPT)
        found.append(conversation.answer())
        return found[-1].headers.get("x-cache") == "HIT"

    until(hit)
    conversation.send(KEPT)
    return conversation.answer()


def is_again(answer: Raw, body: bytes) -> bool:
    return (answer.status, answer.headers.get("x-cache"), answer.body) == (200, "HIT", body)


def test_it_has_the_header_fields_of_any_answer(served: World, body: bytes) -> None:
    told = kept(served)
    with Conversation(served.url) as conversation:
        conversation.send(KEPT)
        again = conversation.answer()

    # An uncompressed one, as it was asked for here.
    assert set(again.headers) == set(told.headers) - {"content-encoding"}
    assert again.headers["content-length"] == str(len(body))
    assert again.headers["content-type"] == "application/json; charset=utf-8"
    assert again.headers["cache-control"].startswith("private, max-age=3")
    assert int(again.headers["ratelimit"].split("r=")[1].split(";")[0]) < 1_000_000


def test_who_is_one_too_many_is_given_what_is_kept_and_refused_all_else(
    served: World, body: bytes
) -> None:
    served.sandbox.set_fault("hostup", {"kind": "latency", "ms": 2500})
    with ThreadPoolExecutor(1) as threads, Conversation(served.url) as conversation:
        slow = threads.submit(served.http.post, "/graphql", json={"query": SLOW})
        time.sleep(0.4)
        # What the directory says is asked again first, as it was not for a moment.
        first = until_hit(conversation)
        answers = []
        for request in (OTHER, KEPT):
            conversation.send(request)
            answers.append(conversation.answer())
        is_full = not slow.done()
        served.sandbox.clear_fault("hostup")
        assert slow.result().status_code == 200

    assert is_full
    assert is_again(first, body)
    assert answers[0].status == 503
    assert is_again(answers[1], body)


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(1, len(KEPT) - 1), max_size=4))
def test_in_whatever_parts_it_comes_it_is_answered_the_same(
    served: World, body: bytes, cuts: list[int]
) -> None:
    with Conversation(served.url) as conversation:
        places = [0, *sorted(set(cuts)), len(KEPT)]
        for start, end in pairwise(places):
            conversation.send(KEPT[start:end])
            time.sleep(0.002)
        answer = conversation.answer()

    assert (answer.status, answer.body) == (200, body)


@settings(max_examples=30, deadline=None)
@given(order=st.lists(st.sampled_from([KEPT, OTHER]), min_size=1, max_size=6))
def test_those_that_come_together_are_answered_in_their_order(
    served: World, body: bytes, order: list[bytes]
) -> None:
    with Conversation(served.url) as conversation:
        conversation.send(b"".join(order))
        answers = [conversation.answer() for _ in order]

    assert [one.status for one in answers] == [200] * len(order)
    assert [one.body == body for one in answers] == [one is KEPT for one in order]


@settings(max_examples=40, deadline=None)
@given(
    order=st.lists(st.sampled_from([KEPT, KEPT, OTHER]), min_size=2, max_size=8),
    start=st.integers(0, len(KEPT) - 1),
    step=st.sampled_from([len(KEPT), 2 * len(KEPT), len(KEPT) + 7, len(KEPT) - 7]),
)
def test_whatever_pieces_repeat_each_request_is_answered_once_and_in_order(
    served: World, body: bytes, order: list[bytes], start: int, step: int
) -> None:
    stream = b"".join(order)
    ends = [*range(start, len(stream), step), len(stream)]
    with Conversation(served.url) as conversation:
        for begin, end in pairwise([0, *ends]):
            conversation.send(stream[begin:end])
            time.sleep(0.002)  # so that each is a piece of its own
        answers = [conversation.answer() for _ in order]
        conversation.send(KEPT)
        last = conversation.answer()

    assert [one.body == body for one in answers] == [one is KEPT for one in order]
    assert (last.status, last.body) == (200, body)


def test_a_piece_that_ends_within_a_request_is_no_repeated_request(
    served: World, body: bytes
) -> None:
    # What begins the second piece ends a field that the first one began: it accepts no such type.
    piece = KEPT + b"POST /graphql HTTP/1.1\r\nAccept: "
    with Conversation(served.url) as conversation:
        for part in (piece, piece, KEPT):
            conversation.send(part)
            time.sleep(0.01)
        answers = [conversation.answer() for _ in range(3)]

    assert answers[0].body == body
    assert [one.status for one in answers] == [200, 406, 406]


@pytest.mark.parametrize(
    ("begun", "status"),
    [(post(KEPT)[: -len(KEPT)], 400), (b"POST /graphql HTTP/1.1\r\nAccept: ", 406)],
    ids=["body", "head"],
)
def test_bytes_that_are_part_of_another_request_are_not_answered_as_one(
    served: World, body: bytes, begun: bytes, status: int
) -> None:
    with Conversation(served.url) as conversation:
        before = [conversation.asked(KEPT) for _ in range(2)]
        conversation.send(begun)
        time.sleep(0.01)
        another = conversation.asked(KEPT)
        after = conversation.asked(KEPT)

    assert [one.body for one in (*before, after)] == [body] * 3
    assert another.status == status


def test_any_number_of_requests_may_alternate_on_a_connection(served: World, body: bytes) -> None:
    requests = [post(BODY, b"X-Number: " + b"9" * number) for number in range(1, 60, 3)]
    with Conversation(served.url) as conversation:
        answers = [conversation.asked(one) for one in requests * 3]

    assert {one.body for one in answers} == {body}


def test_each_repeated_request_has_its_own_id_or_the_one_it_sends(
    served: World, body: bytes
) -> None:
    named = post(BODY, b"X-Request-ID: mine")
    with Conversation(served.url) as conversation:
        answers = []
        for request in [KEPT] * 3 + [named] * 3:
            conversation.send(request)
            answers.append(conversation.answer())

    ids = [one.headers["x-request-id"] for one in answers]
    assert [one.body for one in answers] == [body] * 6
    assert len(set(ids[:3])) == 3
    assert ids[3:] == ["mine"] * 3


@pytest.mark.parametrize(
    "request_",
    [
        post(BODY, b"Connection: close"),
        KEPT.replace(b"HTTP/1.1", b"HTTP/1.0"),
        post(BODY, b"Expect: 100-continue"),
        post(BODY, b"If-None-Match: *"),
        chunked(BODY),
    ],
    ids=["close", "HTTP/1.0", "Expect", "If-None-Match", "chunks"],
)
def test_what_is_unusual_goes_the_whole_way(served: World, body: bytes, request_: bytes) -> None:
    with Conversation(served.url) as conversation:
        conversation.send(request_)
        answer = conversation.answer()
        if answer.status == 100:
            answer = conversation.answer()

    assert (answer.status, answer.body) == (200, body)


@pytest.mark.parametrize("part", [b"5\r\nab", b"zz\r\n"], ids=["too short", "no length"])
def test_a_body_that_is_none_is_refused_and_the_next_connection_is_answered(
    served: World, body: bytes, part: bytes
) -> None:
    head = chunked(b"")[: -len(b"0\r\n\r\n")]
    with Conversation(served.url) as conversation:
        conversation.send(head + part + b"\r\n!!!\r\n\r\n")
        answer = conversation.answer()
        assert conversation.is_closed()
    with Conversation(served.url) as conversation:
        conversation.send(KEPT)
        again = conversation.answer()

    assert answer.status == 400
    assert is_again(again, body)


def test_a_body_that_never_comes_does_not_keep_others_waiting(served: World, body: bytes) -> None:
    with Conversation(served.url) as silent, Conversation(served.url) as conversation:
        silent.send(KEPT[:-10])
        conversation.send(KEPT)
        again = conversation.answer()
        silent.send(KEPT[-10:])
        late = silent.answer()

    assert is_again(again, body)
    assert (late.status, late.body) == (200, body)


def test_each_is_counted(served: World, body: bytes) -> None:
    def counted() -> tuple[float, float]:
        seen = scrape(served.http)
        labels = {"path": "graphql", "method": "POST", "status": "200"}
        return (
            seen.value("credit_gateway_http_requests_total", **labels),
            seen.value("credit_gateway_cache_lookups_total", cache="responses", outcome="hit"),
        )

    before = counted()
    with Conversation(served.url) as conversation:
        for _ in range(5):
            conversation.send(KEPT)
            assert is_again(conversation.answer(), body)
    after = counted()

    assert [new - old for new, old in zip(after, before, strict=True)] == [5, 5]
