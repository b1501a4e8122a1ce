"""Bad import lines: what is said of them, and that nothing is written."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.directory.directory import Directory
from app.directory.importing import LineOutcome, import_lines
from app.directory.lines import parse
from app.directory.outcome import Change
from app.model.accounts import ProviderKind
from app.model.errors import BadUserInput

PROVIDERS = {
    "cloud": ProviderKind.CLOUDREVE,
    "hosting": ProviderKind.HOSTUP,
    "loyalty": ProviderKind.CARECLOUD,
}
SECRET = "hunter2-hunter2"
CLOUD: dict[str, object] = {"cloudreve": {"refreshToken": SECRET}}
HOSTING: dict[str, object] = {"hostup": {"apiKey": SECRET}}
TWICE = {"provider": "cloud", "credentials": CLOUD}


async def imported(directory: Directory, *lines: object) -> list[LineOutcome]:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    return [outcome async for outcome in import_lines(texts, directory, PROVIDERS, None)]


def one(provider: object = "cloud", credentials: object = None, **more: object) -> object:
    given = CLOUD if credentials is None else credentials
    account = {"provider": provider, "credentials": given, **more}
    return {"reference": "C-1", "accounts": [account]}


BAD: list[tuple[object, str]] = [
    ("{", "is not one JSON object; write one on each line"),
    (f'{{"reference": "{SECRET}', "is not one JSON object"),
    ("[" * 100_000, "expected `object`"),
    ('{"reference": "\udcff"}', "is not one JSON object"),
    ([], "expected `object`, got `array`"),
    ({}, "reference: write 1 to 200 characters without control characters; it is missing"),
    ({"reference": ""}, "reference: write 1 to 200 characters"),
    ({"reference": "x" * 201}, "reference: write 1 to 200 characters"),
    ({"reference": "a\nb"}, "reference: write 1 to 200 characters"),
    ({"reference": "a\n"}, "reference: write 1 to 200 characters"),
    ({"reference": 7}, "reference: write 1 to 200 characters"),
    ({"reference": "C-1", "displayName": ""}, "displayName: write 1 to 200 characters"),
    ({"reference": "C-1", "display_name": "A"}, "object contains unknown field `display_name`"),
    ({"reference": "C-1", "a\nb": 1}, "object contains unknown field `a b`"),
    ({"reference": "C-1", "accounts": {}}, "accounts: write a list of accounts"),
    ({"reference": "C-1", "accounts": [SECRET]}, "accounts[0]: expected `object`, got `str`"),
    ({"reference": "C-1", "accounts": [{}]}, "accounts[0].provider: write the name of a "),
    (
        {"reference": "C-1", "accounts": [{"provider": "cloud"}]},
        "accounts[0].credentials: write the credentials that the provider's kind takes; it is miss",
    ),
    (one(provider=7), "accounts[0].provider: write the name of a configured provider"),
    (one(provider=SECRET), "accounts[0].provider: is not configured; configured: cloud, hosting, "),
    (one(label=""), "accounts[0].label: write 1 to 200 characters"),
    (one(apiKey=SECRET), "accounts[0]: object contains unknown field `apiKey`"),
    (one(credentials=SECRET), 'accounts[0].credentials: write {"cloudreve": {"refreshToken": "…"'),
    (one(credentials={}), "accounts[0].credentials: write "),
    (one(credentials=HOSTING), 'accounts[0].credentials: write {"cloudreve": '),
    (
        one(credentials={"cloudreve": {"refreshToken": "a"}, "hostup": {"apiKey": SECRET}}),
        'accounts[0].credentials: write {"cloudreve": {"refreshToken": "…"}}, and nothing else',
    ),
    (one(credentials={"cloudreve": {"refreshToken": ""}}), "accounts[0].credentials: write "),
    (one(credentials={"cloudreve": {"refreshToken": f"{SECRET}\n"}}), "accounts[0].credentials: "),
    (one(credentials={"cloudreve": {"refreshToken": f" {SECRET}"}}), "accounts[0].credentials: "),
    (one(credentials={"cloudreve": {"refreshToken": 1}}), "accounts[0].credentials: write "),
    (one(credentials={"cloudreve": {SECRET: "a"}}), "accounts[0].credentials: write "),
    (one(credentials={SECRET: 1}), "accounts[0].credentials: write "),
    (
        {"reference": "C-1", "accounts": [TWICE, TWICE]},
        "accounts[1].label: another account of this provider has it",
    ),
]


@pytest.mark.parametrize(("line", "said"), BAD, ids=[said for _, said in BAD])
async def test_a_bad_line_is_told_and_writes_nothing(
    directory: Directory, line: object, said: str
) -> None:
    outcome, following = await imported(directory, line, {"reference": "next"})

    assert outcome.line == 1
    assert (outcome.customer, outcome.accounts) == (None, ())
    assert outcome.error is not None
    assert outcome.error.startswith(said)
    assert outcome.error.isprintable()
    assert SECRET not in outcome.error
    assert following.customer is Change.CREATED
    assert await directory.customers_count(None) == 1


async def test_a_bad_line_is_told_with_its_reference_where_it_has_one(directory: Directory) -> None:
    outcomes = await imported(directory, one(provider="no"), {"reference": 7}, [1], "{")

    assert [outcome.reference for outcome in outcomes] == ["C-1", None, None, None]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(JSON, st.sampled_from(["reference", "displayName", "accounts", "provider", "credentials"]))
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
def test_any_value_anywhere_is_taken_or_refused_as_the_callers_mistake(
    value: object, field: str
) -> None:
    account: dict[str, object] = {"provider": "cloud", "credentials": CLOUD}
    line: dict[str, object] = {"reference": "C-1", "accounts": [account]}
    (account if field in account else line)[field] = value
    said = ""

    try:
        parse(json.dumps(line), PROVIDERS)
    except BadUserInput as error:
        said = str(error)

    assert SECRET not in said


def test_no_parsed_line_shows_a_credential() -> None:
    line = parse(json.dumps(one()), PROVIDERS)

    assert SECRET not in f"{line!r} {line} {line.accounts!r}"
    assert line.__rich_repr__() == []
