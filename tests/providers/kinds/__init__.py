"""What the tests know of each kind of provider: one module here for each that is registered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from upstreams import Answer

from app.model.entries import Stream
from app.providers.page import Capability
from app.settings.providers import KINDS


class Row(NamedTuple):
    """An entry of an emulated history."""

    id: str
    at: datetime
    amount: int


Emulate = Callable[[Sequence[Row]], Answer]
"""Makes answers of rows, the newest first, as the provider gives them to the account's owner."""


@dataclass(frozen=True)
class Contract:
    """What the documents of a kind let it promise, and how it is emulated.

    `time_field` names the field of an entry's time, by stream. `knows_order` says whether its list
    tells the two passes of the repeated hour apart. What the sandbox emulates is reached there with
    `settings`, and needs no `emulate`.
    """

    capabilities: frozenset[Capability]
    time_field: Mapping[Stream, str]
    zone: ZoneInfo
    knows_order: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)
    emulate: Emulate | None = None


@dataclass(frozen=True)
class Recorded:
    """A recorded answer that a page needs, and what each place of it stands for in the page.

    `rows` is where its entries are; "-" where it has none. `stands_for` lists the fields of its
    entry that may differ when a place is damaged; a place that is not named may differ nowhere.
    `optional` places may be absent, all other named ones may not, nor may those in `required`.
    `amounts` are the places of a row that hold one.
    """

    name: str
    stream: Stream
    rows: str = "-"
    stands_for: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    amounts: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Kind:
    """One kind of provider.

    `credentials` are those of the account under test, `settings` what it needs beside its address.
    `files` names the recorded answer of each path, `recorded` those that make a page, `balances`
    the answers and places in them that a balance is read from.
    """

    credentials: Mapping[str, str]
    contract: Contract
    files: Mapping[str, str]
    recorded: tuple[Recorded, ...]
    balances: tuple[tuple[str, str], ...]
    settings: Mapping[str, Any] = field(default_factory=dict)


KNOWN: Mapping[str, Kind] = {kind: import_module(f"kinds.{kind}").KIND for kind in KINDS}
