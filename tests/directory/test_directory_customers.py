"""Customers as the directory keeps and finds them."""

import pytest
from directories import TOKEN, link, put

from app.directory.directory import Directory
from app.directory.outcome import Change
from app.model.errors import BadUserInput, NotFound


async def references(directory: Directory, search: str | None) -> list[str]:
    page = await directory.customers_page(search=search, after=None, before=None, limit=100)
    assert await directory.customers_count(search) == len(page)
    return [customer.reference for customer in page]


async def test_customers_are_found_in_the_order_asked_for(directory: Directory) -> None:
    anna, bea = await put(directory, "C-1", "Anna"), await put(directory, "C-2")

    found = await directory.customers_by_reference(["C-2", "C-9", "C-1", "C-2"])

    assert found == [bea, None, anna, bea]
    assert await directory.customers_by_id([bea.id, "no", anna.id]) == [bea, None, anna]
    assert await directory.customers_by_id([]) == []


async def test_many_customers_are_found_at_once(directory: Directory) -> None:
    anna = await put(directory, "C-1")

    found = await directory.customers_by_reference([f"C-{number}" for number in range(40_000)])

    assert found[1] == anna
    assert [customer for customer in found if customer] == [anna]


async def test_ids_are_sixteen_hexadecimal_digits_and_stay(directory: Directory) -> None:
    before = await put(directory, "C-1", "Anna")
    after = await put(directory, "C-1", "Anne")

    assert before.id == after.id
    assert len(before.id) == 16
    assert set(before.id) <= set("0123456789abcdef")


async def test_a_customer_is_created_updated_or_unchanged(directory: Directory) -> None:
    names = ("Anna", "Anna", "Anne", None)

    changes = [await directory.put_customer("C-1", name) for name in names]

    assert changes == [Change.CREATED, Change.UNCHANGED, Change.UPDATED, Change.UNCHANGED]
    assert (await put(directory, "C-1")).display_name == "Anne"


async def test_pages_join_without_gap_in_both_directions(directory: Directory) -> None:
    for number in (5, 3, 1, 4, 2):
        await directory.put_customer(f"C-{number}", None)

    async def page(
        after: str | None = None, before: str | None = None, *, backwards: bool = False
    ) -> list[str]:
        found = await directory.customers_page(
            search=None, after=after, before=before, limit=2, backwards=backwards
        )
        return [customer.reference for customer in found]

    assert await page() == ["C-1", "C-2"]
    assert await page(after="C-2") == ["C-3", "C-4"]
    assert await page(after="C-4") == ["C-5"]
    assert await page(backwards=True) == ["C-4", "C-5"]
    assert await page(before="C-4", backwards=True) == ["C-2", "C-3"]
    assert await page(after="C-1", before="C-3") == ["C-2"]
    assert await page(after="C-2", before="C-5", backwards=True) == ["C-3", "C-4"]


async def test_a_search_is_a_part_of_reference_or_name_whatever_the_case(
    directory: Directory,
) -> None:
    for reference, name in [("C-1", "Åsa Öberg"), ("c-2", "Straße"), ("D_3", None), ("D%4", "x")]:
        await directory.put_customer(reference, name)

    assert await references(directory, None) == ["C-1", "D%4", "D_3", "c-2"]
    assert await references(directory, "") == ["C-1", "D%4", "D_3", "c-2"]
    assert await references(directory, "C-") == ["C-1", "c-2"]
    assert await references(directory, "åSA ö") == ["C-1"]
    assert await references(directory, "STRASSE") == ["c-2"]
    assert await references(directory, "_") == ["D_3"]
    assert await references(directory, "%") == ["D%4"]
    assert await references(directory, "/") == []


async def test_a_search_for_what_no_customer_can_have_finds_nobody(directory: Directory) -> None:
    await directory.put_customer("C-1", "Anna")

    assert await references(directory, "1\x1fa") == []
    assert await references(directory, "a" * 100_000) == []
    # Each of these becomes eighteen characters once its case is folded.
    assert await references(directory, "\ufdfa" * 4000) == []


async def test_a_search_finds_the_newest_name(directory: Directory) -> None:
    await directory.put_customer("C-1", "Anna")
    await directory.put_customer("C-1", "Bea")

    assert await references(directory, "anna") == []
    assert await references(directory, "bea") == ["C-1"]


async def test_a_customer_is_created_once(directory: Directory) -> None:
    anna = await directory.create_customer("C-1", "Anna")

    assert anna is not None
    assert await directory.customers_by_id([anna.id]) == [anna]
    assert await directory.create_customer("C-1", "Bea") is None
    assert await directory.customers_by_reference(["C-1"]) == [anna]
    assert await references(directory, "ann") == ["C-1"]


async def test_a_deleted_customer_takes_its_accounts_along_and_no_others(
    directory: Directory,
) -> None:
    anna, bea = await put(directory, "C-1", "Anna"), await put(directory, "C-2")
    one, two = await link(directory, anna, "one"), await link(directory, anna, "two")
    of_bea = await link(directory, bea)

    gone = await directory.delete_customer(anna.id)

    assert gone == [one.id, two.id]
    assert await references(directory, None) == ["C-2"]
    assert await references(directory, "anna") == []
    assert await directory.accounts_by_id([one.id, two.id, of_bea.id]) == [None, None, of_bea]
    with pytest.raises(NotFound):
        await directory.credentials(one.id)
    with pytest.raises(NotFound):
        await directory.put_account(anna.id, "cloud", None, TOKEN, None)


async def test_of_a_deleted_customer_nothing_is_told_again(directory: Directory) -> None:
    anna = await put(directory, "C-1", "Anna")

    assert await directory.delete_customer(anna.id) == []
    assert await directory.delete_customer(anna.id) is None
    assert await directory.delete_customer("no") is None
    assert (await put(directory, "C-1")).id != anna.id


async def test_customers_come_by_code_point_in_every_database(directory: Directory) -> None:
    names = ["B", "a", "Z", "é", "_", "😀", "C-10", "C-9", "c-1", "\uffee", "a b", "ab"]
    for name in names:
        await directory.put_customer(name, None)

    assert await references(directory, None) == sorted(names)
    page = await directory.customers_page(search=None, after="Z", before="é", limit=100)
    assert [customer.reference for customer in page] == sorted(names)[4:-3]


@pytest.mark.parametrize("text", ["\0", "C-1\0", "\udcff"])
async def test_a_text_that_no_database_keeps_is_found_nowhere_and_refused(
    directory: Directory, text: str
) -> None:
    anna = await put(directory, "C-1")

    assert await directory.customers_by_reference([text, "C-1"]) == [None, anna]
    assert await directory.customers_by_id([text]) == [None]
    assert await directory.accounts_by_id([text]) == [None]
    assert await references(directory, text) == []
    for write in (
        directory.put_customer(text, None),
        directory.create_customer("C-2", text),
        directory.put_account(anna.id, "cloud", text, TOKEN, None),
    ):
        with pytest.raises(BadUserInput, match="cannot be kept"):
            await write
    assert await references(directory, None) == ["C-1"]
