"""What an export over HTTP says of itself, whom it is given, and what is refused."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from exports_world import code, exported, lines
from issuing import bearer, guarded, key_server, token
from world import World, import_customers, world

PATHS = [
    f"{history}.{form}" for history in ("credit-changes", "payments") for form in ("csv", "ndjson")
]
# They differ from one request to the next.
OF_EACH_REQUEST = {"date", "ratelimit", "server-timing", "x-request-id"}
STRANGE = 'A/B "C"; d=e\\f ..%2F å'


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("http"), entries=120) as one:
        yield one


@pytest.fixture(scope="module")
def asked(served: World) -> Iterator[World]:
    """Serve the same customers by a gateway that asks who is calling."""
    with key_server() as server, guarded(served, jwks_url=server.url) as one:
        yield one


def said(response: httpx.Response) -> tuple[int, dict[str, str], str]:
    """Return all that an answer says to whom it is given."""
    headers = {k: v for k, v in response.headers.items() if k not in OF_EACH_REQUEST}
    return response.status_code, headers, response.text


def test_an_export_says_what_it_is(served: World) -> None:
    answers = {path: served.http.get(f"/customers/C-1002/{path}") for path in PATHS}

    for path, answer in answers.items():
        assert answer.status_code == 200
        assert answer.headers["content-disposition"] == f'attachment; filename="C-1002-{path}"'
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["transfer-encoding"] == "chunked"
        assert answer.headers["x-state"] == "FRESH"
        assert answer.headers["x-read-at"] >= "2026"
        assert "ratelimit" in answer.headers
    csv, ndjson, *_ = answers.values()
    assert csv.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert ndjson.headers["content-type"] == "application/x-ndjson; charset=utf-8"


@pytest.mark.parametrize("coding", ["zstd", "br", "gzip"])
def test_an_export_comes_compressed_as_asked(served: World, coding: str) -> None:
    path = "/customers/C-1002/credit-changes.csv"

    plain = served.http.get(path, headers={"Accept-Encoding": "identity"})
    compressed = served.http.get(path, headers={"Accept-Encoding": coding})

    assert compressed.headers["content-encoding"] == coding
    assert compressed.num_bytes_downloaded < plain.num_bytes_downloaded / 2
    assert compressed.content == plain.content


async def test_a_reference_of_any_characters_is_found_and_its_file_has_a_plain_name(
    served: World,
) -> None:
    await import_customers(served.settings, [{"reference": STRANGE}])

    answer = served.http.get(f"/customers/{quote(STRANGE, safe='')}/payments.ndjson")

    assert (answer.status_code, answer.text) == (200, "")
    assert answer.headers["content-disposition"] == (
        'attachment; filename="A_B_C_d_e_f_2F_-payments.ndjson"'
    )


@pytest.mark.parametrize("path", PATHS)
def test_head_tells_of_an_export_and_asks_no_provider(served: World, path: str) -> None:
    served.clock.ahead += served.settings.cache.fresh_for
    served.sandbox.reset_calls()

    there = served.http.head(f"/customers/C-1003/{path}")
    absent = served.http.head(f"/customers/C-9/{path}")

    assert (there.status_code, absent.status_code) == (200, 404)
    assert there.headers["content-disposition"] == f'attachment; filename="C-1003-{path}"'
    assert "content-length" not in there.headers
    assert served.sandbox.calls() == {}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_told_which_ones_there_are(served: World, method: str) -> None:
    refused = served.http.request(method, "/customers/C-1002/payments.csv")

    assert (refused.status_code, code(refused)) == (405, "BAD_USER_INPUT")
    assert refused.headers["allow"] == "GET, HEAD"


BAD = [
    ("colour=SECRET", "orderBy"),
    ("from=SECRET", "`from` cannot be read"),
    ("to=2026-02-30T00:00:00Z", "RFC 3339"),
    ("kinds=SECRET", "SPEND"),
    ("kinds=SPEND,TOP_UP", "give `kinds` again"),
    ("direction=", "IN, OUT"),
    ("direction=IN&direction=OUT", "more than once"),
    ("minAmount=1e5", "Decimal"),
    ("minAmount=2&maxAmount=1", "above"),
    ("from=2026-02-02T00:00:00Z&to=2026-02-01T00:00:00Z", "after"),
    ("accounts=SECRET", "Account"),
    ("orderBy=SECRET", "NEWEST_FIRST"),
    ("statuses=PAID", "kinds"),
    ("from=%FF", "RFC 3339"),
]


@pytest.mark.parametrize(("query", "says"), BAD)
def test_a_parameter_that_cannot_be_is_refused_with_what_can(
    served: World, query: str, says: str
) -> None:
    refused = served.http.get(f"/customers/C-1002/credit-changes.csv?{query}")

    assert (refused.status_code, code(refused)) == (400, "BAD_USER_INPUT")
    assert refused.headers["cache-control"] == "no-store"
    assert says in refused.json()["errors"][0]["message"]
    assert "SECRET" not in refused.text


def test_a_caller_asks_for_exports_as_often_as_for_all_else(tmp_path: Path) -> None:
    with world(tmp_path, entries=5, more='[limits]\nrate = "3/minute"') as served:
        answers = [exported(served, "payments", "csv") for _ in range(4)]

    assert [one.status_code for one in answers] == [200, 200, 200, 429]
    assert code(answers[-1]) == "RATE_LIMITED"
    assert int(answers[-1].headers["retry-after"]) > 0


@pytest.mark.parametrize("path", PATHS)
def test_what_may_not_be_seen_is_answered_as_what_does_not_exist(asked: World, path: str) -> None:
    callers = {
        "credits:read": ["C-1002", "C-1001"],
        "accounts:write accounts:write:any": ["C-1001", "C-1002"],
        "": ["C-1001", "C-1002"],
    }
    for scope, hidden in callers.items():
        caller = bearer(token({"scope": scope, "customer": "C-1001"}))
        if scope == "credits:read":
            hidden.remove("C-1001")
        absent = said(asked.http.get(f"/customers/C-9999/{path}?x=1", headers=caller))
        for reference in hidden:
            there = asked.http.get(f"/customers/{reference}/{path}?x=1", headers=caller)
            assert said(there) == absent
            assert (there.status_code, code(there)) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("scope", "reference"), [("credits:read", "C-1001"), ("credits:read:any", "C-1002")]
)
def test_what_may_be_seen_is_exported(asked: World, scope: str, reference: str) -> None:
    caller = bearer(token({"scope": scope, "customer": "C-1001"}))

    answer = asked.http.get(f"/customers/{reference}/payments.ndjson", headers=caller)

    assert len(lines(answer)) >= 120


def test_nobody_is_told_anything_without_saying_who_is_asking(asked: World) -> None:
    answers = [asked.http.get(f"/customers/{one}/payments.csv") for one in ("C-1001", "C-9999")]

    assert {one.status_code for one in answers} == {401}
    assert {code(one) for one in answers} == {"UNAUTHENTICATED"}
    assert "www-authenticate" in answers[0].headers
    assert said(answers[0]) == said(answers[1])


def test_a_filter_by_another_customers_account_finds_nothing(asked: World) -> None:
    everyone = bearer(token({"scope": "credits:read:any"}))
    others = lines(asked.http.get("/customers/C-1002/payments.ndjson", headers=everyone))
    caller = bearer(token({"scope": "credits:read", "customer": "C-1001"}))
    where = {"accounts": others[0]["account"]["id"]}

    found = asked.http.get("/customers/C-1001/payments.ndjson", params=where, headers=caller)

    assert (found.status_code, found.text) == (200, "")


def test_errors_are_of_the_shape_of_graphql(served: World) -> None:
    refused = served.http.get("/customers/C-9/payments.csv")

    assert json.loads(refused.text) == {
        "errors": [
            {
                "message": "There is no such customer, or none that you may see.",
                "extensions": {"code": "NOT_FOUND"},
            }
        ]
    }
