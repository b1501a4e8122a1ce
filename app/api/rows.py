"""Rows of answers as they were written, until something that rows are made of is purged."""

from app.api.executor import Kept
from app.mirror.store import PURGED
from app.redis.changes import Changes

# One of a process, as its schema is.
rows = Kept()


def forget_what_is_purged(changes: Changes) -> None:
    """Forget all rows as soon as any history is purged, or may have been without being heard of.

    Nobody is given a row of an account that is gone; this is so that it lies nowhere any more.
    Purges are rare, and to write rows again takes some microseconds each.
    """

    def heard(name: str) -> None:
        if name.rpartition(" ")[2] == PURGED:
            rows.forget()

    changes.listen(heard, rows.forget, at_once=True)
