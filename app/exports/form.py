"""What an export can be written as; `formats` writes it."""

from enum import StrEnum


class Format(StrEnum):
    CSV = "csv"
    NDJSON = "ndjson"
