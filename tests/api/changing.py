"""Mutations of customers and accounts, as tests ask for them."""

from typing import Any

from world import World

CREATE = """mutation($input: CreateCustomerInput!) { createCustomer(input: $input) {
  customer { id reference displayName accounts { id } } clientMutationId } }"""
DELETE = """mutation($input: DeleteCustomerInput!) { deleteCustomer(input: $input) {
  deletedCustomerId clientMutationId } }"""
LINK = """mutation($input: LinkAccountInput!) { linkAccount(input: $input) {
  account { id label status externalId linkedAt provider { name } customer { reference } }
  clientMutationId } }"""
UNLINK = """mutation($input: UnlinkAccountInput!) { unlinkAccount(input: $input) {
  unlinkedAccountId clientMutationId } }"""
KINDS = {"cloud": "cloudreve", "hosting": "hostup", "loyalty": "carecloud"}
NEWEST = """query($id: ID!) { node(id: $id) { ... on Account {
  creditChanges(first: 5) { nodes { id occurredAt amount { amount } } sources { state } }
  balance { reported { amount } } } } }"""


def credentials(one: World, name: str, reference: str = "C-1001") -> dict[str, dict[str, str]]:
    """Return new credentials of a sandbox customer's account, as `linkAccount` takes them."""
    return {KINDS[name]: one.sandbox.issue_credentials(KINDS[name], reference)}


def create(one: World, reference: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any input
    return one.ask(CREATE, {"input": {"reference": reference, **more}})


def link(
    one: World, reference: str, name: str, given: object, label: str | None = None
) -> dict[str, Any]:
    """Link an account to a customer and return the whole answer."""
    told = {"customerReference": reference, "provider": name, "label": label}
    return one.ask(LINK, {"input": {**told, "credentials": given}})


def linked(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the account of an answer without errors."""
    assert "errors" not in answer, answer["errors"]
    account: dict[str, Any] = answer["data"]["linkAccount"]["account"]
    return account


def unlink(one: World, account_id: str) -> dict[str, Any]:
    return one.ask(UNLINK, {"input": {"accountId": account_id}})


def delete(one: World, reference: str) -> dict[str, Any]:
    return one.ask(DELETE, {"input": {"reference": reference}})


def refusal(answer: dict[str, Any]) -> tuple[str, str | None]:
    """Return the code and the field of the one error of an answer."""
    (error,) = answer["errors"]
    return error["extensions"]["code"], error["extensions"].get("field")
