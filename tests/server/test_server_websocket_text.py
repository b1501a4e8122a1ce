"""Text of a WebSocket that is no text ends the connection, and is nobody else's trouble."""

import asyncio
import logging

import pytest
from streaming import begun, hear, served
from websockets.exceptions import ConnectionClosed

NO_TEXT = b'{"type": "ping", "payload": {"a": "\xff\xfe"}}'
# Its only letter that is not ASCII has two bytes.
TEXT = '{"type": "ping", "payload": {"a": "é"}}'.encode()


@pytest.mark.parametrize("parts", [[NO_TEXT], [NO_TEXT[:9], NO_TEXT[9:]], [TEXT[:-4]]])
async def test_it_is_refused_by_its_code_and_logged_by_nobody(
    parts: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    with served() as one:
        async with begun(one.url) as client:
            await client.send(parts, text=True)
            with pytest.raises(ConnectionClosed) as closed:
                await hear(client)
        await asyncio.sleep(0.1)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1007
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("split", [len(TEXT), 9, len(TEXT) - 4])
async def test_text_in_frames_that_end_within_a_letter_is_text(split: int) -> None:
    with served() as one:
        async with begun(one.url) as client:
            await client.send([TEXT[:split], TEXT[split:]], text=True)
            heard = await hear(client)

    assert heard["type"] == "pong"
