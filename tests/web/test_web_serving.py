"""The pages and their files over HTTP, and what is there without them."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from browsing import needs_browser, needs_build, visiting
from graphql import build_schema, parse, validate
from hatchling.build import build_wheel
from raw import exchange
from starlette.applications import Starlette
from starlette.routing import Route
from world import World, serving, world

from app.server.pages import BUILT, DASHBOARD, GRAPHIQL, Design, Page, loaded

ROOT = Path(__file__).parents[2]
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
DOCUMENTS = [
    *sorted((ROOT / "app/web/graphiql/examples").iterdir()),
    *sorted((ROOT / "app/web/dashboard/documents").iterdir()),
]
SCHEMA = build_schema((ROOT / "schema.graphql").read_text())
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
}
each_page = pytest.mark.parametrize("design", [GRAPHIQL, DASHBOARD], ids=lambda one: one.folder)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("pages"), entries=0) as one:
        yield one


def built(design: Design) -> list[Path]:
    return sorted(design.files().iterdir())


def some_paths(design: Design) -> tuple[str, str]:
    """Return where the page is, and one of its files."""
    return design.path, f"{design.assets}/{built(design)[0].name}"


@needs_build
@each_page
def test_every_file_is_served_to_be_kept_for_ever(served: World, design: Design) -> None:
    answers = [(file, served.http.get(f"{design.assets}/{file.name}")) for file in built(design)]

    assert len(answers) > 2
    for file, answer in answers:
        assert answer.status_code == 200
        assert answer.content == file.read_bytes()
        assert answer.headers["content-type"] == TYPES[file.suffix]
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == design.policy


@needs_build
@each_page
def test_a_file_or_page_that_a_browser_has_is_not_sent_again(served: World, design: Design) -> None:
    for path in some_paths(design):
        first = served.http.get(path, headers=BROWSER)
        again = served.http.get(path, headers={**BROWSER, "If-None-Match": first.headers["etag"]})
        other = served.http.get(path, headers={**BROWSER, "If-None-Match": '"other"'})

        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["cache-control"] == first.headers["cache-control"]
        assert other.status_code == 200


@needs_build
@each_page
def test_a_head_has_no_body(served: World, design: Design) -> None:
    for path in some_paths(design):
        answer = served.http.head(path, headers=BROWSER)

        assert (answer.status_code, answer.content) == (200, b"")


@needs_build
@each_page
def test_a_page_is_asked_for_each_time_and_belongs_to_no_other(
    served: World, design: Design
) -> None:
    page = served.http.get(design.path, headers=BROWSER)

    assert page.headers["cache-control"] == "no-cache"
    assert "Accept" in page.headers["vary"]
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["x-content-type-options"] == "nosniff"
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy


@needs_build
def test_nothing_in_the_dashboard_may_be_inline(served: World) -> None:
    policy = served.http.get(DASHBOARD.path).headers["content-security-policy"]

    assert "unsafe" not in policy
    assert "data:" not in policy
    assert "style-src 'self'" in policy
    assert "require-trusted-types-for 'script'" in policy


@needs_build
def test_the_whole_dashboard_is_small(served: World) -> None:
    """What a browser is sent for it is at most 150,000 bytes."""
    paths = [DASHBOARD.path, *(f"{DASHBOARD.assets}/{file.name}" for file in built(DASHBOARD))]
    sent = {}
    for path in paths:
        answer = served.http.get(path, headers={"Accept-Encoding": "br"})
        sent[path] = (answer.num_bytes_downloaded, len(answer.content))

    assert any(name.endswith(".js") for name in sent)
    assert sum(raw for raw, _ in sent.values()) <= 150_000
    # The control: it is what would be run that was measured.
    on_disk = [DASHBOARD.page(), *built(DASHBOARD)]
    assert sum(whole for _, whole in sent.values()) == sum(one.stat().st_size for one in on_disk)


@needs_build
@each_page
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
def test_nothing_else_is_served(served: World, design: Design, path: str) -> None:
    request = f"GET {design.assets}{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

    assert exchange(served.url, request.encode()).status == 404


@needs_build
@each_page
def test_a_file_is_only_read(served: World, design: Design) -> None:
    answer = served.http.post(some_paths(design)[1])

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


@needs_build
def test_nothing_is_served_where_it_is_switched_off(tmp_path: Path) -> None:
    more = "[graphql]\ngraphiql = false\n[server]\ndashboard = false"

    with world(tmp_path, more=more, entries=0) as one:
        statuses = [
            one.http.get(path, headers=BROWSER).status_code
            for design in (GRAPHIQL, DASHBOARD)
            for path in some_paths(design)
        ]

    assert statuses == [400, 404, 404, 404]


def unbuilt(design: Design, folder: Path) -> Starlette:
    return Starlette(routes=[Route(design.path, Page(design, folder).answer)])


@each_page
def test_where_it_is_not_built_a_page_says_how(design: Design, tmp_path: Path) -> None:
    with serving(unbuilt(design, tmp_path)) as url:
        page = httpx.get(f"{url}{design.path}", trust_env=False)

    assert page.status_code == 200
    assert "make web" in page.text
    assert "POST /graphql" in page.text
    assert f"{design.switch} = false" in page.text
    assert page.headers["cache-control"] == "no-store"
    assert loaded(design, tmp_path) == []


@needs_browser
@each_page
def test_the_page_that_says_how_needs_nothing_else(design: Design, tmp_path: Path) -> None:
    with serving(unbuilt(design, tmp_path)) as url, visiting(f"{url}{design.path}") as visit:
        assert visit.page.get_by_role("heading").inner_text() == f"{design.name} is not built here"
        visit.assert_quiet()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: one.stem)
def test_a_document_of_a_page_is_valid_in_the_printed_schema(document: Path) -> None:
    assert validate(SCHEMA, parse(document.read_text())) == []


@needs_build
def test_a_wheel_has_what_was_built_and_not_what_it_was_built_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)

    wheel = zipfile.ZipFile(tmp_path / build_wheel(str(tmp_path)))

    inside = {name for name in wheel.namelist() if name.startswith("app/web/")}
    files = (file for file in BUILT.rglob("*") if file.is_file())
    assert inside == {"app/web/__init__.py", *(str(file.relative_to(ROOT)) for file in files)}
