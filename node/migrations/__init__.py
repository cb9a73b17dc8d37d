"""Migrations: the schema's history, forwards only; which release's schema a database has.

What carries them out is `node.migrations.running`, with Alembic. A node that starts on today's
schema, as nearly every one does, needs nine megabytes less for not loading it.
"""

from pathlib import Path

from sqlalchemy import Connection, inspect

FOLDER = Path(__file__).parent


class SchemaNewer(Exception):
    """The database belongs to a newer release; install that release, or restore a backup."""


class DowngradeRefused(Exception):
    """The schema only goes forwards; to go back, restore the backup taken before the upgrade."""


def head() -> str:
    """Return this release's revision: its steps' files are numbered."""
    return max(step.name.partition("_")[0] for step in FOLDER.glob("versions/[0-9]*_*.py"))


def revision(connection: Connection) -> str | None:
    """Return the revision stored in the database, as Alembic keeps it; None in an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
