"""An answer that is given from Redis is named, counted and logged as any other."""

import json
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from asking_again import LONG, ask, both, is_hit, settled
from gateway_process import eventually, gateway
from raw import Conversation, Raw, post
from redis_server import needs_redis, redis_server
from scraping import scrape
from world import World, world

from app.sandbox import Sandbox, SandboxServer

pytestmark = needs_redis
ONLY_REDIS = {"CACHE__RESPONSE_MEMORY": "1B"}
P = "credit_gateway_"
PAGE = """query Page { customer(reference: "C-1001") {
  creditChanges(first: 20) { nodes { id reason amount { amount } } sources { state } } } }"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, more=LONG, entries=20) as one:
        yield one


def counted(one: World) -> tuple[float, float, float]:
    """Return how many requests were answered and measured, and how many answers given again."""
    now = scrape(one.http)
    return (
        now.value(f"{P}http_requests_total", path="graphql", status="200"),
        now.value(f"{P}http_request_duration_seconds_count", path="graphql"),
        now.value(f"{P}cache_lookups_total", cache="responses", outcome="hit"),
    )


@pytest.mark.parametrize("coding", ["identity", "zstd"])
def test_what_is_given_from_redis_is_named_and_counted_as_any_answer(
    served: World, coding: str
) -> None:
    with both(served, **ONLY_REDIS) as (one, two, redis):
        ask(one)
        settled(redis)
        before = counted(two)
        names = [f"mine-{number}" for number in range(3)]
        answers = [ask(two, x_request_id=name, accept_encoding=coding) for name in names]
        after = counted(two)

    assert all(is_hit(each) for each in answers)
    assert [each.headers["x-request-id"] for each in answers] == names
    assert {each.headers.get("content-encoding", "identity") for each in answers} == {coding}
    assert [now - then for then, now in zip(before, after, strict=True)] == [3, 3, 3]


def test_what_is_given_from_redis_is_one_line_of_the_log_with_its_bytes_as_they_were_sent(
    tmp_path: Path,
) -> None:
    with (
        redis_server() as redis,
        SandboxServer(Sandbox(entries=20)) as providers,
        gateway(tmp_path, providers, f'{LONG}url = "{redis.url}"\nresponse_memory = 1') as one,
    ):
        one.ask(PAGE)
        settled(redis)
        names = {"zstd": "mine-1", "identity": "mine-2"}
        given = {
            coding: one.ask(PAGE, {"X-Request-ID": name, "Accept-Encoding": coding})
            for coding, name in names.items()
        }
        lines = {
            coding: eventually(partial(one.told, request_id=name)) for coding, name in names.items()
        }

    sizes = {coding: int(each.headers["content-length"]) for coding, each in given.items()}
    assert all(is_hit(each) for each in given.values())
    assert sizes["zstd"] < sizes["identity"]
    for coding, (line,) in lines.items():
        assert (line["cache"], line["status"], line["bytes"]) == ("HIT", 200, sizes[coding])
        assert (line["type"], line["path"]) == ("query", "/graphql")
        assert line["viewer"] == "anonymous"


def sent(one: World, head: bytes, *parts: bytes, pause: float) -> Raw:
    """Send a request in parts, and return the answer."""
    with Conversation(one.url) as conversation:
        conversation.send(head)
        for part in parts:
            time.sleep(pause)
            conversation.send(part)
        return conversation.answer()


@pytest.mark.parametrize("pause", [0.01, 0.25], ids=["apart", "slowly"])
def test_what_comes_in_parts_is_given_the_same(served: World, pause: float) -> None:
    body = json.dumps({"query": PAGE, "variables": {}}).encode()
    head = post(body).removesuffix(body)
    with both(served, **ONLY_REDIS) as (one, two, redis):
        made = ask(one, PAGE, {})
        settled(redis)
        at_once = sent(two, head + body, pause=0)
        in_parts = sent(two, head, body[:20], body[20:], pause=pause)
        # What was not waited for is lost to nobody.
        other = sent(two, head, b"{" * len(body), pause=pause)

    # It has been through nothing that takes its time, but for a body that is waited for.
    assert "total" in made.headers["server-timing"]
    assert "total" not in at_once.headers["server-timing"]
    assert ("total" in in_parts.headers["server-timing"]) == (pause > 0.1)
    for each in (at_once, in_parts):
        assert each.headers["x-cache"] == "HIT"
        assert each.body == made.content
    assert other.status == 400
