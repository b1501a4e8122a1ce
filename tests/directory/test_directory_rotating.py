"""Stored credentials come under the newest key, whatever happens meanwhile."""

import asyncio

import pytest
from directories import KEY, put
from places import Place
from test_vault import first_release

from app.directory import rotating
from app.directory.directory import Directory, Rotation
from app.model.errors import UpstreamUnauthorized

NEW, FOREIGN = b"n" * 32, b"f" * 32


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotating, "_BATCH", 3)


async def linked(place: Place, count: int, *keys: bytes, label: str = "") -> list[str]:
    """Link accounts under the first of the keys; return their ids."""
    async with place.opened(*keys) as directory:
        anna = await put(directory, "C-1")
        return [
            (await directory.put_account(anna.id, "cloud", f"{label}{n}", token(n), None))[1]
            for n in range(count)
        ]


def token(number: int) -> dict[str, str]:
    return {"refreshToken": f"token-{number}"}


async def rotate(directory: Directory) -> Rotation:
    batches = [total async for total in directory.rotate_credentials()]
    return batches[-1] if batches else Rotation()


async def test_afterwards_the_newest_key_alone_opens_everything(place: Place) -> None:
    ids = await linked(place, 8, KEY)

    async with place.opened(NEW, KEY) as directory:
        first, second = await rotate(directory), await rotate(directory)

    assert (first, second) == (Rotation(done=8), Rotation(already=8))
    async with place.opened(NEW) as directory:
        assert [await directory.credentials(each) for each in ids] == [token(n) for n in range(8)]
        assert await directory.has_given((await put(directory, "C-1")).id, "cloud", "3", token(3))
    async with place.opened(KEY) as directory:
        with pytest.raises(UpstreamUnauthorized):
            await directory.credentials(ids[0])


async def test_an_empty_directory_has_nothing_to_rotate(directory: Directory) -> None:
    assert await rotate(directory) == Rotation()


async def test_credentials_of_the_first_release_are_rotated(place: Place) -> None:
    (account_id,) = await linked(place, 1, KEY)
    kept = b'{"given":{"refreshToken":"token-0"},"current":{"refreshToken":"renewed"}}'
    sealed = first_release(KEY, kept, f"credentials:{account_id}:cloud".encode())
    await place.run("UPDATE accounts SET credentials = $1", sealed)

    async with place.opened(NEW, KEY) as directory:
        assert await directory.credentials(account_id) == {"refreshToken": "renewed"}
        assert await rotate(directory) == Rotation(done=1)

    async with place.opened(NEW) as directory:
        assert await directory.credentials(account_id) == {"refreshToken": "renewed"}


async def test_a_rotation_that_was_interrupted_goes_on(place: Place) -> None:
    await linked(place, 8, KEY)
    async with place.opened(NEW, KEY) as directory:
        interrupted = directory.rotate_credentials()
        first = await anext(interrupted)
        await interrupted.aclose()  # type: ignore[attr-defined]

        then = await rotate(directory)

    assert (first, then) == (Rotation(done=3), Rotation(done=5, already=3))


async def test_what_cannot_be_opened_is_counted_and_left(place: Place) -> None:
    ids = await linked(place, 4, KEY)
    lost = await linked(place, 2, FOREIGN, label="lost")

    async with place.opened(NEW, KEY) as directory:
        total = await rotate(directory)

    assert total == Rotation(done=4, unopened=2)
    async with place.opened(FOREIGN) as directory:
        assert [await directory.credentials(each) for each in lost] == [token(0), token(1)]
    async with place.opened(NEW) as directory:
        assert await directory.credentials(ids[3]) == token(3)


async def test_what_is_linked_anew_meanwhile_is_not_put_back(place: Place) -> None:
    ids = await linked(place, 12, KEY)

    async with place.opened(NEW, KEY) as one, place.opened(NEW, KEY) as two:
        anna = await put(one, "C-1")

        async def link(number: int) -> None:
            fresh = {"refreshToken": f"fresh-{number}"}
            await two.put_account(anna.id, "cloud", str(number), fresh, None)

        await asyncio.gather(rotate(one), rotate(two), *(link(n) for n in range(0, 12, 2)))

    async with place.opened(NEW) as directory:
        found = [(await directory.credentials(each))["refreshToken"] for each in ids]
    assert found == [f"{'token' if n % 2 else 'fresh'}-{n}" for n in range(12)]
