"""Imports: each line on its own, twice the same, and never a credential in what is said."""

import asyncio
import json
from collections.abc import Mapping

from directories import renew
from places import Place

from app.directory.directory import Directory
from app.directory.importing import LineOutcome, import_lines
from app.directory.outcome import Change
from app.model.accounts import Account, ProviderKind
from app.model.errors import UpstreamError, UpstreamUnauthorized

PROVIDERS = {
    "cloud": ProviderKind.CLOUDREVE,
    "hosting": ProviderKind.HOSTUP,
    "loyalty": ProviderKind.CARECLOUD,
}
SECRET = "hunter2-hunter2"
CREDENTIALS: dict[str, object] = {
    "cloud": {"cloudreve": {"refreshToken": SECRET}},
    "hosting": {"hostup": {"apiKey": SECRET}},
    "loyalty": {"carecloud": {"customerId": "77"}},
}
ANNA = {
    "reference": "C-1001",
    "displayName": "Anna",
    "accounts": [
        {"provider": "cloud", "credentials": CREDENTIALS["cloud"]},
        {"provider": "hosting", "label": "main", "credentials": CREDENTIALS["hosting"]},
        {"provider": "loyalty", "credentials": CREDENTIALS["loyalty"]},
    ],
}
CREATED, UPDATED, UNCHANGED = Change.CREATED, Change.UPDATED, Change.UNCHANGED


class Provers:
    """Credentials are tried here: each try is noted, and refused for the providers named."""

    def __init__(self, *refusing: str, renewing: Mapping[str, str] | None = None) -> None:
        self.refusing = refusing
        self.renewing = renewing
        self.tried: list[str] = []

    async def __call__(self, provider: str, credentials: Mapping[str, str]) -> Mapping[str, str]:
        await asyncio.sleep(0)
        self.tried.append(provider)
        if provider in self.refusing:
            said = next(iter(credentials.values()))
            raise UpstreamUnauthorized(f"the provider refuses\nthe credentials {said}")
        return self.renewing or credentials


async def imported(
    directory: Directory, *lines: object, prove: Provers | None = None
) -> list[LineOutcome]:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    return [outcome async for outcome in import_lines(texts, directory, PROVIDERS, prove)]


async def accounts(directory: Directory, reference: str = "C-1001") -> list[Account]:
    (customer,) = await directory.customers_by_reference([reference])
    assert customer is not None
    (found,) = await directory.accounts_by_customer([customer.id])
    return found


async def test_a_line_brings_a_customer_with_accounts(directory: Directory) -> None:
    (outcome,) = await imported(directory, ANNA)

    found = await accounts(directory)
    assert outcome == LineOutcome(1, "C-1001", CREATED, (CREATED, CREATED, CREATED))
    assert [(account.provider, account.label) for account in found] == [
        ("cloud", None),
        ("hosting", "main"),
        ("loyalty", None),
    ]
    assert [account.external_id for account in found] == [None, None, "77"]
    assert [await directory.credentials(account.id) for account in found] == [
        {"refreshToken": SECRET},
        {"apiKey": SECRET},
        {"customerId": "77"},
    ]


async def test_importing_twice_changes_nothing(directory: Directory) -> None:
    prove = Provers()
    await imported(directory, ANNA, {"reference": "C-1002"}, prove=prove)
    before = await accounts(directory)

    outcomes = await imported(directory, ANNA, {"reference": "C-1002"}, prove=prove)

    assert outcomes == [
        LineOutcome(1, "C-1001", UNCHANGED, (UNCHANGED, UNCHANGED, UNCHANGED)),
        LineOutcome(2, "C-1002", UNCHANGED),
    ]
    assert await accounts(directory) == before
    assert prove.tried == ["cloud", "hosting", "loyalty"]


async def test_a_rotated_token_survives_the_next_import(directory: Directory) -> None:
    await imported(directory, ANNA)
    cloud = (await accounts(directory))[0]
    assert await renew(directory, cloud.id, "rotated")

    await imported(directory, ANNA, prove=Provers("cloud"))

    assert await directory.credentials(cloud.id) == {"refreshToken": "rotated"}


async def test_only_changed_credentials_are_proved_and_replaced(directory: Directory) -> None:
    await imported(directory, ANNA)
    prove = Provers()
    other = {"provider": "cloud", "credentials": {"cloudreve": {"refreshToken": "other"}}}
    changed = {**ANNA, "displayName": "Anne", "accounts": [other, *ANNA["accounts"][1:]]}

    (outcome,) = await imported(directory, changed, prove=prove)

    assert outcome == LineOutcome(1, "C-1001", UPDATED, (UPDATED, UNCHANGED, UNCHANGED))
    assert prove.tried == ["cloud"]
    cloud = (await accounts(directory))[0]
    assert await directory.credentials(cloud.id) == {"refreshToken": "other"}


async def test_credentials_that_were_renewed_while_proved_are_kept_renewed(
    directory: Directory,
) -> None:
    one = {**ANNA, "accounts": ANNA["accounts"][:1]}
    prove = Provers(renewing={"refreshToken": "renewed"})

    await imported(directory, one, prove=prove)
    (again,) = await imported(directory, one, prove=prove)

    (cloud,) = await accounts(directory)
    assert await directory.credentials(cloud.id) == {"refreshToken": "renewed"}
    assert again.accounts == (UNCHANGED,)


async def test_refused_credentials_are_not_kept_and_their_neighbours_are(
    directory: Directory,
) -> None:
    prove = Provers("hosting")

    outcome, following = await imported(directory, ANNA, {"reference": "C-2"}, prove=prove)

    assert (outcome.customer, outcome.accounts) == (CREATED, (CREATED, CREATED))
    assert outcome.error == "accounts[1]: the provider refuses the credentials ***"
    assert [account.provider for account in await accounts(directory)] == ["cloud", "loyalty"]
    assert (following.customer, following.error) == (CREATED, None)


async def test_refused_new_credentials_leave_the_former(directory: Directory) -> None:
    await imported(directory, ANNA)
    other = {"provider": "cloud", "credentials": {"cloudreve": {"refreshToken": "other"}}}

    await imported(directory, {**ANNA, "accounts": [other]}, prove=Provers("cloud"))

    cloud = (await accounts(directory))[0]
    assert await directory.credentials(cloud.id) == {"refreshToken": SECRET}


async def test_a_provider_that_does_not_answer_stops_nothing(directory: Directory) -> None:
    async def prove(provider: str, _: Mapping[str, str]) -> Mapping[str, str]:
        await asyncio.sleep(0)
        raise UpstreamError(f"{provider} does not answer; try again later")

    lines = [json.dumps(ANNA)]
    (outcome,) = [each async for each in import_lines(lines, directory, PROVIDERS, prove)]

    assert outcome.accounts == ()
    assert outcome.error is not None
    assert outcome.error.count("does not answer") == 3


async def test_two_imports_at_once_neither_fail_nor_duplicate(
    directory: Directory, place: Place
) -> None:
    lines = [{**ANNA, "reference": f"C-{number}"} for number in range(10)]

    async with place.opened() as other:
        both = await asyncio.gather(
            *(imported(each, *lines, prove=Provers()) for each in (directory, other, directory))
        )

    outcomes = [outcome for each in both for outcome in each]
    assert [outcome.error for outcome in outcomes] == [None] * 30
    created = [change for outcome in outcomes for change in outcome.accounts]
    assert created.count(CREATED) == 30
    assert await directory.customers_count(None) == 10
    assert [len(await accounts(directory, f"C-{number}")) for number in range(10)] == [3] * 10


async def test_an_import_without_a_name_leaves_the_name(directory: Directory) -> None:
    await imported(directory, ANNA)

    (outcome,) = await imported(directory, {"reference": "C-1001", "displayName": None})

    assert outcome.customer is UNCHANGED


async def test_blank_lines_are_counted_and_a_byte_order_mark_is_not_read(
    directory: Directory,
) -> None:
    outcomes = await imported(
        directory, "\ufeff" + json.dumps({"reference": "C-1"}), "", " \n", "{"
    )

    assert [(outcome.line, outcome.error is None) for outcome in outcomes] == [
        (1, True),
        (4, False),
    ]
