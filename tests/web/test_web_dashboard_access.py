"""The dashboard for everyone: by axe-core, by keyboard alone, on narrow screens, with a token."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from browsing import needs_browser, needs_build, visiting
from dashboards import (
    REFERENCE,
    ids,
    keep,
    rows,
    scroll_on,
    shown,
    wait_for_rows,
    wait_until_read,
)
from issuing import by_library, guarded
from playwright.sync_api import Page, expect
from world import World, world

AXE = Path(__file__).parents[1] / "clients/node_modules/axe-core/axe.min.js"
pytestmark = [needs_browser, needs_build]
needs_axe = pytest.mark.skipif(
    not AXE.is_file(), reason="axe-core is not installed; `npm ci` in tests/clients brings it"
)
SECRET = "a-development-key-of-the-tests-alone"
# Colours take that long to change.
_SETTLED_MS = 300
_FOCUSED = """() => {
  const one = document.activeElement
  const style = getComputedStyle(one)
  const box = one.getBoundingClientRect()
  return {
    name: one.getAttribute("aria-label") ?? (one.labels?.[0] ?? one).textContent.trim(),
    isRinged: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    isInside: box.right > 0 && box.left < innerWidth && box.bottom > 0 && box.top < innerHeight,
  }
}"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("access"), entries=60) as one:
        yield one


@pytest.fixture(scope="module")
def wounded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("wounded"), entries=20) as one:
        one.sandbox.set_fault("hostup", {"kind": "status", "status": 503})
        yield one


def findings(page: Page) -> dict[str, list[str]]:
    """Return what axe-core finds wrong, as rules with what breaks them."""
    page.wait_for_timeout(_SETTLED_MS)
    page.evaluate(AXE.read_text())
    found: dict[str, Any] = page.evaluate("axe.run()")
    assert len(found["passes"]) > 10
    return {
        f"{one['impact']} {one['id']}": [str(node["target"]) for node in one["nodes"]]
        for one in found["violations"]
    }


def unfold(page: Page) -> None:
    for summary in page.locator("summary").all():
        summary.click()


def is_wider_than_the_screen(page: Page) -> bool:
    wide: bool = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return wide


@needs_axe
@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong(
    served: World, width: int, scheme: Literal["dark", "light"]
) -> None:
    with shown(served.url, width=width, scheme=scheme) as visit:
        page = visit.page
        wait_for_rows(page)
        expect(page.get_by_role("img")).to_have_count(2)
        keep(page, f"{scheme}-{width}")
        unfold(page)

        assert findings(page) == {}
        assert not is_wider_than_the_screen(page)
        page.get_by_role("tab", name="Payments").click()
        wait_for_rows(page)
        keep(page, f"{scheme}-{width}-payments-unfolded")
        assert findings(page) == {}
        visit.assert_quiet()


@needs_axe
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong_where_something_is(
    wounded: World, scheme: Literal["dark", "light"]
) -> None:
    with shown(wounded.url, width=360, scheme=scheme) as visit:
        page = visit.page
        wait_for_rows(page)
        expect(page.get_by_text("Unavailable").first).to_be_visible()
        keep(page, f"{scheme}-360-unavailable")

        assert findings(page) == {}
        assert not is_wider_than_the_screen(page)
        visit.assert_quiet()


@needs_axe
def test_axe_finds_nothing_wrong_before_a_customer_is_chosen(served: World) -> None:
    with visiting(f"{served.url}/dashboard", scheme="dark") as visit:
        page = visit.page
        expect(page.get_by_role("link", name=REFERENCE)).to_be_visible()
        keep(page, "customers")

        assert findings(page) == {}


@needs_axe
def test_axe_would_find_what_is_wrong(served: World) -> None:
    with visiting(f"{served.url}/dashboard") as visit:
        visit.page.evaluate("""() => {
          const faint = document.createElement("p")
          faint.textContent = "hardly to be read"
          faint.style.color = "#ddd"
          document.querySelector("main").append(faint, document.createElement("input"))
        }""")

        assert {"serious color-contrast", "critical label"} <= set(findings(visit.page))


def test_colours_follow_the_system_until_they_are_chosen(served: World) -> None:
    with shown(served.url, scheme="dark") as visit:
        page = visit.page
        ground = "getComputedStyle(document.documentElement).backgroundColor"
        colours = page.get_by_label("Colours")
        dark = page.evaluate(ground)
        page.emulate_media(color_scheme="light")
        light = page.evaluate(ground)
        colours.select_option("Dark")
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        chosen = page.evaluate(ground)
        page.reload()
        expect(colours).to_have_value("dark")
        kept = page.evaluate(ground)

        assert dark != light
        assert (chosen, kept) == (dark, dark)
        visit.assert_quiet()


def press(page: Page, key: str = "Tab") -> str:
    """Press a key and return the name of what is in focus then, which has to be seen."""
    page.keyboard.press(key)
    page.wait_for_timeout(50)
    focused = page.evaluate(_FOCUSED)
    assert focused["isRinged"], focused
    assert focused["isInside"], focused
    return str(focused["name"])


def press_until(page: Page, name: str) -> list[str]:
    """Press Tab until what is named so is in focus; returns all that was on the way."""
    passed: list[str] = []
    while not passed or not passed[-1].startswith(name):
        assert len(passed) < 60, passed
        passed.append(press(page))
    return passed


def test_the_keyboard_reaches_everything_and_shows_where_it_is(served: World) -> None:
    with visiting(f"{served.url}/dashboard") as visit:
        page = visit.page
        expect(page.get_by_role("link", name=REFERENCE)).to_be_visible()
        assert press(page) == "Skip to the customer"
        press_until(page, "Customer")
        page.keyboard.type(REFERENCE)
        page.keyboard.press("Enter")
        wait_for_rows(page)
        passed = press_until(page, "Filters")
        page.keyboard.press("Enter")
        passed += press_until(page, "cloud")
        page.keyboard.press("Space")
        expect(page.get_by_text("Filters (1 is set)")).to_be_visible()
        wait_until_read(page)
        passed += press_until(page, "Set none")
        page.keyboard.press("Enter")
        wait_for_rows(page)
        passed += press_until(page, "The figures as a table")
        page.keyboard.press("Enter")
        expect(page.get_by_role("table")).to_be_visible()
        passed += press_until(page, "Credit changes")
        assert press(page, "ArrowRight") == "Payments"
        wait_for_rows(page)
        assert press(page, "ArrowLeft") == "Credit changes"
        wait_for_rows(page)
        expect(page.get_by_text("180 entries in all")).to_be_visible()
        first = ids(page)
        page.get_by_role("link", name="Skip to the history").focus()
        page.keyboard.press("Enter")
        assert press(page) == "Credit changes"
        assert press(page) == "Show more"
        page.keyboard.press("Enter")
        expect(page.locator(f'[data-entry="{first[-1]}"] + [data-entry]')).to_be_focused()
        assert press(page) == "Show more"
        expect(rows(page)).to_have_count(2 * len(first))
        address = page.url
        visit.assert_quiet()

    names = " ".join(passed)
    for name in ("Show", "Colours", "Token", "Read anew", "From", "Direction", "Spending", "By"):
        assert name in names
    assert f"customer={REFERENCE}" in address


def test_a_place_that_is_not_seen_would_be_noticed(served: World) -> None:
    with shown(served.url) as visit:
        page = visit.page
        wait_for_rows(page)
        page.evaluate("""() => {
          const sheet = new CSSStyleSheet()
          sheet.replaceSync(":focus-visible { outline: none !important }")
          document.adoptedStyleSheets.push(sheet)
        }""")

        with pytest.raises(AssertionError, match="isRinged"):
            press(page)


def test_a_token_is_asked_for_and_kept_in_the_tab_alone(served: World) -> None:
    written = by_library(SECRET, scope="credits:read", customer=REFERENCE)
    with (
        guarded(served, development_key=SECRET) as closed,
        visiting(f"{closed.url}/dashboard") as visit,
    ):
        page = visit.page
        field = page.get_by_label("Token or API key")
        expect(page.get_by_role("alert")).to_contain_text("The gateway asks for a token")
        expect(field).to_be_visible()
        keep(page, "a-token-is-asked-for")
        field.fill("none-that-is-good")
        field.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("does not accept the one")
        field.fill(written)
        field.press("Enter")
        # The caller's own customer is shown without being named.
        wait_for_rows(page)
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        page.reload()
        wait_for_rows(page)
        elsewhere = page.evaluate("JSON.stringify({...localStorage}) + document.cookie")
        kept = page.evaluate("JSON.stringify({...sessionStorage})")
        address = page.url
        page.get_by_text("Token: given").click()
        page.get_by_role("button", name="Forget it").click()
        expect(page.get_by_role("alert")).to_contain_text("The gateway asks for a token")
        left = page.evaluate("JSON.stringify({...sessionStorage})")
        expect(rows(page)).to_have_count(0)
        visit.assert_quiet()

    assert written in kept  # the control: this is where it would be found
    assert written not in elsewhere
    assert written not in address
    assert written not in left


def test_who_may_see_one_customer_is_not_shown_another(served: World) -> None:
    written = by_library(SECRET, scope="credits:read", customer="C-1002")
    with guarded(served, development_key=SECRET) as closed, shown(closed.url) as visit:
        page = visit.page
        page.get_by_label("Token or API key").fill(written)
        page.get_by_role("button", name="Use it").click()

        expect(page.get_by_role("alert")).to_contain_text("There is no such customer")
        assert rows(page).count() == 0
        visit.assert_quiet()


def test_customers_are_found_by_a_part_of_their_name(served: World) -> None:
    told = served.data("{ customers { nodes { reference displayName } } }")["customers"]["nodes"]
    second = told[1]
    with visiting(f"{served.url}/dashboard") as visit:
        page = visit.page
        page.get_by_label("Customer", exact=True).fill(second["displayName"][1:-1].lower())
        suggested = page.locator("datalist option")
        expect(suggested).to_have_count(1)
        reference = suggested.get_attribute("value")
        page.get_by_role("link", name=second["reference"]).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(second["displayName"])
        expect(page.get_by_role("main")).to_be_focused()
        page.go_back()
        expect(page.get_by_role("heading", level=1)).to_have_text("Customers")
        visit.assert_quiet()

    assert reference == second["reference"]


def test_a_narrow_screen_scrolls_the_same_rows(served: World) -> None:
    with shown(served.url) as wide:
        wait_for_rows(wide.page)
        wanted = ids(wide.page)
    with shown(served.url, width=360) as visit:
        page = visit.page
        wait_for_rows(page)
        scroll_on(page, len(wanted) + 1)
        wait_until_read(page)

        assert ids(page)[: len(wanted)] == wanted
        assert not is_wider_than_the_screen(page)
        visit.assert_quiet()
