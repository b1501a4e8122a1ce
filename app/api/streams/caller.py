"""Who listens, and until when."""

import asyncio
from collections.abc import Sequence

from app.api.streams.streams import Streams
from app.model.errors import Unauthenticated, UpstreamUnavailable
from app.model.viewer import Known

# While it cannot be told whether a key was revoked, its streams go on for about a minute.
_MOST_UNTOLD = 5
# A timer may wake a little before the instant by the clock of the day.
_SHORTEST_SECONDS = 0.001


async def lost(
    streams: Streams, authorization: Sequence[str], known: Known | None = None
) -> Unauthenticated | UpstreamUnavailable:
    """Wait until the caller of these headers is no longer known, and return why.

    `known` is what was known of it when the stream began; None to ask first.
    A token's end is exact. What else may end a caller, a revoked key or a withdrawn one of the
    issuer's, is looked for again and again.
    """
    untold = 0
    while True:
        if known is not None or untold:
            await asyncio.sleep(_pause(streams, known))
        try:
            now = await streams.ask(authorization)
        except Unauthenticated as error:
            return error
        except UpstreamUnavailable as error:
            untold += 1
            if untold > _MOST_UNTOLD:
                return error
        else:
            untold = 0
            if known is not None and now.viewer != known.viewer:
                return Unauthenticated("The caller's rights have changed.", sent=True)
            known = now


def _pause(streams: Streams, known: Known | None) -> float:
    """Return how many seconds there are until it has to be asked again."""
    pause = streams.pace.between_checks.total_seconds()
    if known is None or known.ends is None:
        return pause
    left = (known.ends - streams.clock()).total_seconds()
    return min(pause, max(left, _SHORTEST_SECONDS))
