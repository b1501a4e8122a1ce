"""A test that is tried again passes by one good try, and fails where there is none."""

from functools import partial
from threading import Event

import pytest
from tries import MOST_TRIES, tried_again


@pytest.mark.parametrize("good", range(1, MOST_TRIES + 1))
def test_the_first_good_try_is_the_last(good: int) -> None:
    tries: list[int] = []

    @tried_again
    def measured() -> None:
        tries.append(len(tries) + 1)
        assert tries[-1] == good

    measured()

    assert len(tries) == good


async def test_a_coroutine_is_awaited_anew_each_time() -> None:
    tries: list[int] = []

    @tried_again
    async def measured(most: int) -> None:
        tries.append(len(tries) + 1)
        assert tries[-1] == most

    await measured(3)  # type: ignore[misc]

    assert len(tries) == 3


@pytest.mark.parametrize("fail", [partial(pytest.fail, "slow"), [].pop])
def test_what_never_holds_fails(fail: object) -> None:
    tries: list[int] = []

    @tried_again
    def measured() -> None:
        tries.append(len(tries) + 1)
        assert callable(fail)
        fail()

    with pytest.raises((pytest.fail.Exception, IndexError)) as raised:
        measured()

    assert len(tries) == MOST_TRIES
    assert len(raised.value.__notes__) == MOST_TRIES - 1


def test_what_is_skipped_is_not_tried_again() -> None:
    tries: list[int] = []

    @tried_again
    def measured() -> None:
        tries.append(len(tries) + 1)
        pytest.skip("not here")

    with pytest.raises(pytest.skip.Exception):
        measured()

    assert len(tries) == 1


@pytest.mark.timeout(1)
def test_what_hangs_ends_with_its_first_try() -> None:
    tries: list[int] = []

    @tried_again
    def measured() -> None:
        tries.append(len(tries) + 1)
        Event().wait(30)

    with pytest.raises(pytest.fail.Exception, match="Timeout"):
        measured()

    assert len(tries) == 1
