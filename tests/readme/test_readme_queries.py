"""What the README says of the demonstration: each query is answered there, as it is shown."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest
from document import TEXT, blocks, section
from shell import Shell, copy_of_the_repository, split, until

QUICK_START, FAILING = "Quick start", "Watch a provider fail"
STEPS = "Add a provider in five steps"
REFERENCE = "C-1001"


class Demonstration(NamedTuple):
    """What `make demo` serves, and what it said."""

    shell: Shell
    said: str
    gateway: httpx.Client
    providers: httpx.Client

    def ask(self, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return an answer without errors."""
        sent = {"query": query, "variables": variables}
        answer: dict[str, Any] = self.gateway.post("/graphql", json=sent).json()
        assert "errors" not in answer, (query, answer)
        return answer

    def account(self) -> str:
        """Return the id of the sample customer's account at HostUp."""
        asked = (
            f'{{ customer(reference: "{REFERENCE}") {{ accounts {{ id provider {{ name }} }} }} }}'
        )
        accounts = self.ask(asked)["data"]["customer"]["accounts"]
        return next(str(one["id"]) for one in accounts if one["provider"]["name"] == "hosting")

    def add_an_entry(self) -> None:
        """Let the customer's history have a new entry, and be read."""
        added = {"provider": "hostup", "stream": "credit_changes", "reference": REFERENCE}
        self.providers.post("/control/entries", json=added).raise_for_status()
        refresh = f'mutation {{ refreshAccount(input: {{ accountId: "{self.account()}" }}) {{ '
        self.ask(f"{refresh} account {{ id }} }} }}")

    def key(self) -> str:
        """Return the API key of that account."""
        customers = self.providers.get("/control/customers").json()
        accounts = next(one["accounts"] for one in customers if one["reference"] == REFERENCE)
        given = [one["credentials"] for one in accounts]
        return next(str(one["hostup"]["apiKey"]) for one in given if "hostup" in one)


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    copy = copy_of_the_repository(tmp_path_factory.mktemp("demonstration"))
    shell = Shell(copy, {})
    _, command = split(section(QUICK_START)[0])
    assert command == "make demo"
    with shell.lasting(command, until(command)) as said:
        (url,) = re.findall(r"(http://127\.0\.0\.1:\d+)/graphql\n", said)
        (providers,) = re.findall(r"(http://127\.0\.0\.1:\d+)/control/state", said)
        shell.instead = {"http://127.0.0.1:8000": url, "PROVIDERS=…": f"PROVIDERS={providers}"}
        with (
            httpx.Client(base_url=url, trust_env=False, timeout=30) as gateway,
            httpx.Client(base_url=providers, trust_env=False) as sandbox,
        ):
            yield Demonstration(shell, said, gateway, sandbox)


def test_the_quick_start_gives_an_answer(demonstration: Demonstration) -> None:
    ending = [split(one)[0] for one in section(QUICK_START) if one.language == "sh"]

    answers = [json.loads(demonstration.shell.run(text).out) for text in ending if text.strip()]

    assert len(answers) == 1
    assert [one.get("errors") for one in answers] == [None]
    assert answers[0]["data"]["customer"]["balances"][0]["reported"]["formatted"]


@pytest.mark.parametrize("path", ["/graphql", "/dashboard"])
def test_a_browser_is_given_a_page(demonstration: Demonstration, path: str) -> None:
    assert f"`{path}`" in TEXT

    page = demonstration.gateway.get(path, headers={"Accept": "text/html"})

    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")


def test_every_query_is_answered(demonstration: Demonstration) -> None:
    queries = [
        one for one in blocks("graphql", outside=STEPS) if not one.text.startswith("subscription")
    ]

    answers = []
    for query in queries:
        variables = {"key": demonstration.key()} if "$key" in query.text else None
        text = query.text.replace('accountId: "…"', f'accountId: "{demonstration.account()}"')
        answers.append(demonstration.ask(text, variables)["data"])

    assert len(answers) > 5
    assert [answer for answer in answers if None in answer.values()] == []


def test_the_first_query_is_answered_as_it_is_shown(demonstration: Demonstration) -> None:
    query, shown = blocks("graphql")[0], json.loads(blocks("json")[0].text)

    answer = demonstration.ask(query.text)

    assert is_shown(shown["data"], answer["data"])
    assert not is_shown(shown["data"], {"customer": None})


def test_the_cost_is_that_of_the_first_query(demonstration: Demonstration) -> None:
    shown = next(json.loads(one.text) for one in blocks("json") if '"cost"' in one.text)

    answer = demonstration.ask(blocks("graphql")[0].text)

    assert answer["extensions"] == shown["extensions"]


def is_shown(shown: Any, found: Any) -> bool:  # noqa: ANN401 - JSON values
    """Say whether two values are equal, where "…" stands for any text."""
    if isinstance(shown, dict):
        return (
            isinstance(found, dict)
            and shown.keys() == found.keys()
            and all(is_shown(value, found[key]) for key, value in shown.items())
        )
    if isinstance(shown, list):
        return (
            isinstance(found, list)
            and len(shown) == len(found)
            and all(is_shown(*pair) for pair in zip(shown, found, strict=True))
        )
    return bool(shown == found or (shown == "…" and isinstance(found, str)))


def test_every_subscription_tells_what_is_new(demonstration: Demonstration) -> None:
    subscriptions = [
        one for one in blocks("graphql", outside=STEPS) if one.text.startswith("subscription")
    ]
    told = []
    for one in subscriptions:
        with demonstration.gateway.stream(
            "POST", "/graphql", json={"query": one.text}, headers={"Accept": "text/event-stream"}
        ) as events:
            demonstration.add_an_entry()
            for line in events.iter_lines():
                if line.startswith("data: {"):
                    told.append(json.loads(line.removeprefix("data: ")))
                    break
                if line.startswith(":"):
                    # Nothing for a while: it was there before the subscription began.
                    demonstration.add_an_entry()

    assert len(told) >= 1
    assert [one for one in told if "errors" in one] == []


def test_the_exports_give_whole_lists(demonstration: Demonstration) -> None:
    (block,) = [one for one in section("Exports") if one.language == "sh"]

    payments = demonstration.shell.run(block.text).out.splitlines()

    changes = (demonstration.shell.folder / "C-1001-credit-changes.csv").read_text().splitlines()
    assert len(changes) > 300
    assert {"amount.unit", "details.invoiceId"} <= set(changes[0].split(","))
    assert {json.loads(line)["status"] for line in payments} == {"PAID"}


def test_a_provider_fails_as_it_is_shown(demonstration: Demonstration) -> None:
    (block,) = section(FAILING)

    said = demonstration.shell.run(block.text).out

    _, answer, _ = each_json(said)
    assert "data" in answer, answer
    payments = answer["data"]["customer"]["payments"]
    states = {one["account"]["provider"]["name"]: one["state"] for one in payments["sources"]}
    assert len(payments["nodes"]) == 3
    assert states == {"cloud": "FRESH", "hosting": "UNAVAILABLE", "loyalty": "UNSUPPORTED"}
    assert [error["path"] for error in answer["errors"]] == [["customer", "payments"]]
    assert demonstration.shell.used == set(demonstration.shell.instead)


def each_json(text: str) -> list[Any]:
    """Return the values that were printed one after the other."""
    found, at = [], 0
    while at < len(text):
        value, at = json.JSONDecoder().raw_decode(text, at)
        found.append(value)
        at = len(text) - len(text[at:].lstrip())
    return found
