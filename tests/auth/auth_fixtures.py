"""A key server and gateways that ask who is calling."""

from collections.abc import Iterator

import pytest
from issuing import KeyServer, guarded, key_server
from world import World, world


@pytest.fixture(scope="session")
def open_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Serve the sample customers to everyone."""
    with world(tmp_path_factory.mktemp("auth"), entries=10) as one:
        yield one


@pytest.fixture
def keys() -> Iterator[KeyServer]:
    with key_server() as server:
        yield server


@pytest.fixture
def served(open_world: World, keys: KeyServer) -> Iterator[World]:
    """Serve a gateway that reads the issuer's keys from its key server."""
    with guarded(open_world, jwks_url=keys.url) as one:
        yield one


@pytest.fixture(scope="module")
def steady(open_world: World) -> Iterator[World]:
    """Serve a gateway whose key server knows two keys and never fails."""
    with key_server() as server:
        server.heal("rsa", "p256")
        with guarded(open_world, jwks_url=server.url) as one:
            yield one
