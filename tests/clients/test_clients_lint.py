"""graphql-eslint's presets, over the schema and over what the clients ask."""

import re
from pathlib import Path

from graphql import build_schema
from node_scripts import FOLDER, answer_of, needs_clients

pytestmark = needs_clients
SCHEMA = FOLDER.parents[1] / "schema.graphql"
WRONG = """
type shelf {
  books: [String]
}

type ShelfConnection {
  edges: [ShelfEdge]
}

type ShelfEdge {
  node: String
}
"""


def test_nothing_of_the_schema_or_of_what_clients_ask_is_complained_of() -> None:
    told = answer_of("lint.mjs")

    assert told["found"] == []
    assert [Path(name).name for name in told["files"]] == [
        "schema.graphql",
        "operations.graphql",
        "Changes.js",
        "Lists.js",
    ]


def test_a_schema_that_breaks_the_rules_is_complained_of_by_each_of_them() -> None:
    wrong = SCHEMA.read_text(encoding="utf-8") + WRONG

    told = answer_of("lint.mjs", {"file": "schema.graphql", "wrong": wrong})

    assert {one["rule"] for one in told["found"]} >= {
        "require-description",
        "naming-convention",
        "strict-id-in-types",
        "relay-connection-types",
        "relay-edge-types",
        "no-unreachable-types",
    }


def test_an_operation_that_breaks_the_rules_is_complained_of() -> None:
    file, wrong = "tests/clients/operations.graphql", "{ viewer { subject telephone } }"

    told = answer_of("lint.mjs", {"file": file, "wrong": wrong})

    assert {one["rule"] for one in told["found"]} >= {
        "fields-on-correct-type",
        "no-anonymous-operations",
    }


def test_whatever_is_excused_from_a_description_is_there_and_has_none() -> None:
    rules = (FOLDER / "rules.mjs").read_text(encoding="utf-8")
    listed = re.search(r"const undescribed = \[(.*?)\]", rules, re.DOTALL)
    schema = build_schema(SCHEMA.read_text(encoding="utf-8"))

    excused = re.findall(r"\w+", listed[1]) if listed else []
    kinds = [schema.type_map.get(name) or schema.get_directive(name) for name in excused]
    undescribed = [kind.name for kind in kinds if kind and not kind.description]
    assert undescribed == excused == ["oneOf"]
