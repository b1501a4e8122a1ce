"""The dashboard as it is used and as it is seen, and the API's own rows to compare it with."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode

from browsing import Visit, visiting
from playwright.sync_api import FloatRect, Locator, Page, WebSocketRoute, expect
from world import World

REFERENCE = "C-1001"
# `dist/` is kept by no repository; whoever runs the tests may name another folder.
SCREENSHOTS = Path(os.environ.get("SCREENSHOTS", Path(__file__).parents[2] / "dist/screenshots"))
_LISTS = {
    "changes": ("creditChanges", "CreditChangeFilter"),
    "payments": ("payments", "PaymentFilter"),
}
_REFRESH = "mutation($id: ID!) { refreshAccount(input: { accountId: $id }) { account { id } } }"
_ACCOUNTS = """query($reference: String!) { customer(reference: $reference) {
  accounts { id label provider { name } } } }"""
# As often as a history of the tests' size needs it.
_MOST_SCREENS = 60
_ALL = 1_000_000
# Of a list, the rest looks the same.
_PICTURED = 2600.0


@contextmanager
def shown(
    gateway: str,
    *,
    width: int = 1280,
    scheme: Literal["dark", "light"] = "light",
    locale: str = "en-US",
    time_zone: str = "UTC",
    **place: str | list[str],
) -> Iterator[Visit]:
    """Open the dashboard at a place of a gateway, by default at the first customer."""
    query = urlencode({"customer": REFERENCE, **place}, doseq=True)
    url = f"{gateway}/dashboard?{query}"
    with visiting(url, width=width, scheme=scheme, locale=locale, time_zone=time_zone) as visit:
        yield visit


@dataclass
class Line:
    """What WebSockets of a page go through, which can be cut."""

    connections: list[WebSocketRoute] = field(default_factory=list)
    is_cut: bool = False

    def lead(self, connection: WebSocketRoute) -> None:
        """Connect to the server, or refuse as a server does that is about to start."""
        if self.is_cut:
            connection.close(code=1013, reason="Too many streams are open")
            return
        self.connections.append(connection)
        connection.connect_to_server()

    def cut(self) -> None:
        self.is_cut = True
        for connection in self.connections:
            connection.close(code=1012, reason="The service restarts")


def rows(page: Page) -> Locator:
    return page.locator("[data-entry]")


def ids(page: Page) -> list[str]:
    """Return the ids of all rows that are there, from the top."""
    found: list[str] = rows(page).evaluate_all("all => all.map(one => one.dataset.entry)")
    return found


def wait_for_rows(page: Page) -> None:
    expect(rows(page).first).to_be_visible()
    wait_until_read(page)


def wait_until_read(page: Page) -> None:
    expect(page.locator(".rows")).to_have_attribute("aria-busy", "false")


def scroll_on(page: Page, least: int) -> None:
    """Scroll down, a screen at a time, until there are so many rows or no more."""
    for _ in range(_MOST_SCREENS):
        if rows(page).count() >= least or page.get_by_text("That is all.").is_visible():
            return
        page.mouse.wheel(0, 2500)
        page.wait_for_timeout(150)
        wait_until_read(page)
    raise AssertionError(f"{rows(page).count()} rows after {_MOST_SCREENS} screens")


def scroll_to_the_end(page: Page) -> list[str]:
    """Return the ids of all rows once there are no more."""
    scroll_on(page, _ALL)
    return ids(page)


def of_the_api(
    world: World, name: str = "changes", where: Mapping[str, object] | None = None
) -> list[dict[str, Any]]:
    """Return all rows of a list as the API pages them."""
    field, filter_type = _LISTS[name]
    query = f"""query($reference: String!, $after: String, $where: {filter_type}) {{
      customer(reference: $reference) {{ {field}(first: 100, after: $after, filter: $where) {{
        nodes {{ id amount {{ amount unit }} account {{ id }} }}
        pageInfo {{ hasNextPage endCursor }} }} }} }}"""
    found: list[dict[str, Any]] = []
    after = None
    while True:
        variables = {"reference": REFERENCE, "after": after, "where": where}
        answer = world.ask(query, variables)["data"]["customer"][field]
        found += answer["nodes"]
        after = answer["pageInfo"]["endCursor"]
        if not answer["pageInfo"]["hasNextPage"]:
            return found


def api_ids(
    world: World, name: str = "changes", where: Mapping[str, object] | None = None
) -> list[str]:
    return [row["id"] for row in of_the_api(world, name, where)]


def account(world: World, provider: str, label: str | None = None) -> str:
    """Return the id of the first account at a provider."""
    accounts = world.data(_ACCOUNTS, {"reference": REFERENCE})["customer"]["accounts"]
    return next(
        str(one["id"])
        for one in accounts
        if one["provider"]["name"] == provider and label in {None, one["label"]}
    )


def refresh(world: World, account_id: str) -> None:
    world.data(_REFRESH, {"id": account_id})


def source(page: Page, provider: str) -> Locator:
    """Return the card of the first source of a provider."""
    cards = page.get_by_role("region", name="Sources of").get_by_role("listitem")
    return cards.filter(has_text=f"{provider} ·").first


def keep(page: Page, name: str) -> None:
    """Keep the upper part of the page as a picture."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    screen = page.viewport_size
    assert screen
    upper = FloatRect(x=0, y=0, width=screen["width"], height=_PICTURED)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True, clip=upper)
