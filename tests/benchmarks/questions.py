"""What the servers are asked, and what of their answers has to be the same."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Row = tuple[Any, ...]
RowsOf = Callable[[Mapping[str, Any]], list[Row]]

OWNER = "C-1001"
PAGES = 10
PAGE_ROWS = 100

_ROW = """occurredAt amount { amount unit } balanceAfter { amount unit } kind reason description
      account { label provider { name } }"""
PAGE = f"""query Page($reference: String!) {{
  customer(reference: $reference) {{
    displayName
    creditChanges(first: 50) {{
      nodes {{ id {_ROW} }}
      pageInfo {{ hasNextPage endCursor }}
      sources {{ state account {{ provider {{ name }} }} }}
    }}
  }}
}}"""
# One page of many, for the cursors of the question below.
NEXT_PAGE = f"""query Next($reference: String!, $after: String) {{
  customer(reference: $reference) {{
    creditChanges(first: {PAGE_ROWS}, after: $after) {{
      nodes {{ id {_ROW} }} pageInfo {{ endCursor }}
    }}
  }}
}}"""
_ALIASES = [f"page{number}" for number in range(PAGES)]
_PAGES = " ".join(
    f"{alias}: creditChanges(first: {PAGE_ROWS}, after: ${alias}) {{ ...Page }}"
    for alias in _ALIASES
)
TEN_PAGES = f"""query Pages($reference: String!, {", ".join(f"${a}: String" for a in _ALIASES)}) {{
  customer(reference: $reference) {{
    {_PAGES}
  }}
}}
fragment Page on CreditChangeConnection {{
  nodes {{ id {_ROW} }}
  pageInfo {{ hasNextPage endCursor }}
}}"""
# The lists as the providers give them, as nothing merges them; with this many fields of fifty rows
# the answer is about as large.
THREE_LISTS = """query Lists($customer: String!, $cloud: Int!, $loyalty: Int!) {
  creditChanges(page_size: $cloud, order_direction: "desc") {
    data { changes { changed_at diff reason } }
  }
  creditLog(page: 0) {
    data {
      log {
        id date client_id in out balance description invoice_id transaction_id admin_id admin_name
        currency_id transid brand_id client_brand_id firstname lastname
      }
    }
  }
  creditHistory(
    customer_id: $customer, count: $loyalty
    sort_field: "credit_history_record_time", sort_direction: "DESC"
  ) {
    data {
      total_items
      credit_history {
        customer_id amount credit_operation_type credit_operation_note partner_id store_id
        currency_id credit_history_record_time
      }
    }
  }
}"""


def body(query: str, **variables: object) -> str:
    """Return the body of a request, in one line."""
    return json.dumps({"query": query, "variables": variables})


def ten_pages(cursors: Sequence[str | None]) -> str:
    """Return the body that asks for a page behind each of ten cursors; None is the newest end."""
    return body(TEN_PAGES, reference=OWNER, **dict(zip(_ALIASES, cursors, strict=True)))


def page_rows(data: Mapping[str, Any]) -> list[Row]:
    """Return what every server has to tell alike of a page, equal instants in any order."""
    return _rows(data["customer"]["creditChanges"]["nodes"])


def ten_pages_rows(data: Mapping[str, Any]) -> list[Row]:
    """Return the same of all pages."""
    nodes = (node for alias in _ALIASES for node in data["customer"][alias]["nodes"])
    return _rows(list(nodes))


def list_rows(data: Mapping[str, Any]) -> list[Row]:
    """Return when each of the providers' own rows happened, and how much it was."""
    lists = (
        data["creditChanges"]["data"]["changes"],
        data["creditLog"]["data"]["log"],
        data["creditHistory"]["data"]["credit_history"],
    )
    return own_rows(lists)


def own_rows(lists: Sequence[Sequence[Mapping[str, Any]]]) -> list[Row]:
    """Return the same of lists of rows as the providers give them."""
    changes, log, records = lists
    rows: list[Row] = [(row["changed_at"], row["diff"]) for row in changes]
    rows += [(row["date"], row["in"], row["out"], row["balance"]) for row in log]
    return rows + [(row["credit_history_record_time"], row["amount"]) for row in records]


def _rows(nodes: list[Mapping[str, Any]]) -> list[Row]:
    return sorted(
        (
            # Without its hour: the peers read the one that occurs twice in autumn as if it did not.
            node["occurredAt"][:11] + node["occurredAt"][13:],
            node["account"]["provider"]["name"],
            node["amount"]["amount"],
            node["amount"]["unit"],
            node["kind"],
            node["reason"],
            str(node["description"]),
            str(node["balanceAfter"]),
        )
        for node in nodes
    )
