"""API keys; and which credentials an account has, and who renews them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_ID = sa.String(16).with_variant(sa.String(16, collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table of keys and the columns of accounts."""
    op.create_table(
        "api_keys",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("scopes", _TEXT, nullable=False),
        sa.Column("reference", _TEXT),
        sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("revoked_at", sa.DateTime),
    )
    op.add_column("accounts", sa.Column("revision", sa.Integer, nullable=False, server_default="1"))
    op.add_column("accounts", sa.Column("renewal_token", _TEXT))
    op.add_column("accounts", sa.Column("renewal_until", sa.DateTime))
