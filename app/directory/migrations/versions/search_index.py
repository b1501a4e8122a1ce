"""
An index that finds customers by any part of what is searched.

Every three characters in a row are one term of it. Two separators follow the text, so that each of
its characters begins a term: a shorter search is the beginning of terms.
"""

from alembic import op

revision = "0003"
down_revision = "0002"

_POSTGRESQL = (
    """
    CREATE FUNCTION customer_terms(text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
      SELECT array_to_tsvector(ARRAY(
        SELECT substr($1 || E'\\x1f\\x1f', first, 3) FROM generate_series(1, length($1)) AS first
      ))
    $$
    """,
    "CREATE INDEX customers_search ON customers USING gin (customer_terms(searched))",
)

# The numbers of rows may change in SQLite unless they are a column; a term is kept by numbers.
_SQLITE = (
    """
    CREATE TABLE customers_search_numbers (
      number INTEGER PRIMARY KEY, customer_id VARCHAR(16) NOT NULL UNIQUE
    )
    """,
    """
    CREATE VIRTUAL TABLE customers_search USING fts5 (
      searched, content='', detail='none', columnsize=0, tokenize='trigram case_sensitive 1'
    )
    """,
    "CREATE VIRTUAL TABLE customers_search_terms USING fts5vocab (customers_search, instance)",
    """
    INSERT INTO customers_search_numbers (customer_id)
    SELECT id FROM customers ORDER BY reference
    """,
    """
    INSERT INTO customers_search (rowid, searched)
    SELECT number, searched || char(31, 31)
    FROM customers_search_numbers JOIN customers ON customers.id = customer_id ORDER BY number
    """,
    """
    CREATE TRIGGER customers_search_inserted AFTER INSERT ON customers BEGIN
      INSERT INTO customers_search_numbers (customer_id) VALUES (new.id);
      INSERT INTO customers_search (rowid, searched) SELECT number, new.searched || char(31, 31)
      FROM customers_search_numbers WHERE customer_id = new.id;
    END
    """,
    """
    CREATE TRIGGER customers_search_updated AFTER UPDATE OF searched ON customers
    WHEN old.searched <> new.searched BEGIN
      INSERT INTO customers_search (customers_search, rowid, searched)
      SELECT 'delete', number, old.searched || char(31, 31)
      FROM customers_search_numbers WHERE customer_id = old.id;
      INSERT INTO customers_search (rowid, searched) SELECT number, new.searched || char(31, 31)
      FROM customers_search_numbers WHERE customer_id = old.id;
    END
    """,
    """
    CREATE TRIGGER customers_search_deleted AFTER DELETE ON customers BEGIN
      INSERT INTO customers_search (customers_search, rowid, searched)
      SELECT 'delete', number, old.searched || char(31, 31)
      FROM customers_search_numbers WHERE customer_id = old.id;
      DELETE FROM customers_search_numbers WHERE customer_id = old.id;
    END
    """,
)


def upgrade() -> None:
    """Make the index, with those customers in it that are there."""
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL:
        op.get_bind().exec_driver_sql(statement)
