"""Each refusal of a mutation says what to do, beside a control that is accepted."""

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from changing import CREATE, LINK, create, credentials, delete, link, linked, refusal, unlink
from lists import until
from world import World, world

from app.api import ids
from app.api.types.credentials import (
    AccountCredentials,
    CareCloudCredentials,
    CloudreveCredentials,
    HostUpCredentials,
)

SECRET = "hunter2-hunter2"
ACCOUNTS = "query($r: String!) { customer(reference: $r) { accounts { id } } }"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("refusals"), entries=20) as one:
        create(one, "C-7")
        yield one


@pytest.fixture
def healthy(served: World) -> Iterator[World]:
    yield served
    for provider in ("cloudreve", "hostup", "carecloud"):
        served.sandbox.clear_fault(provider)
    for account in accounts(served):
        unlink(served, account)


def accounts(one: World) -> list[str]:
    found = one.data(ACCOUNTS, {"r": "C-7"})["customer"]["accounts"]
    return [account["id"] for account in found]


REFERENCES = ["", "x" * 201, "C\n1", "C\0", "\x7f", "C\u2028", "\x85"]


@pytest.mark.parametrize("reference", REFERENCES, ids=repr)
def test_a_reference_that_cannot_be_is_told(served: World, reference: str) -> None:
    answer = create(served, reference)
    control = create(served, "x" * 200)
    delete(served, "x" * 200)

    assert refusal(answer) == ("BAD_USER_INPUT", "reference")
    assert "1 to 200 characters" in answer["errors"][0]["message"]
    assert "errors" not in control


def test_a_name_that_cannot_be_is_told(served: World) -> None:
    answers = [create(served, "C-8", displayName=name) for name in ("", "x" * 201, "a\tb")]
    control = create(served, "C-8", displayName=None)
    delete(served, "C-8")

    assert [refusal(answer) for answer in answers] == [("BAD_USER_INPUT", "displayName")] * 3
    assert "errors" not in control


def test_a_reference_that_is_taken_is_told(served: World) -> None:
    answer = create(served, "C-7", displayName="Somebody else")

    assert refusal(answer) == ("BAD_USER_INPUT", "reference")
    assert "another customer has it" in answer["errors"][0]["message"]


@pytest.mark.parametrize("label", ["", "x" * 201, "a\nb"], ids=repr)
def test_a_label_that_cannot_be_is_told(healthy: World, label: str) -> None:
    given = credentials(healthy, "hosting")

    answer = link(healthy, "C-7", "hosting", given, label)
    control = link(healthy, "C-7", "hosting", given, "x" * 200)

    assert refusal(answer) == ("BAD_USER_INPUT", "label")
    assert linked(control)["label"] == "x" * 200


def test_it_is_said_which_part_of_a_link_cannot_be(healthy: World) -> None:
    good = credentials(healthy, "hosting")
    healthy.sandbox.reset_calls()
    parts = [
        ("C-7", "nowhere", good),
        ("C-7", "", good),
        ("C-7", "cloud", good),
        ("C-7", "hosting", {"carecloud": {"customerId": "1"}}),
        ("C-7", "hosting", {"hostup": {"apiKey": ""}}),
        ("C-7", "hosting", {"hostup": {"apiKey": f" {SECRET}"}}),
        ("C-7", "hosting", {"hostup": {"apiKey": f"{SECRET}\r\nX-Evil: 1"}}),
        ("C-7", "hosting", {"hostup": {"apiKey": "x" * 10_001}}),
        ("C-77", "hosting", good),
    ]

    answers = [link(healthy, *part) for part in parts]
    asked = healthy.sandbox.calls()
    control = link(healthy, "C-7", "hosting", good)

    assert [refusal(answer) for answer in answers] == [
        *[("BAD_USER_INPUT", "provider")] * 2,
        *[("BAD_USER_INPUT", "credentials")] * 6,
        ("NOT_FOUND", None),
    ]
    assert "configured: cloud, hosting, loyalty" in answers[0]["errors"][0]["message"]
    assert '{"cloudreve": {"refreshToken": "…"}}' in answers[2]["errors"][0]["message"]
    assert SECRET not in json.dumps(answers)
    assert asked == {}
    assert linked(control)["id"] in accounts(healthy)


@pytest.mark.parametrize(
    ("name", "given", "field"),
    [
        ("cloud", {"cloudreve": {"refreshToken": SECRET}}, "cloudreve.refreshToken"),
        ("hosting", {"hostup": {"apiKey": SECRET}}, "hostup.apiKey"),
        ("hosting", {"hostup": {"apiKey": "schlüssel"}}, "hostup.apiKey"),
        ("loyalty", {"carecloud": {"customerId": SECRET}}, "carecloud.customerId"),
    ],
)
def test_credentials_that_the_provider_refuses_are_named_and_not_stored(
    healthy: World, name: str, given: object, field: str
) -> None:
    answer = link(healthy, "C-7", name, given)
    stored = accounts(healthy)
    control = link(healthy, "C-7", name, credentials(healthy, name))

    assert refusal(answer) == ("UPSTREAM_UNAUTHORIZED", f"credentials.{field}")
    assert SECRET not in json.dumps(answer)
    assert stored == []
    assert accounts(healthy) == [linked(control)["id"]]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "status", "status": 503}, "UPSTREAM_UNAVAILABLE"),
        ({"kind": "html"}, "UPSTREAM_INVALID_RESPONSE"),
        (
            {"kind": "status", "status": 429, "headers": {"Retry-After": "7"}},
            "UPSTREAM_RATE_LIMITED",
        ),
    ],
)
def test_nothing_is_stored_while_the_provider_does_not_answer(
    healthy: World, fault: dict[str, Any], code: str
) -> None:
    given = credentials(healthy, "hosting")
    healthy.sandbox.set_fault("hostup", fault)
    answer = link(healthy, "C-7", "hosting", given)
    stored = accounts(healthy)
    healthy.sandbox.clear_fault("hostup")
    control = link(healthy, "C-7", "hosting", given)

    assert refusal(answer) == (code, None)
    assert ("retryAt" in answer["errors"][0]["extensions"]) == (code == "UPSTREAM_RATE_LIMITED")
    assert stored == []
    assert accounts(healthy) == [linked(control)["id"]]


def test_refused_new_credentials_leave_the_account_as_it_was(healthy: World) -> None:
    given = credentials(healthy, "hosting")
    before = linked(link(healthy, "C-7", "hosting", given))

    refused = link(healthy, "C-7", "hosting", {"hostup": {"apiKey": SECRET}})
    after = linked(link(healthy, "C-7", "hosting", given))

    assert refusal(refused)[0] == "UPSTREAM_UNAUTHORIZED"
    assert after == before


def test_a_renewed_token_is_kept_where_the_provider_fails_after_that(healthy: World) -> None:
    healthy.sandbox.change_settings(rotate="single_use")
    given = credentials(healthy, "cloud")
    healthy.sandbox.set_fault("cloudreve", {"kind": "html", "path": "/user/setting"})
    answer = link(healthy, "C-7", "cloud", given)
    healthy.sandbox.clear_fault("cloudreve")
    used_up = link(healthy, "C-7", "cloud", given, "another")
    read = healthy.data(
        "query($id: ID!) { node(id: $id) { ... on Account { creditChanges { nodes { id } } } } }",
        {"id": linked(answer)["id"]},
    )
    healthy.sandbox.change_settings(rotate="keep")

    assert len(read["node"]["creditChanges"]["nodes"]) == 20
    assert refusal(used_up) == ("UPSTREAM_UNAUTHORIZED", "credentials.cloudreve.refreshToken")


def test_the_same_token_linked_twice_at_once_is_used_once(healthy: World) -> None:
    healthy.sandbox.change_settings(rotate="single_use", latency_ms=100)
    told = {"customerReference": "C-7", "provider": "cloud"}
    given = {**told, "credentials": credentials(healthy, "cloud")}
    query = """mutation($input: LinkAccountInput!) {
      a: linkAccount(input: $input) { account { id } } }"""
    healthy.sandbox.reset_calls()

    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: healthy.ask(query, {"input": given}), range(5)))
    calls = healthy.sandbox.calls()
    healthy.sandbox.change_settings(rotate="keep", latency_ms=0)

    assert answers == [answers[0]] * 5
    assert "errors" not in answers[0]
    assert calls["cloudreve /session/token/refresh"] == 1


def test_a_link_that_takes_too_long_goes_on_and_is_there_for_who_asks_again(
    tmp_path: Path,
) -> None:
    with world(tmp_path, more='[server]\nrequest_timeout = "500ms"', entries=5) as one:
        create(one, "C-7")
        one.sandbox.change_settings(rotate="single_use", latency_ms=400)
        given = credentials(one, "cloud")

        answer = link(one, "C-7", "cloud", given)
        until(lambda: accounts(one))
        one.sandbox.change_settings(latency_ms=0)
        again = link(one, "C-7", "cloud", given)

        assert refusal(answer) == ("UPSTREAM_TIMEOUT", None)
        assert "asking again" in answer["errors"][0]["message"]
        assert [linked(again)["id"]] == accounts(one)


def test_what_is_no_account_is_not_found_in_the_same_words(healthy: World) -> None:
    account = linked(link(healthy, "C-7", "hosting", credentials(healthy, "hosting")))
    customer = healthy.data('{ customer(reference: "C-7") { id } }')["customer"]["id"]
    absent = ids.written(ids.NodeId(ids.NodeKind.ACCOUNT, "0" * 16))

    answers = [unlink(healthy, given) for given in (customer, absent, "", "nothing", "é")]
    control = unlink(healthy, account["id"])

    told = {(answer["errors"][0]["message"], refusal(answer)) for answer in answers}
    assert told == {("There is no such account.", ("NOT_FOUND", None))}
    assert "errors" not in control


INPUT = {"customerReference": "C-7", "provider": "hosting"}
BAD_VARIABLES: list[object] = [
    {**INPUT, "credentials": SECRET},
    {**INPUT, "credentials": [SECRET]},
    {**INPUT, "credentials": {"hostup": SECRET}},
    {**INPUT, "credentials": {"hostup": {"apiKey": [SECRET]}}},
    {**INPUT, "credentials": {"hostup": {"apiKey": {SECRET: SECRET}}}},
    {**INPUT, "credentials": {"hostup": {SECRET: SECRET}}},
    {**INPUT, "credentials": {"hostup": {"apikey": SECRET}}},
    {**INPUT, "credentials": {"hostup": {"apiKey": SECRET}, "cloudreve": {"refreshToken": SECRET}}},
    {**INPUT, "credentials": {"hostup": {"apiKey": SECRET}, "carecloud": None}},
    {**INPUT, "credentials": {"hostup": {"apiKey": SECRET}}, "label": 5},
    {**INPUT, "credentials": {"hostup": {"apiKey": SECRET}}, "colour": 5},
    {"provider": "hosting", "credentials": {"hostup": {"apiKey": SECRET}}},
    [{**INPUT, "credentials": {"hostup": {"apiKey": SECRET}}}, SECRET],
    SECRET,
]


@pytest.mark.parametrize("given", BAD_VARIABLES, ids=str)
def test_a_credential_in_a_variable_that_cannot_be_read_is_never_told(
    served: World, given: object, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = served.ask(LINK, {"input": given})

    assert {error["extensions"]["code"] for error in answer["errors"]} == {"BAD_USER_INPUT"}
    assert SECRET not in json.dumps(answer)
    assert SECRET not in caplog.text


LITERALS = [
    f'"{SECRET}"',
    f'{{ hostup: "{SECRET}" }}',
    f'{{ hostup: {{ apikey: "{SECRET}" }} }}',
    f'{{ hostup: {{ apiKey: ["{SECRET}"] }} }}',
    "{ hostup: { apiKey: hunter2hunter2 } }",
    "{ hostup: { apiKey: 20202020 } }",
    "{ hostup: { apiKey: .20202020 } }",
    f'{{ hostup: {{ apiKey "{SECRET}" }} }}',
    f'{{ hostup: {{ apiKey: "a" "{SECRET}" }} }}',
    f'{{ hostup: {{ apiKey: "a", """{SECRET}""" }} }}',
    "{ hostup: { apiKey hunter2hunter2 } }",
    f'{{ hostup: {{ apiKey: "{SECRET}" }}, carecloud: {{ customerId: "{SECRET}" }} }}',
]


@pytest.mark.parametrize("given", LITERALS)
def test_a_credential_in_a_document_that_cannot_be_read_is_never_told(
    served: World, given: str
) -> None:
    answer = served.ask(
        'mutation { linkAccount(input: { customerReference: "C-7", provider: "hosting", '
        f"credentials: {given} }}) {{ clientMutationId }} }}"
    )

    codes = {error["extensions"]["code"] for error in answer["errors"]}
    assert codes <= {"GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"}
    told = json.dumps(answer)
    assert not any(secret in told for secret in (SECRET, "hunter2hunter2", "20202020"))


def test_what_is_wrong_beside_the_value_is_still_told(served: World) -> None:
    answer = served.ask(CREATE, {"input": {"reference": 77_777}})

    (error,) = answer["errors"]
    assert "reference" in error["message"]
    assert "non string value" in error["message"]
    assert "77777" not in error["message"]


def test_inputs_show_nothing_of_credentials() -> None:
    given = AccountCredentials(
        cloudreve=CloudreveCredentials(refresh_token=SECRET),
        hostup=HostUpCredentials(api_key=SECRET),
        carecloud=CareCloudCredentials(customer_id=SECRET),
    )

    shown = [repr(one) for one in (given, given.cloudreve, given.hostup, given.carecloud)]
    assert SECRET not in "".join(shown)
    assert shown[0] == "<AccountCredentials>"
