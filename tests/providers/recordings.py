"""The documented example answers, replayed by path."""

import json
from pathlib import Path
from typing import Any

from kinds import KNOWN
from upstreams import Answer, by_path

_FIXTURES = Path(__file__).parent / "fixtures"


def recording(kind: str, name: str) -> Any:  # noqa: ANN401 - a JSON value
    """Return one recorded answer, a new copy each time."""
    return json.loads((_FIXTURES / kind / f"{name}.json").read_text("utf-8"))


def recordings(kind: str) -> dict[str, Any]:
    """Return all answers of a kind of provider by their paths."""
    return {path: recording(kind, name) for path, name in KNOWN[kind].files.items()}


def replaying(kind: str, **instead: Any) -> Answer:  # noqa: ANN401 - JSON values or replies
    """Answer as recorded, but for the recordings named (`_` for `-`) as given."""
    table = recordings(kind)
    for path, name in KNOWN[kind].files.items():
        if name.replace("-", "_") in instead:
            table[path] = instead[name.replace("-", "_")]
    return by_path(table)
