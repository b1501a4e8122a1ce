"""The types of the schema, by what they are about."""

from app.api.types.enums import describe

describe()
