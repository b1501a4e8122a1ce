"""Who listens, and until when."""

import asyncio
from collections.abc import Sequence

from app.api.streams.streams import Streams
from app.model.errors import Unauthenticated, UpstreamUnavailable

# While it cannot be told whether a key was revoked, its streams go on for about a minute.
_MOST_UNTOLD = 5
# A timer may wake a little before the instant by the clock of the day.
_SHORTEST_SECONDS = 0.001


async def lost(
    streams: Streams, authorization: Sequence[str]
) -> Unauthenticated | UpstreamUnavailable:
    """Wait until the caller of these headers is no longer known, and return why.

    A token's end is exact. What else may end a caller, a revoked key or a withdrawn one of the
    issuer's, is looked for again and again.
    """
    known, untold = None, 0
    while True:
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
        pause = streams.pace.between_checks.total_seconds()
        if known is not None and known.ends is not None:
            left = (known.ends - streams.clock()).total_seconds()
            pause = min(pause, max(left, _SHORTEST_SECONDS))
        await asyncio.sleep(pause)
