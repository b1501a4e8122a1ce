"""Debian's Chromium, which is let nowhere but to the loopback, and tells what it tried."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Route,
    expect,
    sync_playwright,
)

from app.server.pages import DASHBOARD, GRAPHIQL

CHROMIUM = shutil.which("chromium")
needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="Chromium is not installed; on Debian: apt-get install chromium"
)
needs_build = pytest.mark.skipif(
    not (GRAPHIQL.page().is_file() and DASHBOARD.page().is_file()),
    reason="the pages are not built; run: make web",
)

# Not even a name is looked up for what the interception below would let through.
_LOOPBACK_ONLY = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"
_PATIENCE_MS = 60_000
# The page heeds what is shown anew when it has been at rest for half a second, as a person would.
_HEEDED_MS = 700
# Of the query, its variables, the headers and the answer.
_EDITORS = 4
expect.set_options(timeout=_PATIENCE_MS)
_TELL_VIOLATIONS = """addEventListener("securitypolicyviolation", event =>
  violated(`${event.effectiveDirective} ${event.blockedURI}`))"""
# What a refused request leaves in the console, whatever the page does about it.
_REFUSED = "Failed to load resource: the server responded with a status of 401"


@dataclass
class Visit:
    """One browser at one page: what it asked for and where, and what was forbidden or broken."""

    page: Page
    asked: list[Request] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    # How complaints begin that are none of the page's.
    expected: tuple[str, ...] = (_REFUSED,)

    def assert_quiet(self) -> None:
        """Hold that the page stayed on the loopback, within its policy and without an error."""
        assert (self.outside, self.violations, self.complaints) == ([], [], [])

    def hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(self.expected):
            self.complaints.append(message.text)

    def note(self, request: Request) -> None:
        self.asked.append(request)

    def tell(self, violation: str) -> None:
        self.violations.append(violation)

    def guard(self, route: Route) -> None:
        if _is_inside(route.request.url):
            route.continue_()
        else:
            self.outside.append(route.request.url)
            route.abort()

    def heed(self, url: str) -> None:
        if not _is_inside(url):
            self.outside.append(url)


@contextmanager
def visiting(
    url: str,
    *,
    width: int = 1280,
    scheme: Literal["dark", "light"] = "light",
    locale: str = "en-US",
    time_zone: str = "UTC",
) -> Iterator[Visit]:
    """Open a page in a browser of its own, which is closed in the end."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[_LOOPBACK_ONLY])
        try:
            context = browser.new_context(
                viewport={"width": width, "height": 900},
                color_scheme=scheme,
                locale=locale,
                timezone_id=time_zone,
            )
            context.set_default_timeout(_PATIENCE_MS)
            visit = _watched(context)
            visit.page.goto(url)
            yield visit
        finally:
            browser.close()


@contextmanager
def opened(gateway: str) -> Iterator[Visit]:
    """Open GraphiQL of a gateway, and wait for its editors."""
    with visiting(f"{gateway}/graphql") as visit:
        wait_for_editors(visit.page)
        yield visit


def _watched(context: BrowserContext) -> Visit:
    page = context.new_page()
    visit = Visit(page)
    context.route("**/*", visit.guard)
    page.on("request", visit.note)
    page.on("websocket", lambda socket: visit.heed(socket.url))
    page.on("console", visit.hear)
    page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    page.expose_function("violated", visit.tell)
    page.add_init_script(_TELL_VIOLATIONS)
    return visit


def _is_inside(url: str) -> bool:
    # blob: and data: are the browser's own; whether they may be used, the policy says.
    return urlsplit(url).hostname in {"127.0.0.1", None}


def wait_for_editors(page: Page) -> None:
    expect(page.locator(".monaco-editor[data-uri]")).to_have_count(_EDITORS)


def wait_until(page: Page, holds: Callable[[], bool]) -> None:
    """Return when it holds, as the browser tells by and by."""
    for _ in range(_PATIENCE_MS // 50):
        if holds():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it does not come to hold")


def open_tab(page: Page, name: str) -> None:
    page.locator(".graphiql-tab").filter(has_text=name).click()
    page.wait_for_timeout(_HEEDED_MS)


def write(page: Page, editor: str, text: str) -> None:
    """Write anew what stands in the editor `Variables` or `Headers`."""
    page.get_by_role("button", name=editor, exact=True).click()
    page.locator(".graphiql-editor-tool .graphiql-editor:not(.hidden)").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)
    # The editor closes brackets and quotes by itself, after the cursor.
    page.keyboard.press("Control+Shift+End")
    page.keyboard.press("Delete")
    page.wait_for_timeout(_HEEDED_MS)


def press_run(page: Page) -> None:
    page.get_by_role("button", name="Execute query").click()


def run(page: Page) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run what stands in the editors; returns what was asked and the whole answer."""
    with page.expect_response(lambda response: _is_run(response.request.post_data)) as answered:
        press_run(page)
    asked: dict[str, Any] = json.loads(answered.value.request.post_data or "")
    answer: dict[str, Any] = answered.value.json()
    return asked, answer


def _is_run(sent: str | None) -> bool:
    return sent is not None and "IntrospectionQuery" not in sent
