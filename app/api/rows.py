"""Rows of answers as they were merged and written, until something that they are of is purged."""

from app.api.context import Services
from app.api.executor import Kept
from app.mirror.store import PURGED

# One of a process, as its schema is.
rows = Kept()


def forget_what_is_purged(services: Services) -> None:
    """Forget all rows as soon as any history is purged, or may have been without being heard of.

    Nobody is given a row of an account that is gone; this is so that it lies nowhere any more.
    Purges are rare, and to merge and write rows again takes some microseconds each.
    """

    def forget() -> None:
        services.windows.forget()
        rows.forget()

    def heard(name: str) -> None:
        if name.rpartition(" ")[2] == PURGED:
            forget()

    services.changes.listen(heard, forget, at_once=True)
