"""What probes are told while a process starts, serves and drains."""

from pathlib import Path

import pytest
from plainly import answering, given
from raw import Conversation
from starlette.requests import Request
from starlette.types import Receive, Scope, Send
from test_server_protocol import GET, OK
from world import configuration, serving, world

from app import settings
from app.main import create_app
from app.server.readiness import Farewell, Readiness

PROBE = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n"


def told(readiness: Readiness) -> list[tuple[int, str, str | None]]:
    """Return status, body and what an answer says of its connection: of a probe and a request."""

    async def ready(scope: Scope, receive: Receive, send: Send) -> None:
        await (await readiness.ready(Request(scope)))(scope, receive, send)

    app = answering({"/graphql": given(OK, {}), "/readyz": ready})
    answers = []
    with serving(Farewell(app, readiness)) as url:
        for asked in (PROBE, GET):
            with Conversation(url) as conversation:
                conversation.send(asked)
                one = conversation.answer()
                answers.append((one.status, one.body.decode(), one.headers.get("connection")))
    return answers


def test_a_process_is_ready_once_it_is_warm_and_never_again_once_it_drains() -> None:
    readiness = Readiness()
    body = OK.decode()

    starting = told(readiness)
    readiness.warmed()
    warm = told(readiness)
    readiness.drain()
    draining = told(readiness)
    readiness.warmed()
    still_draining = told(readiness)

    assert starting == [(503, "starting\n", None), (200, body, None)]
    assert warm == [(200, "ok\n", None), (200, body, None)]
    assert draining == [(503, "draining\n", "close"), (200, body, "close")]
    assert still_draining == draining


def test_probes_are_kept_by_nobody(tmp_path: Path) -> None:
    with world(tmp_path, entries=5) as one:
        answers = [one.http.get(path) for path in ("/livez", "/readyz")]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}


@pytest.mark.parametrize("cache", ["embedded://", "redis://127.0.0.1:1/0"])
def test_a_gateway_is_ready_with_its_redis_and_without(tmp_path: Path, cache: str) -> None:
    with world(tmp_path, more=f'[cache]\nurl = "{cache}"', entries=5) as one:
        answer = one.http.get("/readyz")

    assert (answer.status_code, answer.text) == (200, "ok\n")


def test_a_gateway_whose_key_server_is_away_is_ready(tmp_path: Path) -> None:
    file = configuration(tmp_path, "http://127.0.0.1:1")
    jwt = 'issuer = "https://login.example.com/"\njwks_url = "http://127.0.0.1:1/keys"'
    file.write_text(file.read_text().replace('auth.mode = "none"', "") + f"\n[auth]\n{jwt}\n")
    with (
        serving(create_app(settings.load(file, {}))) as url,
        Conversation(url) as conversation,
    ):
        conversation.send(PROBE)
        answer = conversation.answer()

    assert answer.status == 200
