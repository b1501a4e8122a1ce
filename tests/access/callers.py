"""A gateway whose callers say themselves who they are, so that any viewer can be tried."""

import json
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from canaries import assert_none
from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.routing import Route
from world import configuration, import_customers

from app import settings
from app.api import requests
from app.api.answering import Answering
from app.api.context import Context, Services
from app.api.deadline import Deadline
from app.api.entrance import Entrance
from app.api.execution import Executor, Response
from app.api.http import GraphQLEndpoint
from app.api.streams.streams import Streams
from app.auth.callers import Anyone
from app.main import executor
from app.metrics.metrics import Metrics
from app.model.viewer import Scope, Viewer
from app.redis.rates import Allowance
from app.sandbox import Sandbox, SandboxServer
from app.services import services

_HEADER = "X-Caller"


@dataclass
class Callers:
    """One gateway in this process and the sandbox behind it."""

    services: Services
    sandbox: Sandbox
    http: httpx.AsyncClient
    executor: Executor

    async def ask(
        self, viewer: Viewer, query: str, variables: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the whole answer that a viewer gets; of a subscription, whether it listens."""
        if query.startswith("subscription"):
            return await self._listens(viewer, query)
        said = [viewer.subject, sorted(viewer.scopes), viewer.reference]
        response = await self.http.post(
            "/graphql",
            json={"query": query, "variables": variables},
            headers={_HEADER: json.dumps(said), "Accept": "application/graphql-response+json"},
        )
        assert_none(response.text, "an answer")
        answer: dict[str, Any] = response.json()
        return answer

    async def _listens(self, viewer: Viewer, query: str) -> dict[str, Any]:
        context = Context(self.services, viewer, Deadline(timedelta(seconds=10)))
        answers = await self.executor.answers(requests.Request(query), context)
        if isinstance(answers, Response):
            return answers.body
        await answers.aclose()
        return {"data": "listening"}


def viewer(reference: str | None, scopes: Iterable[Scope]) -> Viewer:
    return Viewer(f"somebody of {reference}", frozenset(scopes), reference)


@asynccontextmanager
async def callers(folder: Path, *, entries: int = 30) -> AsyncIterator[Callers]:
    """Open a gateway with the sandbox's sample customers; everything is closed in the end."""
    with SandboxServer(Sandbox(entries=entries)) as providers:
        more = "[limits]\ncost = 1000000"
        configured = settings.load(configuration(folder, providers.url, more), {})
        await import_customers(configured, providers.sandbox.sample_customers())
        async with services(configured) as opened:
            executes = executor(configured, opened)
            transport = httpx.ASGITransport(_app(configured, opened, executes))
            async with httpx.AsyncClient(transport=transport, base_url="http://here") as http:
                yield Callers(opened, providers.sandbox, http, executes)


def _app(configured: settings.Settings, opened: Services, executes: Executor) -> Starlette:
    async def who(http: HTTPConnection) -> Viewer:
        subject, scopes, reference = json.loads(http.headers[_HEADER])
        return Viewer(subject, frozenset(map(Scope, scopes)), reference)

    def make_context(_: HTTPConnection, caller: Viewer) -> Context:
        return Context(opened, caller, Deadline(timedelta(seconds=10)))

    def take(caller: Viewer) -> Awaitable[Allowance]:
        return opened.rates.take(caller.subject, configured.limits.rate)

    streams = Streams(Anyone().known, opened.clock)
    answering = Answering(executes, None, Metrics())
    entrance = Entrance(who, take, make_context, executes, streams, answering)
    return Starlette(routes=[Route("/graphql", GraphQLEndpoint(lambda: entrance))])
