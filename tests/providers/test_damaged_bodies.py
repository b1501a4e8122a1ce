"""Answers whose bytes are damaged: always our error, in bounded time and memory."""

import gzip
import json
import time
import tracemalloc
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from adapters import Hands, account, adapter
from kinds import KNOWN
from recordings import recording, replaying
from upstreams import Reply, upstream

from app.model.entries import Stream
from app.model.errors import UpstreamInvalidResponse
from app.providers.page import Page, Provider

LISTS = [
    (kind, one.name, one.stream)
    for kind, known in KNOWN.items()
    for one in known.recorded
    if one.stands_for
]
each_list = pytest.mark.parametrize(("kind", "name", "stream"), LISTS, ids=str)
NESTED = b"[" * 100_000
BOMB = gzip.compress(b"[" + b" " * 60_000_000 + b"]")


async def read(provider: Provider, clock: Hands, stream: Stream) -> Page | None:
    """Return a page read with nothing remembered; None when the answer is refused."""
    clock.advance(timedelta(hours=8))
    try:
        return await provider.page(account(), stream, None)
    except UpstreamInvalidResponse:
        return None


async def pages(kind: str, name: str, stream: Stream, *replies: Any) -> list[Page | None]:  # noqa: ANN401
    """Read one page for each reply in the place of a recording."""
    clock, found = Hands(), []
    async with (
        upstream(replaying(kind)) as server,
        adapter(kind, server.url, clock=clock, max_body="1MiB") as provider,
    ):
        for reply in replies:
            server.answer = replaying(kind, **{name.replace("-", "_"): reply})
            found.append(await read(provider, clock, stream))
    return found


@each_list
async def test_a_body_cut_anywhere_is_refused(kind: str, name: str, stream: Stream) -> None:
    whole = json.dumps(recording(kind, name)).encode()
    cuts = [Reply(whole[:end]) for end in range(0, len(whole), 50)]

    found = await pages(kind, name, stream, Reply(whole), *cuts)

    assert found[0] is not None
    assert set(found[1:]) == {None}
    assert len(cuts) > 5


@each_list
async def test_what_is_no_json_is_refused(kind: str, name: str, stream: Stream) -> None:
    whole = json.dumps(recording(kind, name)).encode()
    replies = {
        "empty": Reply(b""),
        "null": Reply(b"null"),
        "html": Reply(b"<!doctype html><html></html>", content_type="text/html"),
        "html that says it is json": Reply(b"<!doctype html><html></html>"),
        "another type": Reply(whole, content_type="text/plain"),
        "no type": Reply(whole, content_type=None),
        "no utf-8": Reply(whole.replace(b'": "', b'": "\xff\xfe')),
        "a mark of byte order": Reply(b"\xef\xbb\xbf" + whole),
        "two values": Reply(whole + whole),
        "nested": Reply(NESTED),
        "nested where nobody reads": Reply(whole[:-1] + b', "more": ' + NESTED),
        "nested and closed": Reply(whole[:-1] + b', "m": ' + NESTED + b"]" * 100_000 + b"}"),
        "a redirect": Reply(b"", 302, {"Location": "/elsewhere"}),
        "several choices": Reply(whole, 300),
        "too large": Reply(whole + b" " * 1024 * 1024),
        "broken gzip": Reply(b"\x1f\x8b garbage", headers={"Content-Encoding": "gzip"}),
    }

    found = await pages(kind, name, stream, Reply(whole), *replies.values())

    assert found[0] is not None
    assert [what for what, page in zip(replies, found[1:], strict=True) if page is not None] == []


def with_number(kind: str, name: str, number: str) -> tuple[Reply, bool]:
    """Write a number over every amount of an answer, as it is; say whether amounts are texts."""
    whole = recording(kind, name)
    one = next(one for one in KNOWN[kind].recorded if one.name == name)
    rows = whole
    for step in one.rows.split("."):
        rows = rows[step]
    are_texts = False
    for row in rows:
        for amount in one.amounts:
            are_texts = isinstance(row[amount], str)
            row[amount] = "an amount"
    written = f'"{number}"' if are_texts else number
    return Reply(json.dumps(whole).replace('"an amount"', written).encode()), are_texts


@each_list
@pytest.mark.parametrize(
    "number",
    [
        *("NaN", "Infinity", "-Infinity", "1e999999", "1e99999999999", "1E-30", "1e25", "0x10"),
        *("1_000", " 1", "+1", "1,5", ".5", "٣", "1" * 40, "1" * 5000, "0." + "1" * 40),
    ],
)
async def test_a_number_that_is_no_amount_is_refused(
    kind: str, name: str, stream: Stream, number: str
) -> None:
    reply, is_text = with_number(kind, name, number)

    found = await pages(kind, name, stream, reply)

    # JSON has spaces between its values, and so a number after one is that number.
    is_a_number = number == " 1" and not is_text
    assert (found == [None]) is not is_a_number


@each_list
async def test_an_ordinary_number_is_read_in_the_same_places(
    kind: str, name: str, stream: Stream
) -> None:
    reply, _ = with_number(kind, name, "7")

    (found,) = await pages(kind, name, stream, reply)

    assert found is not None


@each_list
@pytest.mark.parametrize(
    "headers", [{"Content-Encoding": "gzip"}, {"Content-Encoding": "gzip, gzip"}]
)
async def test_a_compressed_bomb_is_refused_soon_and_small(
    kind: str, name: str, stream: Stream, headers: Mapping[str, str]
) -> None:
    body = gzip.compress(BOMB) if "," in headers["Content-Encoding"] else BOMB
    tracemalloc.start()
    began = time.process_time()

    found = await pages(kind, name, stream, Reply(body, headers=headers))
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert found == [None]
    assert time.process_time() - began < 2
    assert most_bytes < 60_000_000


@each_list
async def test_a_compressed_answer_is_read(kind: str, name: str, stream: Stream) -> None:
    body = gzip.compress(json.dumps(recording(kind, name)).encode())

    (found,) = await pages(kind, name, stream, Reply(body, headers={"Content-Encoding": "gzip"}))

    assert found is not None
