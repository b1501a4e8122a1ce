"""Migrations: the database of an earlier release is brought up to this one."""

from importlib.resources import as_file, files
from typing import Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from app.directory import version
from app.model.errors import ConfigurationError


def migrate(connection: Connection) -> None:
    """Apply what is missing, within the connection's transaction; nobody else may be at it.

    Raises `ConfigurationError` where the database is of a later release.
    """
    with as_file(files("app.directory") / "migrations") as folder:
        steps = ScriptDirectory(str(folder))
        if _is_migrated(steps, _context(connection)):
            return
        _require_unicode(connection)

        def missing(noted: Any, _: MigrationContext) -> Any:  # noqa: ANN401 - Alembic's own
            return steps._upgrade_revs("head", noted)  # noqa: SLF001 - as its commands do it

        context = _context(connection, fn=missing)
        with Operations.context(context):
            context.run_migrations()


def _require_unicode(connection: Connection) -> None:
    if connection.dialect.name != "postgresql":
        return
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
    if encoding != "UTF8":
        raise ConfigurationError(
            f"directory.url: the database keeps texts in {encoding}; make one in UTF8 for it"
        )


def _is_migrated(steps: ScriptDirectory, context: MigrationContext) -> bool:
    noted = context.get_current_revision()
    if noted is not None and noted not in {step.revision for step in steps.walk_revisions()}:
        raise ConfigurationError(
            "directory.url: the database is of a later release of this gateway; "
            "install that release or name another database"
        )
    return noted == steps.get_current_head()


def _context(connection: Connection, **options: object) -> MigrationContext:
    return MigrationContext.configure(connection, opts={"version_table": version.TABLE, **options})
