"""What queries cost in front of the three emulated providers."""

from typing import Any

from graphql import GraphQLSchema, OperationDefinitionNode, parse

from app.api.costs.costs import Costs
from app.api.schema import schema
from app.providers.carecloud import CareCloud
from app.providers.cloudreve import Cloudreve
from app.providers.hostup import HostUp

SCHEMA: GraphQLSchema = schema._schema
COSTS = Costs(SCHEMA, [one.capabilities for one in (Cloudreve, HostUp, CareCloud)], page_limit=100)
CUSTOMER = 'customer(reference: "C-1001")'
# All that a list of entries shows for each of them.
ROW = """id occurredAt kind reason description amount { amount unit } balanceAfter { amount }
  account { label provider { name } } details { ... on HostUpCreditChange { in out } }"""


def price(query: str, variables: dict[str, Any] | None = None) -> int:
    """Return what the first operation of a document costs."""
    document = parse(query)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return COSTS.requested(document, operation, variables or {})


def changes(arguments: str = "", selected: str = "nodes { id }") -> str:
    """Return a query for one page of a customer's credit changes."""
    return f"{{ {CUSTOMER} {{ creditChanges{arguments} {{ {selected} }} }} }}"


def summary(arguments: str = "", selected: str = "start") -> str:
    """Return a query for a customer's series."""
    units = f"units {{ series {{ {selected} }} }}"
    return f"{{ {CUSTOMER} {{ creditSummary{arguments} {{ {units} }} }} }}"
