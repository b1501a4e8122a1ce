"""The documented example answers, replayed by path."""

import json
from pathlib import Path
from typing import Any

from upstreams import Answer, by_path

_FIXTURES = Path(__file__).parent / "fixtures"
_FILES = {
    "cloudreve": {
        "/session/token/refresh": "refresh",
        "/user/creditChanges": "credit-changes",
        "/user/payments": "payments",
        "/user/setting": "setting",
    },
    "hostup": {
        "/account/currency": "currency",
        "/billing/credit-log": "credit-log",
        "/billing/transactions": "transactions",
        "/billing/account-summary": "account-summary",
    },
    "carecloud": {
        "/users/actions/login": "login",
        "/currencies": "currencies",
        "/credit-history": "credit-history",
        "/wallet/actions/credits-overview": "credits-overview",
    },
}


def recording(kind: str, name: str) -> Any:  # noqa: ANN401 - a JSON value
    """Return one recorded answer, a new copy each time."""
    return json.loads((_FIXTURES / kind / f"{name}.json").read_text("utf-8"))


def recordings(kind: str) -> dict[str, Any]:
    """Return all answers of a kind of provider by their paths."""
    return {path: recording(kind, name) for path, name in _FILES[kind].items()}


def replaying(kind: str, **instead: Any) -> Answer:  # noqa: ANN401 - JSON values or replies
    """Answer as recorded, but for the recordings named (`_` for `-`) as given."""
    table = recordings(kind)
    for path, name in _FILES[kind].items():
        if name.replace("-", "_") in instead:
            table[path] = instead[name.replace("-", "_")]
    return by_path(table)
