"""The version that a database notes, read without what migrates it: that takes long to load."""

from sqlalchemy import Connection, String, column, inspect, select, table

# In a database that others use as well, "alembic_version" may be theirs.
TABLE = "directory_version"
# The last step in `migrations/versions`.
NEWEST = "0003"


def is_newest(connection: Connection) -> bool:
    """Say whether the database is as this release knows it; an empty one is not."""
    if not inspect(connection).has_table(TABLE):
        return False
    noted = select(column("version_num", String)).select_from(table(TABLE))
    return connection.scalars(noted).all() == [NEWEST]
