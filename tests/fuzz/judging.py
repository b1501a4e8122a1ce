"""What every answer of the gateway has to be, whatever was asked."""

import json
import re
from pathlib import Path
from typing import Any

_CODES = {
    "BAD_USER_INPUT",
    "COST_LIMIT_EXCEEDED",
    "DOCUMENT_NOT_TRUSTED",
    "FORBIDDEN",
    "GRAPHQL_PARSE_FAILED",
    "GRAPHQL_VALIDATION_FAILED",
    "INVALID_CURSOR",
    "NOT_FOUND",
    "PERSISTED_QUERY_NOT_FOUND",
    "RATE_LIMITED",
    "UNAUTHENTICATED",
}
_TYPES = {"application/json", "application/graphql-response+json"}
# Words of the libraries beneath, which tell a caller nothing and an attacker something.
_FOREIGN = re.compile(
    r"Traceback|Error\(|set_int_max_str_digits|site-packages|recursion|0x[0-9a-f]{8}"
)
SCHEMA = Path(__file__).parents[2] / "schema.graphql"


def judge(status: int, content_type: str, body: bytes) -> None:
    """Fail unless an answer is below 500, in JSON, and each of its errors says a code of ours.

    Providers work while this is asked, so that no error of theirs is expected.
    """
    assert 200 <= status < 500, (status, body[:500])
    if status == 304:
        assert body == b""
        return
    assert content_type.partition(";")[0] in _TYPES, (content_type, body[:500])
    answer: Any = json.loads(body)
    assert isinstance(answer, dict)
    assert answer.keys() <= {"data", "errors", "extensions"}
    errors = answer.get("errors", [])
    assert errors or "data" in answer
    assert status == 200 or errors, (status, body[:500])
    for error in errors:
        assert error["extensions"]["code"] in _CODES, error
        assert not _FOREIGN.search(error["message"]), error
