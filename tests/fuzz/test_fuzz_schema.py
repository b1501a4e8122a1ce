"""Documents that schemathesis makes from the schema, valid ones and others, break nothing."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from judging import SCHEMA, judge
from plainly import answering
from plainly import given as answer
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.graphql import nodes
from starlette.types import Receive, Scope, Send
from world import World, serving, world

# Chance asks more often, and for more at once, than one caller may.
MORE = '[limits]\nrate = "1000000/minute"\ncost = 1000000\ndepth = 50\n'
EXAMPLES = 30
TIMES = st.datetimes().map(lambda time: f"{time:%Y-%m-%dT%H:%M:%SZ}")
TEXTS = TIMES | st.text(max_size=20) | st.sampled_from(["1.00", "-5", "2026-01-01", "C-1001"])
for name in ("DateTime", "Decimal"):
    schemathesis.graphql.scalar(name, TEXTS.map(nodes.String))
schema = schemathesis.graphql.from_path(SCHEMA, config=SchemathesisConfig())
OPERATIONS = {
    one.ok().label: one.ok() for one in schema.get_all_operations() if isinstance(one, Ok)
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("schema"), more=MORE, entries=5) as one:
        yield one


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as one:
        one.trust_env = False
        yield one


def asked(label: str, mode: GenerationMode, url: str, session: requests.Session) -> Counter[str]:
    """Ask what is made for one field of the roots; return how many answers had data or errors."""
    seen: Counter[str] = Counter()
    strategy = OPERATIONS[label].as_strategy(generation_mode=mode)

    @given(strategy)
    @settings(
        max_examples=EXAMPLES,
        # What fails is told as it is found: to make it smaller would ask for too long.
        phases=[Phase.reuse, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: schemathesis.Case[Any]) -> None:
        response = case.call(base_url=f"{url}/graphql", session=session)
        judge(response.status_code, response.headers["content-type"][0], response.content)
        given_back = response.json()
        seen.update(name for name in ("data", "errors") if given_back.get(name))

    ask()
    return seen


def test_documents_of_the_schema_are_answered(served: World, session: requests.Session) -> None:
    seen = {
        label: asked(label, GenerationMode.POSITIVE, served.url, session) for label in OPERATIONS
    }

    # Or nothing would have been executed, or checked.
    assert seen["Query.viewer"]["data"] > EXAMPLES / 4
    assert seen["Mutation.createCustomer"]["errors"] > EXAMPLES / 4
    assert served.data("{ viewer { subject } }") == {"viewer": {"subject": "anonymous"}}


def test_documents_that_are_not_of_the_schema_are_refused(
    served: World, session: requests.Session
) -> None:
    seen = {
        label: asked(label, GenerationMode.NEGATIVE, served.url, session) for label in OPERATIONS
    }

    assert seen["Query.node"]["errors"] > EXAMPLES / 2
    assert served.data("{ viewer { subject } }") == {"viewer": {"subject": "anonymous"}}


async def _broken(_: Scope, __: Receive, ___: Send) -> None:
    raise RuntimeError


def test_a_server_that_breaks_is_found_out(session: requests.Session) -> None:
    internal = b'{"errors": [{"message": "Internal error.", "extensions": {"code": "INTERNAL"}}]}'
    hidden = answer(internal, {"Content-Type": "application/json"})

    for broken in (_broken, hidden):
        with serving(answering({"/graphql": broken})) as url, pytest.raises(AssertionError):
            asked("Query.viewer", GenerationMode.POSITIVE, url, session)
