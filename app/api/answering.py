"""From a request to the bytes of its answer, which may have been given before."""

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

import orjson

from app.api.context import Context
from app.api.execution import Executor, Outcome, Response
from app.api.requests import Request
from app.metrics.metrics import Metrics
from app.model.viewer import Viewer
from app.observing.observation import note_operation
from app.responses.cache import ResponseCache
from app.responses.kept import Kept


class Answer(NamedTuple):
    """One answer: `fresh_for` that long, None where it is not to be kept by anybody.

    `kept` is what lies in the cache now, and `is_hit` says that it lay there before.
    """

    body: bytes
    outcome: Outcome
    has_errors: bool
    fresh_for: timedelta | None
    kept: Kept | None = None
    is_hit: bool = False


class How(NamedTuple):
    """How to answer: with nothing that was given before, and no request that changes something."""

    anew: bool
    queries_only: bool


class Answering:
    """Answers queries and mutations; without `responses` each is answered anew."""

    def __init__(
        self, executor: Executor, responses: ResponseCache | None, metrics: Metrics
    ) -> None:
        self._executor = executor
        self._responses = responses
        self._metrics = metrics

    async def answer(
        self, request: Request, viewer: Viewer, make_context: Callable[[], Context], how: How
    ) -> Answer:
        """Return the answer to a viewer's request; raises `MutationByGet` and nothing else."""
        responses = self._responses
        if responses is None:
            context = make_context()
            return _written(await self._executed(request, context, how), context)
        key = key_of(responses, viewer, request)
        found = await responses.find(key) if key and not how.anew else None
        self._metrics.lookups.add("responses", "hit" if found else "miss")
        if found:
            note_operation("query", request.operation_name, None)
            kept, left = found
            return Answer(
                kept.body,
                Outcome.EXECUTED,
                has_errors=False,
                fresh_for=left,
                kept=kept,
                is_hit=True,
            )
        since, context = responses.mark, make_context()
        response = await self._executed(request, context, how)
        answer = _written(response, context)
        if key and response.lasts and answer.fresh_for and context.fresh_until:
            body, until = answer.body, context.fresh_until
            made_of = context.made_of
            return answer._replace(kept=responses.keep(key, body, until, made_of, since))
        return answer

    async def _executed(self, request: Request, context: Context, how: How) -> Response:
        return await self._executor.answer(request, context, queries_only=how.queries_only)


def key_of(responses: ResponseCache, viewer: Viewer, request: Request) -> bytes | None:
    """Return the key of a viewer's request; None where it has none."""
    asked = (request.query, request.document_id, request.operation_name, request.variables)
    return responses.key(viewer, *asked)


def _written(response: Response, context: Context) -> Answer:
    """Write an answer; what is partial or wrong is not kept at all."""
    fresh_for = None if response.has_errors else context.fresh_for
    body = orjson.dumps(response.body)
    return Answer(body, response.outcome, response.has_errors, fresh_for)
