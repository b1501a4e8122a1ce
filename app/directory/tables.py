"""The tables of the directory, as the migrations leave them."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
    func,
    text,
)
from sqlalchemy.exc import DontWrapMixin
from sqlalchemy.types import TypeEngine

from app.model.errors import BadUserInput


class Instant(TypeDecorator[datetime]):
    """An aware time, kept in UTC: SQLite itself would forget the zone."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _: Dialect) -> datetime | None:
        """Return the time as the database keeps it."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, _: Dialect) -> datetime | None:
        """Return the time aware again."""
        # To replace its zone takes ten times as long.
        return None if value is None else datetime.combine(value.date(), value.time(), UTC)


class Unkeepable(BadUserInput, DontWrapMixin):
    """A text that no database can keep."""


class Text(TypeDecorator[str]):
    """A text, compared by code points in every database; `Unkeepable` where it cannot be kept."""

    impl = String
    cache_ok = True

    def __init__(self, length: int | None = None) -> None:
        super().__init__(length)
        self.length = length

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return what the database calls it; SQLite compares by code points by itself."""
        by_code_point = "C" if dialect.name == "postgresql" else None
        return dialect.type_descriptor(String(self.length, by_code_point))

    def process_bind_param(self, value: str | None, _: Dialect) -> str | None:
        """Return the text, which is one that can be kept."""
        if value is not None and not is_keepable(value):
            raise Unkeepable("a text holds a character that cannot be kept; leave it out")
        return value


def is_keepable(value: str) -> bool:
    """Say whether every database can keep a text: PostgreSQL no NUL, none half a character."""
    return "\0" not in value and not any("\ud800" <= each <= "\udfff" for each in value)


metadata = MetaData()

customers = Table(
    "customers",
    metadata,
    Column("id", Text(16), primary_key=True),
    Column("reference", Text, nullable=False, unique=True),
    Column("display_name", Text),
    # Reference and name with their case folded: SQLite compares only ASCII whatever the case.
    Column("searched", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", Text(16), primary_key=True),
    Column("customer_id", ForeignKey("customers.id", ondelete="CASCADE"), nullable=False),
    Column("provider", Text, nullable=False),
    Column("label", Text),
    Column("external_id", Text),
    Column("status", Text, nullable=False),
    Column("linked_at", Instant, nullable=False),
    Column("credentials", LargeBinary, nullable=False),
    # Grows with each other credentials, so that nothing read under the former is taken for theirs.
    Column("revision", Integer, nullable=False, server_default="1"),
    # Whose turn it is to renew the credentials, and until when.
    Column("renewal_token", Text),
    Column("renewal_until", Instant),
)

# To a unique index two nulls differ; two accounts without a label do not.
label_or_none = func.coalesce(accounts.c.label, text("''"))
Index(
    "accounts_one_for_each_label",
    accounts.c.customer_id,
    accounts.c.provider,
    label_or_none,
    unique=True,
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text(16), primary_key=True),
    Column("name", Text, nullable=False),
    # Separated by spaces, as in a token.
    Column("scopes", Text, nullable=False),
    Column("reference", Text),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
)
