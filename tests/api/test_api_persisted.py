"""Documents that are known by their hash: kept for whoever sends them, or the operator's alone."""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from commands import Run, assert_one_line
from redis_server import RedisServer, needs_redis, redis_server
from world import World, configuration, gateway, world

from app.api.documents import Documents
from app.api.execution import graphql_schema
from app.api.guard import DocumentLimits
from app.api.persisted import TrustedLibrary
from app.model.errors import ConfigurationError

pytestmark = needs_redis

QUERY = "query Who { viewer { subject } }"
JSON = {"Accept": "application/json"}


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, redis: RedisServer) -> Iterator[World]:
    more = f'[cache]\nurl = "{redis.url}"'
    with world(tmp_path_factory.mktemp("persisted"), entries=5, more=more) as one:
        yield one


def named(text: str) -> dict[str, Any]:
    hashed = sha256(text.encode()).hexdigest()
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hashed}}}


def post(served: World, body: dict[str, Any], headers: dict[str, str] = JSON) -> httpx.Response:
    return served.http.post("/graphql", json=body, headers=headers)


def code(response: httpx.Response) -> str:
    answer: dict[str, Any] = response.json()
    return str(answer["errors"][0]["extensions"]["code"])


def test_a_document_is_known_by_its_hash_once_it_was_sent_with_it(served: World) -> None:
    text = "query Sent { viewer { subject } }"

    unknown = post(served, named(text))
    sent = post(served, {"query": text, **named(text)})
    known = post(served, named(text))
    by_url = served.http.get(
        "/graphql", params={"extensions": json.dumps(named(text)["extensions"])}, headers=JSON
    )

    # Clients wait for this status, code and message, and send the document then.
    assert (unknown.status_code, code(unknown)) == (200, "PERSISTED_QUERY_NOT_FOUND")
    assert unknown.json()["errors"][0]["message"] == "PersistedQueryNotFound"
    assert sent.json() == known.json() == by_url.json()
    assert known.json()["data"] == {"viewer": {"subject": "anonymous"}}


def test_a_document_is_known_to_all_processes(served: World) -> None:
    text = "query Shared { viewer { subject } }"
    post(served, {"query": text, **named(text)})

    with gateway(served.settings, served.sandbox, served.folder) as other:
        answer = post(other, named(text)).json()

    assert answer["data"] == {"viewer": {"subject": "anonymous"}}


def test_what_redis_holds_under_another_hash_is_not_executed(
    served: World, redis: RedisServer
) -> None:
    text = "query Planted { viewer { scopes } }"
    key = f"cg:document:{sha256(QUERY.encode()).hexdigest()}"

    with redis.client() as client:
        client.set(key, text)
        answer = post(served, named(QUERY))
        client.set(key, QUERY)
        control = post(served, named(QUERY))

    assert code(answer) == "PERSISTED_QUERY_NOT_FOUND"
    assert control.json()["data"] == {"viewer": {"subject": "anonymous"}}


def test_a_hash_of_something_else_is_refused_and_nothing_is_kept(served: World) -> None:
    text = "query Other { viewer { subject } }"

    wrong = post(served, {"query": "{ viewer { scopes } }", **named(text)})
    after = post(served, named(text))

    assert (code(wrong), code(after)) == ("BAD_USER_INPUT", "PERSISTED_QUERY_NOT_FOUND")


@pytest.mark.parametrize("name", ["x", "a" * 64, "A" * 64])
def test_a_document_under_a_name_that_is_not_its_hash_is_refused(served: World, name: str) -> None:
    persisted = {"persistedQuery": {"version": 1, "sha256Hash": name}}

    response = post(served, {"query": QUERY, "extensions": persisted})

    assert code(response) == "BAD_USER_INPUT"


def test_what_redis_forgot_is_known_again_once_a_client_sends_it(
    served: World, redis: RedisServer
) -> None:
    text = "query Flushed { viewer { subject } }"
    key = f"cg:document:{sha256(text.encode()).hexdigest()}"
    with redis.client() as client:
        post(served, {"query": text, **named(text)})
        client.delete(key)

        post(served, {"query": text, **named(text)})
        until_asked = client.ttl(key)
        with gateway(served.settings, served.sandbox, served.folder) as other:
            answer = post(other, named(text)).json()
        after = client.ttl(key)

    assert answer["data"] == {"viewer": {"subject": "anonymous"}}
    # What nobody asks for by its hash is not kept for long.
    assert 0 < until_asked <= 600
    assert after > 80_000


def test_a_document_that_cannot_be_executed_is_not_kept(served: World, redis: RedisServer) -> None:
    for text in ("query Invalid { nobody }", "query Long { viewer { subject } } #" + "ä" * 5_000):
        first = post(served, {"query": text, **named(text)})
        again = post(served, named(text))

        assert ("data" in first.json()) == ("Long" in text)
        assert code(again) == "PERSISTED_QUERY_NOT_FOUND"
        with redis.client() as client:
            assert not client.exists(f"cg:document:{sha256(text.encode()).hexdigest()}")


def test_a_mutation_that_holds_a_text_is_not_kept_as_it_may_be_a_secret(
    served: World, redis: RedisServer
) -> None:
    literal = 'mutation { refreshAccount(input: { accountId: "x" }) { account { id } } }'
    comment = "mutation ($a: ID!) { # x\n refreshAccount(input: { accountId: $a }) { __typename } }"
    variable = "mutation ($a: ID!) { refreshAccount(input: { accountId: $a }) { account { id } } }"

    for text in (literal, comment, variable):
        post(served, {"query": text, "variables": {"a": "x"}, **named(text)})

    with redis.client() as client:
        kept = [
            client.exists(f"cg:document:{sha256(text.encode()).hexdigest()}")
            for text in (literal, comment, variable)
        ]
    assert kept == [0, 0, 1]
    assert code(post(served, named(literal))) == "PERSISTED_QUERY_NOT_FOUND"
    assert code(post(served, {**named(variable), "variables": {"a": "x"}})) == "NOT_FOUND"


@pytest.mark.parametrize(
    "extension",
    [
        *(1, {}, {"version": 1}, {"version": 2, "sha256Hash": "a"}),
        *({"version": 1, "sha256Hash": 1}, {"version": True, "sha256Hash": "a"}),
    ],
)
def test_what_is_no_name_of_a_document_is_refused(served: World, extension: object) -> None:
    response = post(served, {"query": QUERY, "extensions": {"persistedQuery": extension}})

    assert (response.status_code, code(response)) == (400, "BAD_USER_INPUT")


@pytest.mark.parametrize("name", ["", "x", "A" * 64, "../" * 20, "é" * 64])
def test_a_name_that_nothing_has_is_not_found(served: World, name: str) -> None:
    extension = {"persistedQuery": {"version": 1, "sha256Hash": name}}

    response = post(served, {"extensions": extension})

    assert (response.status_code, code(response)) == (200, "PERSISTED_QUERY_NOT_FOUND")


def test_documents_are_known_where_redis_is_not_there(tmp_path: Path) -> None:
    text = "query Alone { viewer { subject } }"
    more = '[cache]\nurl = "redis://127.0.0.1:9"'
    with world(tmp_path, entries=5, more=more) as one:
        post(one, {"query": text, **named(text)})

        answer = post(one, named(text)).json()

    assert answer["data"] == {"viewer": {"subject": "anonymous"}}


TRUSTED = {
    "first": "query First { viewer { subject } }",
    "sha256:" + "AB" * 32: "query Upper { viewer { subject } }",
    sha256(QUERY.encode()).hexdigest(): QUERY,
    "change": "mutation ($a: ID!) { refreshAccount(input: { accountId: $a }) { account { id } } }",
}


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("trusted")
    (folder / "trusted.json").write_text(json.dumps(TRUSTED))
    with world(folder, entries=5, more='[graphql]\ntrusted_documents = "trusted.json"') as one:
        yield one


def test_a_trusted_document_is_executed_by_its_name_and_by_its_text(strict: World) -> None:
    asked: list[dict[str, Any]] = [
        {"documentId": "first"},
        {"documentId": "ab" * 32},
        {"documentId": "sha256:" + "AB" * 32},
        {"documentId": "unknown", "query": QUERY},
        {"documentId": f"sha256:{sha256(QUERY.encode()).hexdigest()}"},
        named(QUERY),
        {"query": QUERY},
        {"query": QUERY, **named(QUERY)},
    ]
    for body in asked:
        assert post(strict, body).json()["data"] == {"viewer": {"subject": "anonymous"}}, body
    by_url = strict.http.get("/graphql", params={"documentId": "first"}, headers=JSON)
    assert by_url.json()["data"] == {"viewer": {"subject": "anonymous"}}
    change = strict.http.get("/graphql", params={"documentId": "change"}, headers=JSON)
    assert change.status_code == 405


@pytest.mark.parametrize(
    "body",
    [
        {"query": "{ __typename }"},
        {"query": "{ __typename }", "documentId": "other"},
        {"query": QUERY + " "},
        {"documentId": "other"},
        {"query": "{ __typename }", **named("{ __typename }")},
        {"query": "{"},
    ],
)
def test_no_other_document_is_executed(strict: World, body: dict[str, Any]) -> None:
    for _ in range(2):
        answer = post(strict, body).json()

        assert answer["errors"][0]["extensions"]["code"] == "DOCUMENT_NOT_TRUSTED"
        assert "data" not in answer


@pytest.mark.parametrize("text", ["{ nobody }", "{", "{ " + "a: viewer { subject } " * 40 + "}"])
def test_a_trusted_document_that_cannot_be_executed_stops_the_start(text: str) -> None:
    documents = Documents(graphql_schema, DocumentLimits())

    with pytest.raises(ConfigurationError, match=r"^graphql\.trusted_documents: broken: "):
        TrustedLibrary(documents, {**TRUSTED, "broken": text})


def test_the_command_tells_a_trusted_document_that_cannot_be_executed(
    tmp_path: Path, run: Run
) -> None:
    (tmp_path / "trusted.json").write_text(json.dumps({"broken": "{ nobody }"}))
    file = configuration(
        tmp_path, "http://127.0.0.1:9", '[graphql]\ntrusted_documents = "trusted.json"'
    )

    for command in ("serve", "check"):
        outcome = run(command, "--config", file)

        assert outcome.status == 1
        assert_one_line(outcome.err, "graphql.trusted_documents: broken: ")
