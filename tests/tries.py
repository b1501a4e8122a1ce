"""Tests of what takes its time are tried again where the machine stood still meanwhile."""

import inspect
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec, cast

import pytest

P = ParamSpec("P")
MOST_TRIES = 4
_FAILURES = (Exception, pytest.fail.Exception)


def tried_again(test: Callable[P, object]) -> Callable[P, object]:
    """
    Return a test that passes by the first good one of a few tries, each of the whole of it.

    It is for what must happen within a fraction of a second, which no busy machine keeps to, and
    where nothing can be counted instead. What does not hold fails each time.
    """
    if inspect.iscoroutinefunction(test):
        return _awaited_again(cast("Callable[P, Awaitable[None]]", test))

    @wraps(test)
    def tried(*args: P.args, **kwargs: P.kwargs) -> None:
        tries = _Tries()
        while True:
            try:
                test(*args, **kwargs)
            except _FAILURES as failure:
                if tries.are_over(failure):
                    raise
            else:
                return

    return tried


def _awaited_again(test: Callable[P, Awaitable[None]]) -> Callable[P, Awaitable[None]]:
    @wraps(test)
    async def tried(*args: P.args, **kwargs: P.kwargs) -> None:
        tries = _Tries()
        while True:
            try:
                return await test(*args, **kwargs)
            except _FAILURES as failure:
                if tries.are_over(failure):
                    raise

    return tried


class _Tries:
    """How often a test has failed."""

    def __init__(self) -> None:
        self._failures: list[BaseException] = []

    def are_over(self, failure: BaseException) -> bool:
        """Say whether a failure is the last one; it tells of those before it."""
        # A timeout ends a test but once: another try might hang for ever.
        if "pytest-timeout" in str(failure) or len(self._failures) == MOST_TRIES - 1:
            for before in self._failures:
                failure.add_note(f"an earlier try: {before!r:.300}")
            return True
        self._failures.append(failure)
        return False
