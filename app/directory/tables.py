"""The tables of the directory."""

from datetime import UTC, datetime

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


class Instant(TypeDecorator[datetime]):
    """An aware time, kept in UTC: SQLite itself would forget the zone."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _: Dialect) -> datetime | None:
        """Return the time as the database keeps it."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, _: Dialect) -> datetime | None:
        """Return the time aware again."""
        return None if value is None else value.replace(tzinfo=UTC)


metadata = MetaData()

customers = Table(
    "customers",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("reference", String, nullable=False, unique=True),
    Column("display_name", String),
    # Reference and name with their case folded: SQLite compares only ASCII whatever the case.
    Column("searched", String, nullable=False),
    Column("created_at", Instant, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("customer_id", ForeignKey("customers.id", ondelete="CASCADE"), nullable=False),
    Column("provider", String, nullable=False),
    Column("label", String),
    Column("external_id", String),
    Column("status", String, nullable=False),
    Column("linked_at", Instant, nullable=False),
    Column("credentials", LargeBinary, nullable=False),
    # Grows with each other credentials, so that nothing read under the former is taken for theirs.
    Column("revision", Integer, nullable=False, server_default="1"),
    # Whose turn it is to renew the credentials, and until when.
    Column("renewal_token", String),
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
    Column("id", String(16), primary_key=True),
    Column("name", String, nullable=False),
    # Separated by spaces, as in a token.
    Column("scopes", String, nullable=False),
    Column("reference", String),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
)
