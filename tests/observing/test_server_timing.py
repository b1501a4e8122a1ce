"""`Server-Timing`: what took how long, for whoever is known, and for nobody else."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from world import World, gateway, world

from app import settings

PROVIDERS = ("cloudreve", "hostup", "carecloud")
PAGE = """query Page($n: Int) { customer(reference: "C-1001") {
  creditChanges(first: $n) { nodes { id } } } }"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("timing"), entries=10) as one:
        yield one


def timing(response: httpx.Response) -> dict[str, str]:
    """Return what a header field says, by name."""
    parts = [part.split(";") for part in response.headers["server-timing"].split(", ")]
    return {part[0]: part[1] for part in parts}


def milliseconds(said: str) -> float:
    found = re.fullmatch(r"dur=([0-9]+\.[0-9])", said)
    assert found, said
    return float(found[1])


def ask(one: World, count: int, **headers: str) -> httpx.Response:
    body = {"query": PAGE, "variables": {"n": count}}
    return one.http.post("/graphql", json=body, headers=headers)


def test_an_answer_says_what_took_how_long(served: World) -> None:
    for provider in PROVIDERS:
        served.sandbox.set_fault(provider, {"kind": "latency", "ms": 200})

    cold = timing(ask(served, 3))
    for provider in PROVIDERS:
        served.sandbox.clear_fault(provider)
    mirrored = timing(ask(served, 4))

    assert set(cold) == {"total", "prepare", "upstream", "cache"}
    # Calls side by side are waited for once.
    assert milliseconds(cold["total"]) >= milliseconds(cold["upstream"]) >= 200
    assert (cold["cache"], mirrored["cache"]) == ("desc=MISS", "desc=MISS")
    assert "upstream" not in mirrored
    assert 0 < milliseconds(mirrored["prepare"]) <= milliseconds(mirrored["total"])


def test_whom_nobody_knows_is_told_nothing(tmp_path: Path) -> None:
    more = '[auth]\nissuer = "i"\ndevelopment_key = "a key of at least 32 bytes, for a test"\n'
    file = tmp_path / "gateway.toml"
    with world(tmp_path, entries=5) as one:
        file.write_text(file.read_text().replace('auth.mode = "none"', "") + more)
        with gateway(settings.load(file, {}), one.sandbox, tmp_path) as closed:
            unknown = closed.http.post("/graphql", json={"query": PAGE})
            wrong = ask(closed, 1, Authorization="Bearer nobody")
            probe = closed.http.get("/livez")

    for response in (unknown, wrong, probe):
        assert "server-timing" not in response.headers
        assert response.headers["x-request-id"]
    assert {unknown.status_code, wrong.status_code} == {401}


def test_it_can_be_left_out(tmp_path: Path) -> None:
    with world(tmp_path, entries=5, more="[observability]\nserver_timing = false\n") as one:
        response = ask(one, 1)

    assert "server-timing" not in response.headers
    assert response.headers["x-request-id"]


def test_pages_of_other_origins_may_read_it_and_name_their_requests(tmp_path: Path) -> None:
    origin = "https://app.example.com"
    with world(tmp_path, entries=5, more=f'[server]\ncors_origins = ["{origin}"]\n') as one:
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        names = "traceparent,tracestate,x-request-id"
        allowed = one.http.options(
            "/graphql", headers={**asked, "Access-Control-Request-Headers": names}
        )
        told = ask(one, 1, Origin=origin, **{"X-Request-ID": "page"})

    assert allowed.status_code == 200
    shown = told.headers["access-control-expose-headers"].lower().split(", ")
    assert {"server-timing", "x-request-id"} <= set(shown)
    assert told.headers["x-request-id"] == "page"


def test_an_answer_that_is_given_again_has_the_id_of_its_own_request(served: World) -> None:
    for accept in ("application/json", "application/graphql-response+json"):
        for method in ("POST", "GET"):
            ids = []
            for number in range(6):
                sent = {"X-Request-ID": f"own-{number}", "Accept": accept}
                query = "{ viewer { subject } }"
                response = (
                    served.http.post("/graphql", json={"query": query}, headers=sent)
                    if method == "POST"
                    else served.http.get("/graphql", params={"query": query}, headers=sent)
                )
                ids.append(response.headers.get("x-request-id"))

            assert ids[0] == "own-0"
            assert len([one for one in ids if one]) == len({one for one in ids if one})
