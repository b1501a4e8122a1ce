"""What a mirror gives to read."""

from typing import NamedTuple

from app.mirror.snapshot import Snapshot
from app.model.errors import UpstreamError


class Reading(NamedTuple):
    """A snapshot that may be served; `error` is why it is stale, where that is known."""

    snapshot: Snapshot
    is_stale: bool
    error: UpstreamError | None = None
