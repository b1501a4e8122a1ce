"""The gateway itself, as the command serves it: it listens for its callers until it is stopped."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import running, stopped
from streaming import begun, ending, hear, say
from test_streams_events import COMPLETE, SUBSCRIPTION, listening
from world import configuration, import_customers

from app import settings
from app.sandbox import Sandbox, SandboxServer


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with SandboxServer(Sandbox(entries=5)) as providers:
        file = configuration(tmp_path_factory.mktemp("streams"), providers.url)
        customers = providers.sandbox.sample_customers()
        asyncio.run(import_customers(settings.load(file, {}), customers))
        yield file


async def test_a_gateway_that_is_told_to_stop_ends_its_streams(config: Path) -> None:
    with running("serve", "--config", config, "--port", 0, until="Serving") as (process, lines):
        url = lines[-1].split()[-1].removesuffix("/graphql")
        async with begun(url) as client, listening(url, SUBSCRIPTION) as events:
            await say(client, id="a", type="subscribe", payload={"query": SUBSCRIPTION})
            await say(client, id="b", type="subscribe", payload={"query": "{ viewer { subject } }"})
            heard = await hear(client)
            ended = asyncio.create_task(asyncio.to_thread(stopped, process, signal.SIGTERM))
            closed = await ending(client)
            told = (await events.aread()).decode()
            outcome = await ended

    assert heard["payload"]["data"] == {"viewer": {"subject": "anonymous"}}
    assert closed[0] == 1012
    assert COMPLETE not in told
    assert outcome.status == 0
    assert "Traceback" not in outcome.err
    assert "ERROR" not in outcome.err
