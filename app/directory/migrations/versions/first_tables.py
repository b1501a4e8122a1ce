"""The tables of the first release, which made them without a record of its version."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_ID = sa.String(16).with_variant(sa.String(16, collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables, unless the first release did."""
    if sa.inspect(op.get_bind()).has_table("customers"):
        return
    op.create_table(
        "customers",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("reference", _TEXT, nullable=False, unique=True),
        sa.Column("display_name", _TEXT),
        sa.Column("searched", _TEXT, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "accounts",
        sa.Column("id", _ID, primary_key=True),
        sa.Column(
            "customer_id", _ID, sa.ForeignKey("customers.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("provider", _TEXT, nullable=False),
        sa.Column("label", _TEXT),
        sa.Column("external_id", _TEXT),
        sa.Column("status", _TEXT, nullable=False),
        sa.Column("linked_at", sa.DateTime, nullable=False),
        sa.Column("credentials", sa.LargeBinary, nullable=False),
    )
    op.create_index(
        "accounts_one_for_each_label",
        "accounts",
        ["customer_id", "provider", sa.text("coalesce(label, '')")],
        unique=True,
    )
