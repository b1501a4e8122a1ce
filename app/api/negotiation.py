"""Which media type an answer has: what the caller accepts, of what can be given."""

import re
from functools import lru_cache
from http import HTTPStatus

from app.api.requests import Refused

RESPONSE_TYPE = "application/graphql-response+json"
JSON_TYPE = "application/json"
EVENTS_TYPE = "text/event-stream"
# Where several are accepted alike, the first of these that was named.
_OFFERED = (RESPONSE_TYPE, JSON_TYPE, EVENTS_TYPE)
# Clients are of few kinds, each of which accepts the same each time.
_MOST_REMEMBERED = 100
# RFC 9110, 12.4.2.
_WEIGHT = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")


@lru_cache(_MOST_REMEMBERED)
def accepted(accept: str) -> str:
    """Choose the media type of the answer; `Refused` with 406 when none of ours is accepted.

    It is JSON where none is named. A stream of events has to be named.
    """
    if not accept.strip(" ,"):
        return JSON_TYPE
    named = _weights(accept)
    any_of_ours = named.get("application/*", named.get("*/*", 0.0))
    weights = {kind: named.get(kind, any_of_ours) for kind in (RESPONSE_TYPE, JSON_TYPE)}
    weights[EVENTS_TYPE] = named.get(EVENTS_TYPE, 0.0)
    best = max(weights.values())
    if best <= 0:
        raise Refused(
            HTTPStatus.NOT_ACCEPTABLE,
            f"The answer can be {RESPONSE_TYPE}, {JSON_TYPE} or {EVENTS_TYPE} only.",
        )
    liked = [kind for kind in _OFFERED if weights[kind] == best]
    if chosen := [kind for kind in liked if kind in named]:
        return chosen[0]
    return JSON_TYPE if JSON_TYPE in liked else liked[0]


def _weights(accept: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for part in accept.split(","):
        media_type, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        weights[media_type] = float(weight) if _WEIGHT.fullmatch(weight) else 0.0
    return weights
