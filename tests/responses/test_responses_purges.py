"""What an answer was made of takes it away once it changes, whoever changes it."""

import json
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from asking_again import LONG, account_of, add_entry, ask, data, is_hit, kept, newest
from changing import CREATE, create, credentials, delete, link, linked, unlink
from commands import COMMAND
from lists import until
from world import World, world

REFRESH = "mutation($id: ID!) { refreshAccount(input: { accountId: $id }) { account { id } } }"
LINKED = """query($r: String!) { customer(reference: $r) { displayName
  accounts { id label status } creditChanges(first: 2) { nodes { id } sources { state } } } }"""


@pytest.fixture
def one(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, more=LONG, entries=20) as served:
        yield served


def command(one: World, *arguments: str, lines: object = None) -> str:
    """Run a command as a process of its own; `lines` are its standard input."""
    said = [str(COMMAND), *arguments, "--config", str(one.folder / "gateway.toml")]
    text = json.dumps(lines) if lines else None
    ended = subprocess.run(said, capture_output=True, text=True, input=text, timeout=60, check=True)
    return ended.stdout


def within_a_second(holds: Callable[[], object]) -> None:
    """Wait a second, and a few more in which the machine does something else."""
    until(holds, seconds=5)


def labels(one: World, reference: str = "C-1001") -> list[str | None] | None:
    """Return the labels of a customer's accounts; None where there is no customer."""
    customer = data(ask(one, LINKED, {"r": reference}))["customer"]
    return customer and [each["label"] for each in customer["accounts"]]


def test_what_is_kept_stays_while_nothing_changes_even_when_much_does_elsewhere(
    one: World,
) -> None:
    before = kept(one, LINKED)
    other = account_of(one, "hosting", "C-1003")
    one.data(REFRESH, {"id": other})
    unlink(one, other)
    create(one, "C-9")
    after = kept(one, LINKED)

    assert after.content == before.content


def test_a_refresh_is_seen_at_once(one: World) -> None:
    account = account_of(one, "hosting")
    before = newest(kept(one))
    add_entry(one, "71.01")
    unseen = ask(one)
    one.data(REFRESH, {"id": account})
    after = ask(one)

    assert newest(unseen) == before != "71.01"
    assert is_hit(unseen)
    assert not is_hit(after)
    assert newest(after) == "71.01"
    assert newest(kept(one)) == "71.01"


@pytest.mark.parametrize("directive", ["no-cache", "max-age=0", "max-age=5"])
def test_who_wants_it_anew_is_told_what_is_new_and_so_are_all_others(
    one: World, directive: str
) -> None:
    before = newest(kept(one))
    add_entry(one, "72.02")
    one.clock.ahead += timedelta(seconds=10)
    unseen = newest(ask(one))
    anew = ask(one, cache_control=directive)
    after = ask(one)

    assert unseen == before
    assert newest(anew) == newest(after) == "72.02"
    assert not is_hit(anew)
    assert after.content == anew.content


def test_other_words_about_caching_change_nothing(one: World) -> None:
    before = kept(one)
    words = ["no-store", "max-stale=10", "only-if-cached", "max-age=soon", "no-transform"]
    answers = [ask(one, cache_control=each) for each in words]

    assert all(is_hit(each) and each.content == before.content for each in answers)


def test_what_is_unlinked_and_linked_is_seen_at_once(one: World) -> None:
    before = kept(one, LINKED)
    account = account_of(one, "hosting")
    unlink(one, account)
    without = ask(one, LINKED)
    gone = kept(one, LINKED)
    again = linked(link(one, "C-1001", "hosting", credentials(one, "hosting"), "again"))
    after = ask(one, LINKED)

    shown = [
        [each["id"] for each in data(answer)["customer"]["accounts"]]
        for answer in (before, without, gone, after)
    ]
    assert account in shown[0]
    assert account not in shown[1] + shown[2] + shown[3]
    assert again["id"] in shown[3]
    assert not is_hit(without)
    assert not is_hit(after)


def test_what_other_credentials_read_is_seen_at_once(one: World) -> None:
    mine = newest(kept(one))
    add_entry(one, "73.03", "C-1003")
    (label,) = [
        each["label"]
        for each in data(ask(one, LINKED))["customer"]["accounts"]
        if each["id"] == account_of(one, "hosting")
    ]
    linked(link(one, "C-1001", "hosting", credentials(one, "hosting", "C-1003"), label))
    after = [newest(ask(one)) for _ in range(3)]

    assert mine != "73.03"
    assert after == ["73.03"] * 3


def test_a_deleted_customer_is_gone_at_once_and_the_next_of_its_name_is_another(
    one: World,
) -> None:
    before = kept(one, LINKED)
    delete(one, "C-1001")
    gone = [labels(one) for _ in range(3)]
    one.data(CREATE, {"input": {"reference": "C-1001", "displayName": "Another"}})
    after = data(ask(one, LINKED))["customer"]

    assert data(before)["customer"]["accounts"]
    assert gone == [None] * 3
    assert (after["displayName"], after["accounts"]) == ("Another", [])


def test_a_customer_who_appears_is_seen_beside_one_who_was_there(one: World) -> None:
    two = """{ a: customer(reference: "C-1001") { creditChanges(first: 1) { nodes { id } } }
      b: customer(reference: "C-9") { reference displayName } }"""
    before = kept(one, two, {})
    create(one, "C-9", displayName="New")
    after = ask(one, two, {})

    assert data(before)["b"] is None
    assert data(after)["b"]["displayName"] == "New"


def test_credentials_that_a_provider_refuses_show_in_what_was_kept_before(one: World) -> None:
    account = account_of(one, "hosting")
    before = kept(one, LINKED)
    one.sandbox.set_fault("hostup", {"kind": "status", "status": 401})
    one.ask(REFRESH, {"id": account})
    one.sandbox.clear_fault("hostup")

    def status(response: object) -> list[str]:
        return sorted(each["status"] for each in response["customer"]["accounts"])  # type: ignore[index]

    assert status(data(before)) == ["ACTIVE"] * 3
    assert status(data(ask(one, LINKED))) == ["ACTIVE", "ACTIVE", "NEEDS_RELINK"]


def test_what_a_command_unlinks_and_links_is_seen_within_a_second_by_who_cannot_hear_it(
    one: World,
) -> None:
    before = kept(one, LINKED)
    account = account_of(one, "hosting")
    command(one, "accounts", "unlink", account)
    within_a_second(lambda: len(labels(one) or ()) == 2)
    gone = kept(one, LINKED)
    given = {"hostup": one.sandbox.issue_credentials("hostup", "C-1001")}
    line = {
        "reference": "C-1001",
        "displayName": "Renamed",
        "accounts": [{"provider": "hosting", "label": "by import", "credentials": given}],
    }
    file = one.folder / "more.jsonl"
    file.write_text(json.dumps(line))
    command(one, "customers", "import", str(file))
    within_a_second(lambda: "by import" in (labels(one) or ()))
    after = data(kept(one, LINKED))["customer"]

    assert account in before.text
    assert account not in gone.text
    assert after["displayName"] == "Renamed"
