"""
Lets a test that measures run alone where the tests run in several processes.

Every test is in a room that is locked for all in it together; one that is marked `alone` locks it
for itself. Those come first, one after the other, so that the others wait for them only once.
"""

import fcntl
from collections.abc import Generator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import pytest

_ROOM = "room"
_FOLDER = pytest.StashKey[TemporaryDirectory[str]]()


class Node(Protocol):
    """Another process, as pytest-xdist tells of it, and what that is told."""

    config: pytest.Config
    workerinput: dict[str, object]


class Room:
    """Where the tests of this process go in and out; each process locks the same two files."""

    def __init__(self, folder: Path) -> None:
        self._inside = (folder / "inside").open("w")
        # Who waits to be alone keeps the door, lest others keep going in meanwhile.
        self._door = (folder / "door").open("w")
        self._stays = False

    # A test's timeout begins when it is inside.
    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        alone = _is_alone(item)
        if not self._stays:
            self._enter(alone=alone)
        try:
            return (yield)
        finally:
            self._stays = alone and nextitem is not None and _is_alone(nextitem)
            if not self._stays:
                fcntl.flock(self._inside, fcntl.LOCK_UN)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: not _is_alone(item))

    def _enter(self, *, alone: bool) -> None:
        fcntl.flock(self._door, fcntl.LOCK_EX)
        fcntl.flock(self._inside, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(self._door, fcntl.LOCK_UN)


def pytest_configure(config: pytest.Config) -> None:
    """Lead the tests through the room where this is one process of several."""
    if folder := getattr(config, "workerinput", {}).get(_ROOM):
        config.pluginmanager.register(Room(Path(folder)))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Node) -> None:
    """Tell another process where the room is, which is there for as long as this one."""
    config = node.config
    if _FOLDER not in config.stash:
        config.stash[_FOLDER] = TemporaryDirectory(prefix="room-")
        config.add_cleanup(config.stash[_FOLDER].cleanup)
    node.workerinput[_ROOM] = config.stash[_FOLDER].name


def _is_alone(item: pytest.Item) -> bool:
    return item.get_closest_marker("alone") is not None
