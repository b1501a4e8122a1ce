"""No token and no key is ever in a log, an error or what a value shows of itself."""

import logging
from datetime import timedelta

import pytest
import structlog
from commands import Run
from issuing import WHO, KeyServer, bearer, by_library, guarded, status, token
from structlog.testing import capture_logs
from world import World

from app.auth.api_keys import KeyHolders, new_key
from app.auth.bearer import sent_token
from app.auth.claims import Expected
from app.auth.keys import OneKey, development_key
from app.auth.tokens import Tokens
from app.model.clock import utc_now
from app.model.errors import Unauthenticated

pytest_plugins = ("auth_fixtures",)

SECRET = "canary-0123456789abcdef-0123456789"


def test_nothing_that_is_sent_is_logged_or_answered(
    served: World, keys: KeyServer, caplog: pytest.LogCaptureFixture, run: Run
) -> None:
    config = served.folder / "gateway.toml"
    key = run("keys", "create", "--name", "n", "--scope", "credits:read", "--config", config)
    sent = [
        key.out.strip(),
        new_key(),
        token({"sub": "its-name-is-no-secret"}),
        token({"exp": 1}),
        token({"iss": "canary-issuer"}),
        token(header={"kid": "canary-kid"}),
        token(header={"alg": "canary-alg"}),
        token(key="other-rsa", header={"kid": "rsa"}),
        "canary.canary.canary",
        "canary" * 9000,
    ]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG))

    with caplog.at_level(logging.DEBUG), capture_logs() as events:
        answers = [
            served.http.post("/graphql", json={"query": "{ nothing }"}, headers=bearer(one))
            for one in sent
        ]
        keys.body = b"canary-body"
        keys.status = 500
        served.clock.ahead = timedelta(hours=1)
        answers.append(served.http.post("/graphql", json={"query": WHO}, headers=bearer(sent[-3])))

    told = [str(events), *(answer.text + str(answer.headers) for answer in answers)]
    told += [
        record.getMessage() for record in caplog.records if record.name not in {"httpx", "httpcore"}
    ]
    for text in told:
        assert "canary" not in text
        for one in sent:
            assert one not in text
            assert one.rpartition(".")[2] not in text
    assert {answer.status_code for answer in answers} == {200, 401}


def test_no_value_shows_a_key(open_world: World) -> None:
    key = development_key(SECRET)
    source = OneKey(key)
    tokens = Tokens(source, Expected("i", "a", "c"), utc_now)

    for value in (key, source, tokens, tokens.__dict__):
        assert SECRET not in repr(value)
        assert SECRET not in str(value)
    with guarded(open_world, development_key=SECRET) as one:
        assert status(one, by_library(SECRET)) == 200
        assert SECRET not in repr(one.settings)
        assert SECRET not in one.settings.model_dump_json()


async def test_what_is_refused_is_not_in_the_error() -> None:
    tokens = Tokens(OneKey(development_key(SECRET)), Expected("i", "a", "c"), utc_now)
    sent = by_library(SECRET)

    with pytest.raises(Unauthenticated) as of_token:
        await tokens.known(sent)
    with pytest.raises(Unauthenticated) as of_header:
        sent_token([f"Bearer {sent}!"])

    for caught in (of_token, of_header):
        assert sent not in repr(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None or caught.value.__suppress_context__
    assert "cg_" not in repr(KeyHolders)
