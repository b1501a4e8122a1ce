"""A provider that fails costs its own entries or their freshness, and the answer says so."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any

import pytest
from lists import at, until
from world import World, gateway, import_customers, world

from app import settings

PROVIDERS = {"cloud": "cloudreve", "hosting": "hostup", "loyalty": "carecloud"}
FAULTS: Mapping[str, tuple[dict[str, Any], str]] = {
    "503": ({"kind": "status", "status": 503}, "UPSTREAM_UNAVAILABLE"),
    "429": (
        {"kind": "status", "status": 429, "headers": {"Retry-After": "7"}},
        "UPSTREAM_RATE_LIMITED",
    ),
    "hang": ({"kind": "hang"}, "UPSTREAM_TIMEOUT"),
    "html": ({"kind": "html"}, "UPSTREAM_INVALID_RESPONSE"),
    "truncated": ({"kind": "truncate"}, "UPSTREAM_INVALID_RESPONSE"),
}
CASES = [(name, fault) for name in PROVIDERS for fault in FAULTS]
QUERY = """{ customer(reference: "C-1001") {
  changes: creditChanges(first: 100) {
    nodes { id occurredAt account { provider { name } } }
    totalCount
    sources { state readAt account { provider { name } status } error { code message retryAt } } }
  payments(first: 100) {
    nodes { id createdAt account { provider { name } } }
    sources { state readAt account { provider { name } status } error { code message retryAt } } }
} providers { name state since } }"""
SHORT = {f"GATEWAY_PROVIDERS__{name.upper()}__TIMEOUT": "700ms" for name in PROVIDERS}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("partial"), entries=20) as one:
        yield one


@pytest.fixture(scope="module")
def whole(served: World) -> dict[str, Any]:
    """Return what is answered while all is well."""
    customer: dict[str, Any] = served.data(QUERY)["customer"]
    assert len(customer["changes"]["nodes"]) == 60
    return customer


@pytest.fixture
def cold(served: World, request: pytest.FixtureRequest) -> Iterator[World]:
    """Serve a gateway that has read nothing, impatient where a provider is to hang."""
    hangs = request.node.name.endswith("-hang]")
    configured = settings.load(served.folder / "gateway.toml", SHORT if hangs else {})
    with ExitStack() as stack:
        for provider in PROVIDERS.values():
            stack.callback(served.sandbox.clear_fault, provider)
        yield stack.enter_context(gateway(configured, served.sandbox, served.folder))


def without(rows: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["account"]["provider"]["name"] != name]


def source_of(page: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (one for one in page["sources"] if one["account"]["provider"]["name"] == name)
    source: dict[str, Any] = found
    return source


def lists_of(name: str) -> list[str]:
    return ["changes"] if name == "loyalty" else ["changes", "payments"]


@pytest.mark.parametrize(("name", "fault"), CASES)
def test_a_dead_provider_is_named_the_others_are_served_and_it_recovers(
    cold: World, whole: dict[str, Any], name: str, fault: str
) -> None:
    wish, code = FAULTS[fault]
    cold.sandbox.set_fault(PROVIDERS[name], wish)

    answer = cold.ask(QUERY)
    cold.sandbox.clear_fault(PROVIDERS[name])
    too_soon = cold.ask(QUERY)
    cold.clock.ahead += timedelta(seconds=8)
    healed = cold.ask(QUERY)

    customer = answer["data"]["customer"]
    assert {tuple(error["path"]) for error in answer["errors"]} == {
        ("customer", which) for which in lists_of(name)
    }
    assert len(answer["errors"]) == len(lists_of(name))
    for error in answer["errors"]:
        assert error["extensions"]["code"] == code
        assert error["extensions"]["provider"] == name
        assert name in error["message"]
    for which in lists_of(name):
        assert customer[which]["nodes"] == without(whole[which]["nodes"], name)
        source = source_of(customer[which], name)
        assert source["state"] == "UNAVAILABLE"
        assert source["error"]["code"] == code
        assert source["error"]["message"]
        assert datetime.fromisoformat(source["error"]["retryAt"]) > cold.clock() - timedelta(
            seconds=9
        )
    assert customer["changes"]["totalCount"] is None
    assert len(too_soon["errors"]) == len(lists_of(name))
    assert "errors" not in healed
    assert healed["data"]["customer"]["changes"]["nodes"] == whole["changes"]["nodes"]


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_failing_provider_is_degraded_since_it_failed_and_up_again_afterwards(
    cold: World, name: str
) -> None:
    cold.sandbox.set_fault(PROVIDERS[name], {"kind": "html"})

    before = {
        one["name"]: one for one in cold.data("{ providers { name state since } }")["providers"]
    }
    cold.ask(QUERY)
    during = {
        one["name"]: one for one in cold.data("{ providers { name state since } }")["providers"]
    }
    cold.sandbox.clear_fault(PROVIDERS[name])
    cold.clock.ahead += timedelta(seconds=8)
    cold.ask(QUERY)
    after = {
        one["name"]: one for one in cold.data("{ providers { name state since } }")["providers"]
    }

    assert before[name] == {"name": name, "state": "UP", "since": None}
    assert {one["name"] for one in during.values() if one["state"] == "DEGRADED"} == {name}
    assert during[name]["since"] < after[name]["since"]
    assert after[name]["state"] == "UP"


@pytest.mark.parametrize(("name", "fault"), CASES)
def test_a_warm_mirror_is_served_stale_and_whole_while_its_provider_fails(
    cold: World, whole: dict[str, Any], name: str, fault: str
) -> None:
    wish, code = FAULTS[fault]
    cold.data(QUERY)
    cold.sandbox.set_fault(PROVIDERS[name], wish)
    cold.clock.ahead += timedelta(seconds=61)

    def told() -> str | None:
        error = source_of(cold.data(QUERY)["customer"]["changes"], name)["error"]
        return error["code"] if error else None

    until(told)
    customer = cold.data(QUERY)["customer"]
    cold.sandbox.clear_fault(PROVIDERS[name])
    cold.clock.ahead += timedelta(seconds=40)

    source = source_of(customer["changes"], name)
    assert (source["state"], source["error"]["code"]) == ("STALE", code)
    for which in lists_of(name):
        assert customer[which]["nodes"] == whole[which]["nodes"]
    until(lambda: states_of(cold, name) == {"FRESH"})


def states_of(one: World, name: str) -> set[str]:
    customer = one.data(QUERY)["customer"]
    return {source_of(customer[which], name)["state"] for which in lists_of(name)}


def test_payments_at_carecloud_are_unsupported_and_no_error(cold: World) -> None:
    payments = cold.data(QUERY)["customer"]["payments"]

    source = source_of(payments, "loyalty")
    assert (source["state"], source["error"], source["readAt"]) == ("UNSUPPORTED", None, None)
    assert {row["account"]["provider"]["name"] for row in payments["nodes"]} == {"cloud", "hosting"}


def test_a_failed_source_is_not_asked_again_before_its_time(cold: World) -> None:
    cold.sandbox.set_fault("hostup", FAULTS["429"][0])
    first = cold.ask(QUERY)
    retry_at = source_of(first["data"]["customer"]["changes"], "hosting")["error"]["retryAt"]
    cold.sandbox.reset_calls()

    again = cold.ask(QUERY)
    asked_too_soon = cold.sandbox.calls()
    cold.clock.ahead += timedelta(seconds=8)
    cold.ask(QUERY)

    assert (
        timedelta(0)
        < datetime.fromisoformat(retry_at) - cold.clock() + timedelta(seconds=8)
        <= timedelta(seconds=7)
    )
    assert len(again["errors"]) == 2
    assert not any(path.startswith("hostup") for path in asked_too_soon)
    assert any(path.startswith("hostup") for path in cold.sandbox.calls())


def test_two_connections_of_one_list_have_an_error_each(cold: World) -> None:
    cold.sandbox.set_fault("carecloud", FAULTS["html"][0])

    answer = cold.ask("""{ customer(reference: "C-1001") {
      a: creditChanges(first: 1) { nodes { id } }
      b: creditChanges(first: 1) { nodes { id } }
      accounts { creditChanges(first: 1) { nodes { id } } }
    } }""")

    paths = sorted(str(error["path"]) for error in answer["errors"])
    assert len(paths) == 3
    assert paths[0] == "['customer', 'a']"
    assert paths[2] == "['customer', 'b']"
    assert answer["data"]["customer"]["a"]["nodes"]


@pytest.mark.parametrize("name", ["cloud", "hosting"])
def test_an_account_with_refused_credentials_is_to_be_linked_again_until_new_ones_come(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    with world(tmp_path_factory.mktemp("refused"), entries=5) as one:
        one.sandbox.expire_tokens(PROVIDERS[name])

        refused = one.ask(QUERY)
        marked = statuses(one)
        link_again(one, name)
        one.clock.ahead += timedelta(seconds=40)
        healed = one.data(QUERY)["customer"]

        codes = {error["extensions"]["code"] for error in refused["errors"]}
        assert codes == {"UPSTREAM_UNAUTHORIZED"}
        assert len(refused["data"]["customer"]["changes"]["nodes"]) == 10
        assert marked == {n: "NEEDS_RELINK" if n == name else "ACTIVE" for n in PROVIDERS}
        assert len(healed["changes"]["nodes"]) == 15
        assert statuses(one) == dict.fromkeys(PROVIDERS, "ACTIVE")


def test_a_login_of_the_operator_that_is_refused_does_not_mark_accounts(cold: World) -> None:
    cold.sandbox.set_fault("carecloud", {"kind": "status", "status": 401})

    answer = cold.ask(QUERY)

    codes = [error["extensions"]["code"] for error in answer["errors"]]
    assert codes == ["UPSTREAM_UNAUTHORIZED"]
    assert statuses(cold)["loyalty"] == "ACTIVE"


def statuses(one: World) -> dict[str, str]:
    query = '{ customer(reference: "C-1001") { accounts { status provider { name } } } }'
    accounts = one.data(query)["customer"]["accounts"]
    return {account["provider"]["name"]: account["status"] for account in accounts}


def link_again(one: World, name: str) -> None:
    """Import the first customer with new credentials at one provider."""
    provider = PROVIDERS[name]
    line = one.sandbox.sample_customers()[0]
    for account in line["accounts"]:
        if account["provider"] == name:
            fresh = one.sandbox.issue_credentials(provider, "C-1001")
            account["credentials"] = {provider: fresh}
    asyncio.run(import_customers(one.settings, [line]))


def test_rows_are_in_order_whoever_is_missing(cold: World) -> None:
    cold.sandbox.set_fault("cloudreve", FAULTS["truncated"][0])

    rows = cold.ask(QUERY)["data"]["customer"]["changes"]["nodes"]

    times = [at(row) for row in rows]
    assert times == sorted(times, reverse=True)
    assert len(rows) == 40
