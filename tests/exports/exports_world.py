"""Exports of a gateway over HTTP, beside what its GraphQL says of the same lists."""

import json
from collections.abc import Mapping
from typing import Any

import httpx
from graphql_rows import SLUGS, page_query, unaliased
from world import World

Where = Mapping[str, Any]


def exported(world: World, history: str, form: str, where: Where | None = None) -> httpx.Response:
    """Return the answer to an export of C-1002, which has four accounts."""
    return world.http.get(f"/customers/C-1002/{SLUGS[history]}.{form}", params=where or {})


def lines(response: httpx.Response) -> list[dict[str, Any]]:
    assert response.status_code == httpx.codes.OK, response.text
    return [json.loads(line) for line in response.text.splitlines()]


def listed(
    world: World, history: str, where: Where | None = None, order: str = "NEWEST_FIRST"
) -> list[dict[str, Any]]:
    """Return all rows of the same list, page by page, as GraphQL gives them."""
    rows: list[dict[str, Any]] = []
    after, more = None, True
    while more:
        page = world.data(
            page_query(history),
            {"of": "C-1002", "first": 100, "after": after, "where": where, "order": order},
        )["customer"]["list"]
        rows += map(unaliased, page["nodes"])
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    return rows


def code(response: httpx.Response) -> str:
    """Return the code of a refusal's first error."""
    return str(response.json()["errors"][0]["extensions"]["code"])
