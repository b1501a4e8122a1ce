"""What is read of an answer: never more than may be, however it is sent."""

import asyncio
import gzip
import timeit
import tracemalloc
import zlib
from functools import partial

import pytest
from test_http_door import HEAD, WELL, always, ask, door, slowly
from upstreams import Reply

from app.model.errors import UpstreamInvalidResponse, UpstreamTimeout
from app.providers.call import Unreadable
from app.providers.payload import decoded
from app.providers.shapes import carecloud, cloudreve, hostup

LINE = b"X-Filling: " + b"x" * 4_000 + b"\r\n"


def headed(lines: bytes) -> Reply:
    """Return an answer with these lines in its head."""
    body = b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"

    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 Said\r\n" + lines + body)
        await writer.drain()

    return Reply(send=send)


@pytest.mark.parametrize(
    "lines",
    [b"X-Long: " + b"x" * 20_000 + b"\r\n", LINE * 200, b"X-Many: x\r\n" * 1_000],
    ids=["a long line", "a long head", "many lines"],
)
async def test_a_head_that_is_too_long_is_refused(lines: bytes) -> None:
    async with door(always(headed(lines))) as (one, server):
        with pytest.raises(Unreadable):
            await ask(one)
        server.answer = always(headed(LINE * 20))

        assert await ask(one) == b"{}"


async def test_a_head_without_an_end_is_not_kept() -> None:
    async def flood(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 Said\r\n")
        while True:
            writer.write(LINE * 10)
            await writer.drain()

    async with door(always(Reply(send=flood))) as (one, _):
        tracemalloc.start()
        with pytest.raises(Unreadable):
            await ask(one)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert most < 10_000_000


async def test_heads_and_bodies_that_drip_hold_no_place_for_longer_than_the_timeout() -> None:
    drip = slowly(b"HTTP/1.1 200 Said\r\nX: " + b"x" * 1_000, 0.02)
    async with door(always(Reply(send=drip)), timeout="300ms", max_concurrency=2) as (one, server):
        found = await asyncio.gather(ask(one), ask(one), return_exceptions=True)
        server.answer = always(WELL)
        answered = await asyncio.gather(*(ask(one) for _ in range(10)))

    assert {type(each) for each in found} == {UpstreamTimeout}
    assert answered == [WELL.body] * 10


async def test_a_bomb_is_not_unpacked() -> None:
    bomb = Reply(
        gzip.compress(bytes(200_000_000), compresslevel=6), headers={"Content-Encoding": "gzip"}
    )
    async with door(always(bomb)) as (one, server):
        tracemalloc.start()
        with pytest.raises(UpstreamInvalidResponse, match="max_body"):
            await ask(one)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert most < 50_000_000
    assert server.asked[0].headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "gzip, br", "unheard-of"])
async def test_what_is_packed_otherwise_than_asked_is_refused_unread(coding: str) -> None:
    async with door(always(Reply(headers={"Content-Encoding": coding}))) as (one, _):
        with pytest.raises(Unreadable, match="compressed"):
            await ask(one)


async def test_what_is_packed_as_asked_is_read() -> None:
    packed = Reply(gzip.compress(WELL.body), headers={"Content-Encoding": "gzip"})
    async with door(always(packed)) as (one, _):
        body = await ask(one)

    assert body == WELL.body


def packed_as(coding: str) -> bytes:
    """Return an answer as it is packed; servers differ in what they call `deflate`."""
    if coding == "gzip":
        return gzip.compress(WELL.body)
    packing = zlib.compressobj(wbits=-zlib.MAX_WBITS if coding == "raw" else zlib.MAX_WBITS)
    return packing.compress(WELL.body) + packing.flush()


@pytest.mark.parametrize("coding", ["gzip", "deflate", "raw"])
@pytest.mark.parametrize("piece", [1, 7, 1000])
async def test_every_way_to_pack_is_read_in_whatever_pieces_it_comes(
    coding: str, piece: int
) -> None:
    async def send(writer: asyncio.StreamWriter) -> None:
        body = packed_as(coding)
        head = HEAD.replace(b"Length: 2", b"Length: %d" % len(body))
        name = b"gzip" if coding == "gzip" else b"deflate"
        writer.write(head.replace(b"\r\n\r\n", b"\r\nContent-Encoding: %s\r\n\r\n" % name))
        for start in range(0, len(body), piece):
            writer.write(body[start : start + piece])
            await writer.drain()
            await asyncio.sleep(0)

    async with door(always(Reply(send=send))) as (one, _):
        assert await ask(one) == WELL.body


@pytest.mark.parametrize("coding", ["gzip", "deflate", "raw"])
async def test_what_is_packed_and_cut_off_or_damaged_is_no_answer(coding: str) -> None:
    whole, name = packed_as(coding), "gzip" if coding == "gzip" else "deflate"
    bodies = [whole[:-1], whole[: len(whole) // 2], b"\xff" * len(whole)]
    async with door(lambda _: Reply(bodies.pop(), headers={"Content-Encoding": name})) as (one, _):
        for _ in range(3):
            with pytest.raises(Unreadable):
                await ask(one)


async def test_a_coding_in_two_lines_is_read_as_both_of_them() -> None:
    twice = b"Content-Encoding: gzip\r\nContent-Encoding: br\r\n"
    async with door(always(headed(twice))) as (one, _):
        with pytest.raises(Unreadable, match="compressed"):
            await ask(one)


@pytest.mark.parametrize("shape", [hostup.Envelope, cloudreve.Envelope, carecloud.Envelope])
@pytest.mark.parametrize(
    "before", [b"", b'{"data":', b'{"unknown":', b'{"data":{"unknown":'], ids=repr
)
@pytest.mark.parametrize("level", [b"[", b'{"a":'], ids=["lists", "objects"])
def test_json_that_is_nested_too_deep_is_refused_at_its_first_thousand_levels(
    shape: type[object], before: bytes, level: bytes
) -> None:
    shortest = [
        min(timeit.repeat(partial(_refused, body, shape), number=10, repeat=5))
        for body in (before + level * 10_000, before + level * 1_000_000)
    ]

    # A hundred times the levels take no longer to refuse.
    assert shortest[1] < 5 * shortest[0]


def _refused(body: bytes, shape: type[object]) -> None:
    with pytest.raises(UpstreamInvalidResponse):
        decoded(body, shape, "it")
