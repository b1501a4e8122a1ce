"""What a gateway executes documents with while its mirrors are warm."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from inspect import isawaitable
from pathlib import Path
from typing import Any

from graphql import DocumentNode, ExecutionResult, execute
from world import configuration, import_customers

from app import settings
from app.api.context import Context, Services
from app.api.deadline import Deadline
from app.api.executor import CompilingExecutor, Kept, Operations
from app.api.schema import schema
from app.auth.anonymous import ANONYMOUS
from app.sandbox import Sandbox, SandboxServer
from app.services import services

SCHEMA = schema._schema
OWNER = "C-1001"

# Once read, nothing is read again.
_MORE = """
[cache]
fresh_for = "1d"
"""


class Mirrored:
    """Executes documents over warm mirrors, with nothing of a request around that."""

    def __init__(self, runner: asyncio.Runner, opened: Services) -> None:
        self._runner = runner
        self._opened = opened
        self._operations = Operations(SCHEMA)
        self._keeping = Operations(SCHEMA, kept=Kept())

    def stock(
        self, document: DocumentNode, variables: dict[str, Any], *, times: int = 1
    ) -> ExecutionResult:
        """Return what the stock executor makes of a document, the last time of several."""
        return self._runner.run(self._repeated(document, variables, times, {}))

    def compiled(
        self, document: DocumentNode, variables: dict[str, Any], *, times: int = 1
    ) -> ExecutionResult:
        """Return what the compiling executor makes of it, data as they are."""
        ours = {"executor_class": CompilingExecutor, "operations": self._operations}
        return self._runner.run(self._repeated(document, variables, times, ours))

    def kept(
        self, document: DocumentNode, variables: dict[str, Any], *, times: int = 1
    ) -> ExecutionResult:
        """Return what it makes as the gateway uses it: rows are kept as they were written."""
        ours = {"executor_class": CompilingExecutor, "operations": self._keeping}
        return self._runner.run(self._repeated(document, variables, times, ours))

    async def _repeated(
        self,
        document: DocumentNode,
        variables: dict[str, Any],
        times: int,
        options: dict[str, Any],
    ) -> ExecutionResult:
        for _ in range(times - 1):
            await self._result(document, variables, options)
        return await self._result(document, variables, options)

    async def _result(
        self,
        document: DocumentNode,
        variables: dict[str, Any],
        options: dict[str, Any],
    ) -> ExecutionResult:
        context = Context(self._opened, ANONYMOUS, Deadline(timedelta(seconds=20)))
        result = execute(SCHEMA, document, None, context, variables, **options)
        return await result if isawaitable(result) else result


@contextmanager
def mirrored(folder: Path, *, entries: int = 120) -> Iterator[Mirrored]:
    """Serve a gateway's services over emulated providers; time stands still for them."""
    now = datetime.now(UTC)
    with (
        SandboxServer(Sandbox(entries=entries)) as providers,
        asyncio.Runner() as runner,
    ):
        configured = settings.load(configuration(folder, providers.url, _MORE), {})
        asyncio.run(import_customers(configured, providers.sandbox.sample_customers()))
        stack = AsyncExitStack()
        opened = runner.run(stack.enter_async_context(services(configured, lambda: now)))
        try:
            yield Mirrored(runner, opened)
        finally:
            runner.run(stack.aclose())
