"""The dashboard in a real browser that reaches nothing but the gateway: what it shows."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from browsing import Visit, needs_browser, needs_build, visiting
from dashboards import (
    REFERENCE,
    Line,
    account,
    api_ids,
    ids,
    keep,
    of_the_api,
    refresh,
    rows,
    scroll_on,
    scroll_to_the_end,
    shown,
    source,
    wait_for_rows,
    wait_until_read,
)
from playwright.sync_api import Page, expect
from world import World, world

pytestmark = [needs_browser, needs_build]

# As long as the page gathers what it is told, and then some.
_GATHERED_MS = 800
SUMMARY = """query($reference: String!) { customer(reference: $reference) {
  creditSummary(timeZone: "UTC") { units {
    unit received { amount } spent { amount } net { amount }
    series { received { amount } spent { amount } net { amount } cumulative { amount } } } } } }"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("dashboard"), entries=120) as one:
        yield one


@pytest.fixture
def visit(served: World) -> Iterator[Visit]:
    with shown(served.url) as one:
        wait_for_rows(one.page)
        yield one


def number(text: str) -> str:
    """Return the digits of an amount as it is shown in en-US, with its sign and its point."""
    return re.sub(r"[^0-9.+-]", "", text.replace("\u2212", "-"))


def exactly(amount: str) -> str:
    """Return an amount as the page shows it: with the two decimals of these currencies, if any."""
    whole, _, parts = amount.partition(".")
    return f"{whole}.{parts:0<2}"


def test_five_pages_are_scrolled_without_a_repeated_row_and_are_the_apis(
    served: World, visit: Visit
) -> None:
    page = visit.page

    first = ids(page)
    scroll_on(page, 250)
    wait_until_read(page)

    found = ids(page)
    assert len(first) < len(found)
    assert len(found) >= 250
    assert len(found) == len(set(found))
    assert found == api_ids(served)[: len(found)]
    bodies = [json.loads(one.post_data or "{}") for one in visit.asked if one.method == "POST"]
    after = [one["variables"]["after"] for one in bodies if "CreditChanges" in one["query"]]
    assert len(set(after)) >= 5  # each page is named by a cursor of its own
    visit.assert_quiet()


def test_nothing_but_the_page_and_the_public_api_is_asked(served: World, visit: Visit) -> None:
    expect(visit.page.get_by_text("Live", exact=True)).to_be_visible()

    paths = {urlsplit(one.url).path for one in visit.asked}

    own = {path for path in paths if path.startswith("/dashboard/assets/")}
    assert own
    assert paths - own == {"/dashboard", "/graphql"}
    assert all(one.url.startswith(served.url) for one in visit.asked)


def test_each_amount_is_the_apis_to_the_last_digit(served: World, visit: Visit) -> None:
    shown_amounts = visit.page.locator("[data-entry] .sum > b").all_inner_texts()

    told = [row["amount"] for row in of_the_api(served)[: len(shown_amounts)]]
    assert len(shown_amounts) >= 50
    for text, amount in zip(shown_amounts, told, strict=True):
        value = amount["amount"] if amount["amount"].startswith("-") else f"+{amount['amount']}"
        assert number(text) == (value if amount["unit"] == "points" else exactly(value))


def test_an_amount_beyond_a_float_is_shown_with_all_its_digits(tmp_path: Path) -> None:
    with world(tmp_path, entries=3) as one:
        entry = {"amount": 2**53 + 1}
        one.sandbox.add_entry("carecloud", "credit_changes", REFERENCE, entry=entry)
        with shown(one.url) as visit:
            wait_for_rows(visit.page)

            # A float has no such number, and would say …992.
            shown_amount = rows(visit.page).first.locator(".sum > b")
            expect(shown_amount).to_have_text("+CZK\u00a09,007,199,254,740,993.00")
            visit.assert_quiet()


def test_numbers_and_dates_are_the_viewers_own(served: World) -> None:
    with shown(served.url, locale="sv-SE", time_zone="Europe/Stockholm") as visit:
        wait_for_rows(visit.page)
        row = rows(visit.page).filter(has_text="hosting").first

        expect(row.locator(".sum > b")).to_have_text("\u221244,00\u00a0kr")
        expect(row.locator("time")).to_contain_text("1 nov. 2026 13:00")
        assert visit.page.locator("html").get_attribute("lang") == "en"
        visit.assert_quiet()


def test_payments_are_a_list_of_their_own(served: World, visit: Visit) -> None:
    page = visit.page

    page.get_by_role("tab", name="Payments").click()
    expect(page.get_by_role("heading", name="Sources of payments")).to_be_visible()
    wait_for_rows(page)
    found = scroll_to_the_end(page)

    assert found == api_ids(served, "payments")
    expect(source(page, "loyalty")).to_contain_text("Not offered")
    visit.assert_quiet()


def test_filters_narrow_the_list_as_the_api_does_and_stay_in_the_address(served: World) -> None:
    with shown(served.url, time_zone="Europe/Stockholm") as visit:
        page = visit.page
        wait_for_rows(page)
        page.get_by_text("Filters", exact=True).click()
        page.get_by_label("From", exact=True).fill("2026-01-01")
        page.get_by_label("To, included").fill("2026-09-30")
        page.get_by_label("Direction").select_option("OUT")
        page.get_by_label("cloud", exact=True).check()
        page.get_by_label("hosting", exact=True).check()
        page.get_by_label("Spending", exact=True).check()
        page.get_by_label("Largest amount").fill("-20")
        page.get_by_label("Text", exact=True).fill("a")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Filters (7 are set)")).to_be_visible()
        wait_for_rows(page)
        found = scroll_to_the_end(page)
        page.reload()
        wait_for_rows(page)
        again = scroll_to_the_end(page)
        expect(page.get_by_role("region", name="Over time")).to_be_visible()
        visit.assert_quiet()

    where = {
        "from": "2025-12-31T23:00:00Z",
        "to": "2026-09-30T22:00:00Z",
        "direction": "OUT",
        "providers": ["cloud", "hosting"],
        "kinds": ["SPEND"],
        "maxAmount": "-20",
        "text": "a",
    }
    assert found == api_ids(served, where=where)
    assert again == found
    assert 0 < len(found) < len(api_ids(served))


def test_a_filter_that_cannot_be_is_refused_where_it_is_written(visit: Visit) -> None:
    page = visit.page
    before = ids(page)
    page.get_by_text("Filters", exact=True).click()

    page.get_by_label("Least amount").fill("twelve")
    page.get_by_label("Least amount").press("Enter")

    assert page.get_by_label("Least amount").evaluate("one => one.validity.patternMismatch")
    assert ids(page) == before
    assert "min=" not in page.url


def test_units_are_shown_one_at_a_time_and_as_the_api_sums_them(
    served: World, visit: Visit
) -> None:
    page = visit.page
    told = served.data(SUMMARY, {"reference": REFERENCE})["customer"]["creditSummary"]["units"]
    over_time = page.get_by_role("region", name="Over time")
    page.get_by_text("The figures as a table").click()

    for unit in told:
        over_time.get_by_role("radio", name=unit["unit"]).check()
        as_shown = str if unit["unit"] == "points" else exactly
        totals = [number(one) for one in over_time.locator(".totals dd").all_inner_texts()]
        cells = [number(one) for one in over_time.locator("td").all_inner_texts()]

        assert totals == [as_shown(unit[one]["amount"]) for one in ("received", "spent", "net")]
        assert cells == [
            as_shown(point[one]["amount"])
            for point in unit["series"]
            for one in ("received", "spent", "net", "cumulative")
        ]
        assert over_time.get_by_role("img", name=f", {unit['unit']}.").count() == 2
    assert len(told) == 4


def test_a_stale_source_and_a_drift_are_told(tmp_path: Path) -> None:
    with world(tmp_path, entries=20) as one, shown(one.url) as visit:
        page = visit.page
        wait_for_rows(page)
        balances = page.get_by_role("region", name="Balances")
        expect(balances.get_by_role("listitem")).to_have_count(4)
        expect(balances.get_by_text("not known yet")).to_have_count(0)
        drifts = balances.locator(".drift")
        before = drifts.count()
        one.sandbox.add_entry("hostup", "credit_changes", REFERENCE, entry={"in": "5.00"})
        fault = {"kind": "status", "status": 503, "path": "/billing/credit-log"}
        one.sandbox.set_fault("hostup", fault)
        one.clock.ahead += timedelta(minutes=2)
        page.get_by_role("button", name="Read anew").click()

        expect(source(page, "hosting")).to_contain_text("Stale")
        expect(source(page, "hosting")).to_contain_text("As it was")
        expect(drifts).to_have_text(["+SEK\u00a05.00"])
        assert before == 0
        expect(page.get_by_text("shown without:")).to_have_count(0)  # all that is known is there
        visit.assert_quiet()


def test_a_dead_provider_is_shown_as_such_and_is_whole_once_it_is_back(tmp_path: Path) -> None:
    with world(tmp_path, entries=120) as one:
        one.sandbox.set_fault("hostup", {"kind": "status", "status": 503})
        with shown(one.url) as visit:
            page = visit.page
            wait_for_rows(page)
            scroll_on(page, 150)
            wait_until_read(page)
            dead = source(page, "hosting")
            expect(dead).to_contain_text("Unavailable")
            expect(dead).to_contain_text("UPSTREAM_UNAVAILABLE")
            expect(source(page, "cloud")).to_contain_text("Fresh")
            panel = page.get_by_role("tabpanel")
            expect(panel).to_contain_text("Credit changes are shown without:")
            expect(panel).to_contain_text("hosting · Hosting:")
            expect(page.get_by_role("region", name="Over time")).to_contain_text("without:")
            without = ids(page)
            keep(page, "a-dead-provider")
            assert without == api_ids(one)[: len(without)]

            one.sandbox.clear_fault("hostup")
            one.clock.ahead += timedelta(minutes=2)
            page.get_by_role("button", name="Read anew").click()
            expect(dead).to_contain_text("Fresh")
            wait_until_read(page)
            whole = scroll_to_the_end(page)

            assert whole == api_ids(one)
            assert not set(whole[: len(without)]) <= set(without)
            expect(panel).not_to_contain_text("without:")
            visit.assert_quiet()


def add(one: World, page: Page, provider: str = "hostup") -> None:
    """Add an entry, and let the gateway see it, as it does by itself after a while."""
    one.sandbox.add_entry(provider, "credit_changes", REFERENCE)
    refresh(one, account(one, "hosting", "Hosting"))
    page.wait_for_timeout(100)


def test_a_new_entry_appears_on_top_live_and_the_place_is_kept(tmp_path: Path) -> None:
    with world(tmp_path, entries=120) as one, shown(one.url) as visit:
        page = visit.page
        wait_for_rows(page)
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        scroll_on(page, 100)
        wait_until_read(page)
        before = ids(page)
        looked_at = page.locator(f'[data-entry="{before[70]}"]')
        looked_at.scroll_into_view_if_needed()
        page.wait_for_timeout(300)
        place = looked_at.bounding_box()
        for _ in range(20):  # what comes before the gateway listens is not told
            add(one, page)
            page.wait_for_timeout(900)
            if ids(page)[0] != before[0]:
                break
        wait_until_read(page)
        page.wait_for_timeout(500)

        after = ids(page)
        assert after == api_ids(one)[: len(after)]
        assert len(after) == len(set(after))
        assert after[0] not in before
        now = looked_at.bounding_box()
        assert place
        assert now
        assert abs(now["y"] - place["y"]) <= 1
        page.get_by_role("button", name="new entr").click()
        expect(rows(page).first).to_be_in_viewport()
        expect(rows(page).first).to_have_class("new")
        keep(page, "a-new-entry")
        visit.assert_quiet()


def test_a_payment_that_changes_is_shown_as_it_is_now(tmp_path: Path) -> None:
    with world(tmp_path, entries=60) as one, shown(one.url, list="payments") as visit:
        page = visit.page
        wait_for_rows(page)
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        paid = rows(page).filter(has_text="hosting · Hosting").filter(has_text="Paid").first
        changed = paid.get_attribute("data-entry")
        before = ids(page)
        shown_one = page.locator(f'[data-entry="{changed}"]')
        index = api_ids(one, "payments", {"accounts": [account(one, "hosting", "Hosting")]})
        one.sandbox.change_entry(
            "hostup",
            "payments",
            REFERENCE,
            index=index.index(str(changed)),
            entry={"status": "Refunded"},
        )
        refresh(one, account(one, "hosting", "Hosting"))

        expect(shown_one).to_contain_text("Refunded")
        expect(shown_one).not_to_contain_text("Paid")
        assert ids(page)[: len(before)] == before
        visit.assert_quiet()


def test_sources_are_asked_for_again_each_minute_that_the_page_is_seen(tmp_path: Path) -> None:
    with world(tmp_path, entries=10) as one, visiting(f"{one.url}/livez") as visit:
        page = visit.page
        page.clock.install()
        page.goto(f"{one.url}/dashboard?customer={REFERENCE}")
        wait_for_rows(page)
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        page.clock.run_for(_GATHERED_MS)
        wait_until_read(page)
        expect(source(page, "hosting")).to_contain_text("Fresh")
        one.sandbox.set_fault("hostup", {"kind": "status", "status": 503})
        one.clock.ahead += timedelta(minutes=2)

        page.clock.run_for(30_000)  # its clock goes on by itself, too
        wait_until_read(page)
        expect(source(page, "hosting")).to_contain_text("Fresh")
        page.clock.run_for(35_000)
        expect(source(page, "hosting")).to_contain_text("Stale")
        visit.assert_quiet()


def test_what_came_while_the_connection_was_lost_is_shown_once(tmp_path: Path) -> None:
    with world(tmp_path, entries=60) as one, shown(one.url) as visit:
        page = visit.page
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        line = Line()
        page.route_web_socket("**/graphql", line.lead)
        page.reload()
        wait_for_rows(page)
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        page.wait_for_timeout(_GATHERED_MS)
        wait_until_read(page)
        before = ids(page)
        line.cut()
        expect(page.get_by_text("Connecting again …")).to_be_visible()
        add(one, page)
        missed = ids(page)
        line.is_cut = False
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        expect(rows(page)).not_to_have_count(len(before))
        wait_until_read(page)

        after = ids(page)
        assert missed == before  # the control: nothing else told it
        assert after == api_ids(one)[: len(after)]
        assert len(after) == len(before) + 1
        assert len(line.connections) == 2


def test_a_gateway_that_is_away_is_told_in_plain_words(visit: Visit) -> None:
    page = visit.page
    visit.expected = (*visit.expected, "Failed to load resource: net::ERR_FAILED")
    before = ids(page)
    page.route("**/graphql", lambda route: route.abort())

    page.get_by_role("button", name="Read anew").click()

    expect(page.get_by_role("alert")).to_contain_text("The gateway cannot be reached.")
    during = ids(page)
    page.unroute("**/graphql")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    assert during == before
    assert ids(page)[: len(before)] == before
    visit.assert_quiet()


def test_a_customer_that_is_not_there_is_told_so(served: World) -> None:
    with shown(served.url, customer="C-9999") as visit:
        expect(visit.page.get_by_role("alert")).to_contain_text("There is no such customer")
        visit.assert_quiet()
