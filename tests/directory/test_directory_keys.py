"""API keys as the directory keeps them."""

import asyncio
from datetime import timedelta

from directories import START
from places import Place

from app.directory.directory import Directory
from app.model.keys import ApiKey
from app.model.viewer import Scope

READ = frozenset({Scope.READ})


async def test_a_key_is_found_by_its_digest_with_all_that_is_known(directory: Directory) -> None:
    both = frozenset({Scope.READ_ANY, Scope.WRITE})

    made = await directory.create_api_key("billing", both, None, b"\x00digest")

    assert made == ApiKey(id=made.id, name="billing", scopes=both, created_at=START)
    assert await directory.api_key(b"\x00digest") == made
    assert await directory.api_key(b"another") is None


async def test_a_key_may_be_a_customers(directory: Directory) -> None:
    made = await directory.create_api_key("Anna's", READ, "C-1", b"1")

    assert made.reference == "C-1"
    assert await directory.api_key(b"1") == made


async def test_a_revoked_key_is_unknown_at_once_everywhere(
    directory: Directory, place: Place
) -> None:
    async with place.opened() as other:
        one = await directory.create_api_key("one", READ, None, b"1")
        two = await directory.create_api_key("two", READ, None, b"2")
        before = await other.api_key(b"1")

        assert await directory.revoke_api_key(one.id)

        assert before == one
        assert await other.api_key(b"1") is None
        assert await other.api_key(b"2") == two


async def test_keys_are_listed_in_the_order_made_also_the_revoked(directory: Directory) -> None:
    one = await directory.create_api_key("one", READ, None, b"1")
    two = await directory.create_api_key("two", READ, None, b"2")
    await directory.revoke_api_key(one.id)

    revoked, other = await directory.api_keys()

    assert (revoked.id, revoked.revoked_at) == (one.id, START + timedelta(seconds=2))
    assert other == two


async def test_revoking_twice_keeps_the_first_time(directory: Directory) -> None:
    one = await directory.create_api_key("one", READ, None, b"1")
    await directory.revoke_api_key(one.id)
    (before,) = await directory.api_keys()

    assert await directory.revoke_api_key(one.id)

    assert await directory.api_keys() == [before]
    assert not await directory.revoke_api_key("no")


async def test_many_keys_are_made_at_once(directory: Directory) -> None:
    made = await asyncio.gather(
        *(directory.create_api_key(f"{n}", READ, None, bytes([n])) for n in range(20))
    )

    assert {key.id for key in await directory.api_keys()} == {key.id for key in made}
    assert len({key.id for key in made}) == 20


async def test_a_scope_of_a_later_release_allows_nothing(
    directory: Directory, place: Place
) -> None:
    await directory.create_api_key("one", READ, None, b"1")
    await place.run("UPDATE api_keys SET scopes = 'credits:read other:any'")

    key = await directory.api_key(b"1")

    assert key is not None
    assert key.scopes == READ
