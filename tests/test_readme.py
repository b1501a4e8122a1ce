"""The README is a product: what it shows is what is."""

import re
from pathlib import Path

from graphql import parse, validate

from app.api.schema import schema
from app.settings import reference

README = (Path(__file__).parents[1] / "README.md").read_text()


def table() -> str:
    """Return the configuration as the README has to show it."""
    rows = "\n".join(
        f"| `{key}` | {meaning} | {shape.replace('|', '/')} | `{default}` |"
        for key, shape, default, meaning in reference()
    )
    return f"| key | meaning | value | default |\n| --- | --- | --- | --- |\n{rows}\n"


def test_the_configuration_is_shown_as_it_is() -> None:
    shown = README.split("<!-- configuration -->\n")[1].split("<!-- /configuration -->")[0]

    assert shown.strip() == table().strip(), f"write this between the marks:\n{table()}"


def test_the_queries_are_valid() -> None:
    queries = re.findall(r"```graphql\n(.*?)```", README, re.DOTALL)

    assert queries
    for query in queries:
        assert validate(schema._schema, parse(query)) == []


def test_every_path_that_is_named_exists() -> None:
    named = re.findall(r"`((?:app|tests|docker)/[a-z_/.]+)`", README)

    assert named
    for path in named:
        assert (Path(__file__).parents[1] / path).exists(), path
