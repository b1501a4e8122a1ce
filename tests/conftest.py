"""Settings of all tests."""

import os
from collections.abc import Iterator

import pytest
from alone import pytest_configure, pytest_configure_node
from canaries import SecretTold, Watch, watching
from commands import Run
from hypothesis import settings
from places import directory, place, postgres

__all__ = [
    "directory",
    "place",
    "postgres",
    "pytest_configure",
    "pytest_configure_node",
    "run",
]

# A shared machine is slow at times; that is no failure. HYPOTHESIS_PROFILE=long looks harder.
settings.register_profile("usual", deadline=None, max_examples=150)
settings.register_profile("long", deadline=None, max_examples=3000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "usual"))


@pytest.fixture(scope="session")
def watch() -> Iterator[Watch]:
    """Read all that is logged at DEBUG."""
    with watching() as one:
        yield one


@pytest.fixture(autouse=True)
def _no_secret_is_logged(watch: Watch) -> Iterator[None]:
    yield
    found, watch.found = watch.found, []
    if found:
        raise SecretTold(str(found))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], watch: Watch) -> Iterator[Run]:
    """Run commands in this process and see what they print."""
    before = dict(os.environ)
    yield Run(capsys)
    # A command chooses what is logged, and tells its workers by the environment, for its process.
    watch.listen()
    os.environ.clear()
    os.environ.update(before)
