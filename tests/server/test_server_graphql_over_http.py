"""GraphQL over HTTP: media types, methods, parameters, and status codes."""

import json
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from world import World, world

RESPONSE = "application/graphql-response+json"
JSON = "application/json"
VIEWER = "{ viewer { subject } }"
ANSWER = {"viewer": {"subject": "anonymous"}}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("http"), entries=20) as one:
        yield one


def post(served: World, body: object, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return served.http.post(
        "/graphql", content=content, headers={"Content-Type": JSON, "Accept": RESPONSE, **names}
    )


def media_type(response: httpx.Response) -> str:
    kind, _, charset = response.headers["content-type"].partition(";")
    assert charset.strip() == "charset=utf-8"
    return str(kind)


ACCEPTED = [
    (None, JSON),
    ("", JSON),
    ("*/*", JSON),
    ("application/*", JSON),
    (JSON, JSON),
    (RESPONSE, RESPONSE),
    (f"{RESPONSE}; charset=utf-8, {JSON}; charset=utf-8", RESPONSE),
    (f"{RESPONSE};q=0.5, {JSON}", JSON),
    (f"{RESPONSE};q=0, */*", JSON),
    (f"{JSON};q=0, */*", RESPONSE),
    (f"text/html, {JSON};q=0.9", JSON),
    ("APPLICATION/JSON", JSON),
    ("text/plain, */*;q=0.1", JSON),
]


@pytest.mark.parametrize(("accept", "given"), ACCEPTED)
def test_the_answer_has_the_media_type_that_is_accepted(
    served: World, accept: str | None, given: str
) -> None:
    request = served.http.build_request("POST", "/graphql", json={"query": VIEWER})
    del request.headers["accept"]
    if accept is not None:
        request.headers["accept"] = accept

    response = served.http.send(request)

    assert (response.status_code, media_type(response)) == (200, given)
    assert response.json()["data"] == ANSWER


@pytest.mark.parametrize("accept", ["text/plain", "image/*", f"{JSON};q=0", "*/*;q=0", "nonsense"])
def test_what_cannot_be_given_is_not_acceptable(served: World, accept: str) -> None:
    response = post(served, {"query": VIEWER}, Accept=accept)

    assert response.status_code == 406
    assert JSON in response.json()["errors"][0]["message"]


DOCUMENTS: list[tuple[object, int]] = [
    ({"query": VIEWER}, 200),
    ({"query": VIEWER, "operationName": None, "variables": None, "extensions": None}, 200),
    ({"query": VIEWER, "operationName": "", "extensions": {"a": 1}, "more": 1}, 200),
    ({"query": "query A { viewer { subject } }", "operationName": "A"}, 200),
    ({"query": "{ a: viewer { subject } customer(reference: 1) { id } }"}, 400),
    ({"query": "{"}, 400),
    ({"query": "{ nobody }"}, 400),
    ({"query": "query A { viewer { subject } }", "operationName": "B"}, 400),
    ({"query": "query A { __typename } query B { __typename }"}, 400),
    ({"query": "query A { __typename } query A { __typename }", "operationName": "A"}, 400),
    ({"query": "fragment A on Query { __typename }"}, 400),
    ({"query": "query($r: String!) { customer(reference: $r) { id } }"}, 400),
    ({"query": "{ customers(first: -1) { totalCount } }"}, 200),
]


@pytest.mark.parametrize(("body", "status"), DOCUMENTS)
def test_the_status_says_whether_a_request_could_be_executed(
    served: World, body: object, status: int
) -> None:
    response = post(served, body)
    plain = post(served, body, Accept=JSON)

    assert (response.status_code, media_type(response)) == (status, RESPONSE)
    assert (plain.status_code, media_type(plain)) == (200, JSON)
    assert plain.json() == response.json()
    assert ("data" in response.json()) == (status == 200)


NO_REQUESTS: list[object] = [
    *(None, 1, "x", [], [{"query": VIEWER}], True, {}),
    *({"query": None}, {"query": ""}, {"query": 1}, {"query": [VIEWER]}, {"Query": VIEWER}),
    *({"query": VIEWER, name: 1} for name in ("variables", "extensions", "operationName")),
    *({"query": VIEWER, name: []} for name in ("variables", "extensions", "operationName")),
    *({"query": VIEWER, name: "{}"} for name in ("variables", "extensions")),
    {"query": VIEWER, "operationName": {}},
    *(b"", b"{", b"\xff\xfe", b'{"query": "\xff"}', b"{'query': 1}", b"\xef\xbb\xbf{}", b"NaN"),
    b'{"query": "{ viewer { subject } }", "variables": {"a": NaN}}',
    b'{"query": "\\ud800"}',
    b"[" * 100_000,
    b'{"a":' * 100_000,
]


@pytest.mark.parametrize("accept", [RESPONSE, JSON])
@pytest.mark.parametrize("body", NO_REQUESTS, ids=range(len(NO_REQUESTS)))
def test_what_is_no_request_is_refused(served: World, body: object, accept: str) -> None:
    response = post(served, body, Accept=accept)

    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "content_type",
    [
        *("", "text/plain", "application/graphql", "application/x-www-form-urlencoded", "json"),
        *("multipart/form-data; boundary=x", "application/json; charset=utf-16"),
    ],
)
def test_another_content_type_is_refused(served: World, content_type: str) -> None:
    response = post(served, {"query": VIEWER}, Content_Type=content_type)

    assert response.status_code == 415
    assert JSON in response.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "content_type", [JSON, "application/json;charset=UTF-8", 'Application/JSON; charset="utf-8"']
)
def test_json_in_utf_8_is_taken(served: World, content_type: str) -> None:
    assert post(served, {"query": VIEWER}, Content_Type=content_type).json()["data"] == ANSWER


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"])
def test_other_methods_are_refused_with_those_there_are(served: World, method: str) -> None:
    response = served.http.request(method, "/graphql")

    assert response.status_code == 405
    assert {one.strip() for one in response.headers["allow"].split(",")} == {"GET", "HEAD", "POST"}


def get(served: World, **parameters: str) -> httpx.Response:
    return served.http.get("/graphql", params=parameters, headers={"Accept": RESPONSE})


def test_a_query_can_be_asked_by_get_with_variables_and_a_name(served: World) -> None:
    query = "query A($r: String!) { customer(reference: $r) { reference } } query B { __typename }"

    response = get(served, query=query, variables='{"r": "C-1001"}', operationName="A")
    head = served.http.head("/graphql", params={"query": VIEWER})

    assert response.status_code == 200
    assert response.json()["data"] == {"customer": {"reference": "C-1001"}}
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"query": ""},
        {"query": VIEWER, "variables": "{"},
        {"query": VIEWER, "variables": "[1]"},
        {"query": VIEWER, "extensions": "x"},
        {"query": "mutation { x }"},
        {"query": "subscription { x }"},
        {"query": "{"},
    ],
)
def test_a_get_that_is_no_query_is_refused(served: World, parameters: dict[str, str]) -> None:
    response = get(served, **parameters)

    assert response.status_code in {400, 405}
    assert response.json()["errors"]


def test_an_answer_says_that_it_differs_by_accept_and_caller(served: World) -> None:
    response = post(served, {"query": VIEWER})

    assert {one.strip() for one in response.headers["vary"].split(",")} == {
        "Accept",
        "Authorization",
    }


CHANGES = '{ customer(reference: "C-1001") { creditChanges(first: 5) { nodes { id } } } }'


def test_a_whole_answer_may_be_kept_for_what_is_left_of_its_freshness(served: World) -> None:
    began = time.monotonic()
    first = max_age(post(served, {"query": CHANGES}))
    served.clock.ahead += timedelta(seconds=20)
    second = max_age(post(served, {"query": CHANGES}))
    seconds = time.monotonic() - began

    assert 55 <= first <= 60
    assert first - 21 - seconds - 1 <= second <= first - 19


def max_age(response: httpx.Response) -> int:
    found = re.fullmatch(r"private, max-age=(\d+)", response.headers["cache-control"])
    assert found
    return int(found[1])


def test_what_is_partial_or_wrong_is_not_kept(served: World) -> None:
    served.sandbox.set_fault("carecloud", {"kind": "html"})
    query = '{ customer(reference: "C-1003") { creditChanges(first: 5) { nodes { id } } } }'
    try:
        partial = post(served, {"query": query})
    finally:
        served.sandbox.clear_fault("carecloud")
    wrong = [post(served, {"query": "{"}), post(served, {}), post(served, {}, Accept="x/y")]

    assert partial.json()["data"]["customer"]["creditChanges"]["nodes"]
    assert partial.json()["errors"]
    for response in (partial, *wrong):
        assert response.headers["cache-control"] == "no-store"


def test_a_browser_that_asks_a_query_by_its_address_is_answered(served: World) -> None:
    accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

    response = served.http.get("/graphql", params={"query": VIEWER}, headers={"Accept": accept})

    assert response.json()["data"] == ANSWER


def test_the_page_can_be_switched_off(tmp_path: Any) -> None:  # noqa: ANN401 - pytest's path
    with world(tmp_path, more="[graphql]\ngraphiql = false", entries=0) as one:
        response = one.http.get("/graphql", headers={"Accept": "text/html,*/*"})

    assert response.status_code == 400


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_the_probes_answer(served: World, path: str) -> None:
    response = served.http.get(path)

    assert (response.status_code, response.text) == (200, "ok\n")


@pytest.mark.parametrize("path", ["/", "/graphql/", "/docs", "/openapi.json", "/graphql/x"])
def test_other_paths_are_not_found(served: World, path: str) -> None:
    assert served.http.get(path).status_code == 404
