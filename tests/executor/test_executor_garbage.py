"""What is executed is freed once nobody holds it: the garbage collector has nothing to look for."""

import gc
from collections.abc import Iterator

import pytest
from graphql import parse
from mirrored import OWNER, Mirrored, mirrored

from app.api.context import Context

TIMES = 20
PAGE = parse("""query($reference: String!) { customer(reference: $reference) {
  creditChanges(first: 50) { nodes { id account { label } } sources { state } } } }""")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirrored]:
    with mirrored(tmp_path_factory.mktemp("mirrored")) as one:
        yield one


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize(("executor", "left"), [("compiled", 0), ("stock", TIMES)])
def test_what_a_page_was_made_of_is_freed_with_it(
    gateway: Mirrored, executor: str, left: int
) -> None:
    execute = getattr(gateway, executor)

    execute(PAGE, {"reference": OWNER}, times=TIMES)

    assert sum(type(one) is Context for one in gc.get_objects()) == left
