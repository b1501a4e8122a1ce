"""From a request to the bytes of its answer, which may have been given before."""

from dataclasses import dataclass, replace
from datetime import timedelta

import orjson

from app.api.context import Context
from app.api.execution import Executor, Outcome, Response
from app.api.requests import Request
from app.responses.cache import ResponseCache
from app.responses.kept import Kept


@dataclass(frozen=True)
class Answer:
    """One answer: `fresh_for` that long, None where it is not to be kept by anybody.

    `kept` is what lies in the cache now, and `is_hit` says that it lay there before.
    """

    body: bytes
    outcome: Outcome
    has_errors: bool
    fresh_for: timedelta | None
    kept: Kept | None = None
    is_hit: bool = False


class Answering:
    """Answers queries and mutations; without `responses` each is answered anew."""

    def __init__(self, executor: Executor, responses: ResponseCache | None) -> None:
        self._executor = executor
        self._responses = responses

    async def answer(
        self, request: Request, context: Context, *, anew: bool, queries_only: bool
    ) -> Answer:
        """Return the answer, not one that was given before where it is wanted `anew`.

        Raises `MutationByGet` and nothing else.
        """
        responses = self._responses
        if responses is None:
            response = await self._executor.answer(request, context, queries_only=queries_only)
            return _written(response, context)
        asked = (request.query, request.document_id, request.operation_name, request.variables)
        key = responses.key(context.viewer, *asked)
        kept = await responses.find(key) if key and not anew else None
        context.services.metrics.lookups.add("responses", "hit" if kept else "miss")
        if kept:
            fresh_for = responses.left(kept) or timedelta(0)
            return Answer(
                kept.body,
                Outcome.EXECUTED,
                has_errors=False,
                fresh_for=fresh_for,
                kept=kept,
                is_hit=True,
            )
        since = responses.mark
        response = await self._executor.answer(request, context, queries_only=queries_only)
        answer = _written(response, context)
        if key and response.lasts and answer.fresh_for and context.fresh_until:
            body, until = answer.body, context.fresh_until
            kept = responses.keep(key, body, until, context.made_of, since)
            return replace(answer, kept=kept)
        return answer


def _written(response: Response, context: Context) -> Answer:
    """Write an answer; what is partial or wrong is not kept at all."""
    fresh_for = None if response.has_errors else context.fresh_for
    body = orjson.dumps(response.body)
    return Answer(body, response.outcome, response.has_errors, fresh_for)
