"""GraphiQL in a real browser that reaches nothing but the gateway."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from browsing import (
    Visit,
    needs_browser,
    needs_build,
    open_tab,
    opened,
    press_run,
    run,
    visiting,
    wait_for_editors,
    wait_until,
    write,
)
from issuing import by_library, guarded
from playwright.sync_api import Page, expect
from world import World, world

from app.api.schema import schema

pytestmark = [needs_browser, needs_build]

SECRET = "a-development-key-of-the-tests-alone"
ACCOUNT = """{ customer(reference: "C-1001") {
  accounts { id provider { name } } } }"""
REFRESH = "mutation($id: ID!) { refreshAccount(input: { accountId: $id }) { account { id } } }"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("web"), entries=60) as one:
        yield one


@pytest.fixture
def visit(served: World) -> Iterator[Visit]:
    with opened(served.url) as one:
        yield one


def rows(answer: dict[str, Any]) -> list[Any]:
    assert "errors" not in answer
    found: list[Any] = answer["data"]["customer"]["creditChanges"]["nodes"]
    return found


def open_docs(page: Page) -> None:
    page.get_by_role("button", name="Show Documentation Explorer").click()


def token() -> str:
    return by_library(SECRET, scope="credits:read:any accounts:write:any")


def test_the_first_example_runs_and_pages(served: World, visit: Visit) -> None:
    page = visit.page

    asked, first = run(page)
    expect(page.locator(".result-window")).to_contain_text(rows(first)[0]["occurredAt"])
    cursor = first["data"]["customer"]["creditChanges"]["pageInfo"]["endCursor"]
    write(page, "Variables", json.dumps({"reference": "C-1001", "after": cursor}))
    _, second = run(page)

    both = asked["query"].replace("first: 10", "first: 20")
    assert rows(first) + rows(second) == rows(served.ask(both, asked["variables"]))
    assert page.title() == "Credit Gateway"
    visit.assert_quiet()


def test_every_query_in_a_tab_is_answered(visit: Visit) -> None:
    page = visit.page
    answers = {}

    for name in ("Payments", "Balances", "CreditOverTime"):
        open_tab(page, name)
        answers[name] = run(page)[1]

    for answer in answers.values():
        assert "errors" not in answer
    assert len(answers["Payments"]["data"]["customer"]["payments"]["nodes"]) == 10
    assert answers["Balances"]["data"]["customer"]["balances"]
    assert answers["CreditOverTime"]["data"]["customer"]["creditSummary"]["units"]
    visit.assert_quiet()


def test_the_docs_are_read(visit: Visit) -> None:
    page = visit.page

    open_docs(page)
    page.get_by_role("link", name="Query", exact=True).click()
    page.get_by_role("link", name="customer", exact=True).click()

    query = schema._schema.query_type
    assert query
    described = query.fields["customer"].description
    assert described
    expect(page.locator(".graphiql-doc-explorer")).to_contain_text(described.split(";")[0])
    visit.assert_quiet()


def test_where_a_token_is_needed_the_docs_load_once_it_is_written(served: World) -> None:
    written = token()
    with (
        guarded(served, development_key=SECRET) as closed,
        opened(closed.url) as visit,
    ):
        page = visit.page
        open_docs(page)
        expect(page.locator(".graphiql-doc-explorer")).to_contain_text("Error fetching schema")
        _, refused = run(page)
        write(page, "Headers", json.dumps({"Authorization": f"Bearer {written}"}))
        expect(page.get_by_role("link", name="Query", exact=True)).to_be_visible()
        _, first = run(page)
        # The next tab shows the same headers, as it has none of its own.
        open_tab(page, "Payments")
        _, next_one = run(page)
        kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
        visit.assert_quiet()

    assert refused["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert rows(first)
    assert next_one["data"]["customer"]["payments"]["nodes"]
    assert "C-1001" in kept  # the control: what is typed is kept for this tab
    assert written not in kept
    assert "Authorization" not in kept


def test_a_subscription_is_told_over_a_socket_that_sends_the_headers(served: World) -> None:
    with (
        guarded(served, development_key=SECRET) as closed,
        opened(closed.url) as visit,
    ):
        page = visit.page
        closed.http.headers["Authorization"] = f"Bearer {token()}"
        accounts = closed.data(ACCOUNT)["customer"]["accounts"]
        hosting = next(one["id"] for one in accounts if one["provider"]["name"] == "hosting")
        write(page, "Headers", json.dumps({"Authorization": f"Bearer {token()}"}))
        open_tab(page, "NewCreditChanges")
        with page.expect_websocket() as socket:
            press_run(page)
        socket.value.wait_for_event("framereceived", lambda frame: "connection_ack" in frame)
        shown = page.locator(".result-window")
        for _ in range(20):  # what comes before the gateway listens is not told
            closed.sandbox.add_entry("hostup", "credit_changes", "C-1001")
            closed.data(REFRESH, {"id": hosting})
            page.wait_for_timeout(500)
            if "creditChangeAdded" in shown.inner_text():
                break

        expect(shown).to_contain_text("creditChangeAdded")
        expect(shown).not_to_contain_text("errors")
        page.get_by_role("button", name="Stop query").click()
        visit.assert_quiet()


def test_a_tab_that_is_loaded_again_is_as_it_was(visit: Visit) -> None:
    page = visit.page
    write(page, "Variables", '{"reference": "C-1002"}')
    open_tab(page, "Balances")

    page.reload()
    wait_for_editors(page)
    open_tab(page, "CreditHistory")
    asked, _ = run(page)

    assert asked["variables"] == {"reference": "C-1002"}
    assert page.locator(".graphiql-tab").count() == 5
    visit.assert_quiet()


def forbidden(visit: Visit) -> set[str]:
    """Return what the page wanted to do that its policy does not let it do."""
    return {violation.split()[0] for violation in visit.violations}


def test_a_forbidden_script_picture_or_socket_would_be_noticed(served: World, visit: Visit) -> None:
    page = visit.page

    page.evaluate("""() => {
      document.body.append(Object.assign(document.createElement("script"), { text: "1" }))
      document.body.append(Object.assign(new Image(), { src: "http://outside.invalid/a.png" }))
      try { new WebSocket("ws://outside.invalid/graphql") } catch {}
      new WebSocket(location.href.replace("http", "ws"), "graphql-transport-ws")
    }""")
    wait_until(page, lambda: len(forbidden(visit)) == 3)
    page.wait_for_timeout(300)

    assert forbidden(visit) == {"script-src-elem", "img-src", "connect-src"}
    assert not any(served.url.partition(":")[2] in one for one in visit.violations)
    assert visit.outside == []  # the policy is before the network
    with pytest.raises(AssertionError):
        visit.assert_quiet()


def test_text_is_not_run_as_code(visit: Visit) -> None:
    page = visit.page

    page.evaluate("""() => {
      const run = document.createElement("button")
      run.setAttribute("onclick", "document.title = 'run'")
      document.body.append(run)
      run.click()
    }""")

    assert page.title() == "Credit Gateway"
    assert [one.split()[0] for one in visit.violations] == ["script-src-attr"]


def test_a_request_to_outside_would_be_noticed(served: World) -> None:
    with visiting(f"{served.url}/livez") as visit:  # which has no policy
        visit.page.evaluate("""() => {
          document.body.append(Object.assign(new Image(), { src: "http://outside.invalid/a.png" }))
          new WebSocket("ws://outside.invalid/graphql")
        }""")
        wait_until(visit.page, lambda: len(visit.outside) == 2)

    assert sorted(visit.outside) == ["http://outside.invalid/a.png", "ws://outside.invalid/graphql"]
    with pytest.raises(AssertionError):
        visit.assert_quiet()
