"""The files of GraphiQL over HTTP, and what is there without them."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from browsing import needs_browser, needs_build, visiting
from graphql import parse, validate
from hatchling.build import build_wheel
from raw import exchange
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from world import World, serving, world

from app.api.schema import schema
from app.server.pages import ASSETS, BUILT, Page

ROOT = Path(__file__).parents[2]
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
EXAMPLES = sorted((ROOT / "app/web/graphiql/examples").iterdir())
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("pages"), entries=0) as one:
        yield one


def built() -> list[Path]:
    return sorted((BUILT / "graphql" / "assets").iterdir())


@needs_build
def test_every_file_is_served_to_be_kept_for_ever(served: World) -> None:
    answers = [(file, served.http.get(f"{ASSETS}/{file.name}")) for file in built()]

    assert len(answers) > 10
    for file, answer in answers:
        assert answer.status_code == 200
        assert answer.content == file.read_bytes()
        assert answer.headers["content-type"] == TYPES[file.suffix]
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]


@needs_build
def test_a_file_or_page_that_a_browser_has_is_not_sent_again(served: World) -> None:
    for path in ("/graphql", f"{ASSETS}/{built()[0].name}"):
        first = served.http.get(path, headers=BROWSER)
        again = served.http.get(path, headers={**BROWSER, "If-None-Match": first.headers["etag"]})
        other = served.http.get(path, headers={**BROWSER, "If-None-Match": '"other"'})

        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["cache-control"] == first.headers["cache-control"]
        assert other.status_code == 200


@needs_build
def test_a_head_has_no_body(served: World) -> None:
    for path in ("/graphql", f"{ASSETS}/{built()[0].name}"):
        answer = served.http.head(path, headers=BROWSER)

        assert (answer.status_code, answer.content) == (200, b"")


@needs_build
def test_the_page_is_asked_for_each_time_and_belongs_to_no_other(served: World) -> None:
    page = served.http.get("/graphql", headers=BROWSER)

    assert page.headers["cache-control"] == "no-cache"
    assert "Accept" in page.headers["vary"]
    policy = page.headers["content-security-policy"]
    assert "unsafe-eval" not in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy


@needs_build
@pytest.mark.parametrize(
    "path",
    [
        "/../../index.html",
        "/../../../__init__.py",
        "/%2e%2e/%2e%2e/index.html",
        "/..%2f..%2f..%2f__init__.py",
        "/..%5c..%5cindex.html",
        "//etc/passwd",
        "/%2fetc/passwd",
        "/%00",
        "/" + "a" * 300,
        "/",
        "",
        "/none.js",
    ],
)
def test_nothing_else_is_served(served: World, path: str) -> None:
    request = f"GET {ASSETS}{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

    assert exchange(served.url, request.encode()).status == 404


@needs_build
def test_a_file_is_only_read(served: World) -> None:
    answer = served.http.post(f"{ASSETS}/{built()[0].name}")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


@needs_build
def test_nothing_is_served_where_it_is_switched_off(tmp_path: Path) -> None:
    with world(tmp_path, more="[graphql]\ngraphiql = false", entries=0) as one:
        page = one.http.get("/graphql", headers=BROWSER)
        file = one.http.get(f"{ASSETS}/{built()[0].name}")

    assert page.status_code == 400
    assert file.status_code == 404


def unbuilt(folder: Path) -> Starlette:
    page = Page(folder)

    def answer(_: Request) -> Response:
        return page.answer()

    return Starlette(routes=[Route("/graphql", answer)])


def test_where_it_is_not_built_a_page_says_how(tmp_path: Path) -> None:
    with serving(unbuilt(tmp_path)) as url:
        page = httpx.get(f"{url}/graphql", trust_env=False)

    assert page.status_code == 200
    assert "make web" in page.text
    assert "POST /graphql" in page.text
    assert page.headers["cache-control"] == "no-store"


@needs_browser
def test_the_page_that_says_how_needs_nothing_else(tmp_path: Path) -> None:
    with serving(unbuilt(tmp_path)) as url, visiting(f"{url}/graphql") as visit:
        assert visit.page.get_by_role("heading").inner_text() == "GraphiQL is not built here"
        visit.assert_quiet()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.stem)
def test_an_example_is_valid(example: Path) -> None:
    assert validate(schema._schema, parse(example.read_text())) == []


@needs_build
def test_a_wheel_has_what_was_built_and_not_what_it_was_built_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)

    wheel = zipfile.ZipFile(tmp_path / build_wheel(str(tmp_path)))

    inside = {name for name in wheel.namelist() if name.startswith("app/web/")}
    files = (file for file in BUILT.rglob("*") if file.is_file())
    assert inside == {"app/web/__init__.py", *(str(file.relative_to(ROOT)) for file in files)}
