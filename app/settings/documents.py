"""The file of documents that an operator trusts."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo

from app.settings.secret import surroundings
from app.settings.values import Written, refusal


def _read(value: object, info: ValidationInfo) -> Mapping[str, str]:
    """Return the documents by their hash; none where no file is named."""
    if isinstance(value, Mapping):  # the default
        return value
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004 (pydantic turns a ValueError into a named problem)
    if not value:
        return {}
    try:
        documents: Any = json.loads((surroundings(info).folder / value).read_text("utf-8"))
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        raise refusal(f"its file {value!r} cannot be read ({reason})") from None
    except (ValueError, RecursionError):
        raise refusal(f"its file {value!r} is not JSON in UTF-8") from None
    if not isinstance(documents, dict) or not documents:
        raise refusal(f"its file {value!r} holds no documents; write {{hash: document}} into it")
    for name, document in documents.items():
        if not isinstance(document, str):
            raise refusal(f"in its file {value!r} the document of {name!r} is not a text")
    return documents


TrustedDocuments = Annotated[
    Mapping[str, str],
    BeforeValidator(_read),
    Written('the path of a JSON file {hash: document}, or ""', lambda _: '""'),
]
