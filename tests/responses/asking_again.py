"""Asking the same again, of one gateway or of two that share a Redis and a directory."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
from lists import until
from redis_server import RedisServer, redis_server
from world import World, gateway

from app import settings
from app.model.viewer import Viewer
from app.responses.cache import ResponseCache

# `fresh_for` is long, so that nothing but a purge makes anybody ask a provider again.
LONG = '[cache]\nfresh_for = "1h"\n'
CHANGES = """query Changes($r: String!, $n: Int = 5) { customer(reference: $r) {
  reference displayName creditChanges(first: $n) {
    nodes { id occurredAt amount { amount } } totalCount sources { state readAt } } } }"""
C_1001 = {"r": "C-1001"}
KEPT_IN_REDIS = "credit-gateway:response:*"


def ask(
    one: World,
    query: str = CHANGES,
    variables: Mapping[str, Any] | None = None,
    /,
    **headers: str,
) -> httpx.Response:
    """Return the whole response; `headers` have `_` for `-`, and variables are C-1001's if none."""
    return one.http.post(
        "/graphql",
        json={"query": query, "variables": C_1001 if variables is None else variables},
        headers={name.replace("_", "-"): text for name, text in headers.items()},
    )


def is_hit(response: httpx.Response) -> bool:
    return response.headers["x-cache"] == "HIT"


def kept(
    one: World,
    query: str = CHANGES,
    variables: Mapping[str, Any] | None = None,
    /,
    **headers: str,
) -> httpx.Response:
    """Ask until the answer is one that was given before, and return that."""
    found: list[httpx.Response] = []

    def hits() -> bool:
        found.append(ask(one, query, variables, **headers))
        return is_hit(found[-1])

    until(hits)
    return found[-1]


def data(response: httpx.Response) -> Any:  # noqa: ANN401 - whatever was asked for
    """Return the data of an answer without errors."""
    answer = json.loads(response.content)
    assert "errors" not in answer, answer["errors"]
    return answer["data"]


def newest(response: httpx.Response) -> str:
    """Return the amount of the newest entry in an answer to CHANGES."""
    amount: str = data(response)["customer"]["creditChanges"]["nodes"][0]["amount"]["amount"]
    return amount


def account_of(one: World, name: str, reference: str = "C-1001") -> str:
    """Return the id of a customer's account at a provider."""
    query = "query($r: String!) { customer(reference: $r) { accounts { id provider { name } } } }"
    accounts = one.data(query, {"r": reference})["customer"]["accounts"]
    found: str = next(each["id"] for each in accounts if each["provider"]["name"] == name)
    return found


def add_entry(one: World, amount: str, reference: str = "C-1001") -> None:
    """Let an entry arrive at HostUp, of which no gateway knows yet."""
    entry = {"in": amount, "out": "0.00"}
    one.sandbox.add_entry("hostup", "credit_changes", reference, entry=entry)


def forgetting(
    seen_as: Callable[[Viewer], Viewer],
) -> Callable[..., bytes | None]:
    """Return a key for answers that takes a viewer for another one."""
    whole = ResponseCache.key

    def key(cache: ResponseCache, viewer: Viewer, *asked: object) -> bytes | None:
        return whole(cache, seen_as(viewer), *asked)

    return key


@contextmanager
def both(
    served: World, redis: RedisServer | None = None, /, **other: str
) -> Iterator[tuple[World, World, RedisServer]]:
    """Serve two gateways on one Redis and one directory; `other` is what the second has else."""
    with ExitStack() as stack:
        redis = redis or stack.enter_context(redis_server())
        one, two = (stack.enter_context(sharing(served, redis, **more)) for more in ({}, other))
        yield one, two, redis


@contextmanager
def sharing(served: World, redis: RedisServer, /, **more: str) -> Iterator[World]:
    """Serve a gateway on a Redis; `more` are its settings, as the environment names them."""
    environ = {f"GATEWAY_{name}": text for name, text in more.items()}
    file = served.folder / "gateway.toml"
    shared = settings.load(file, {"GATEWAY_CACHE__URL": redis.url, **environ})
    with gateway(shared, served.sandbox, served.folder) as one:
        yield one


def written(redis: RedisServer) -> dict[bytes, bytes]:
    """Return the answers that are kept in Redis, by their names there."""
    with redis.client() as client:
        names = list(client.scan_iter(KEPT_IN_REDIS))
        found = {name: client.get(name) for name in names}
    return {name: value for name, value in found.items() if isinstance(value, bytes)}


def settled(redis: RedisServer, count: int = 1) -> dict[bytes, bytes]:
    """Wait until so many answers are kept in Redis, and return them."""
    until(lambda: len(written(redis)) >= count)
    return written(redis)
