"""Carrying the migrations out, by Alembic; loaded when there is something to carry out."""

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from node.migrations import FOLDER, SchemaNewer, revision

# Any fixed number: two processes that start together must not both migrate PostgreSQL.
ADVISORY_LOCK = 7_834_201


def configuration(connection: Connection) -> Config:
    """Return Alembic's configuration for this folder and an open connection."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    # The default separator splits at spaces; a folder may have one in its name.
    config.set_main_option("path_separator", "os")
    return config


def upgrade(connection: Connection, target: str = "head") -> None:
    """Upgrade to `target` in one transaction of `connection`, which is closed by commit."""
    config = configuration(connection)
    script = ScriptDirectory.from_config(config)
    known = {each.revision for each in script.walk_revisions()}
    foreign_keys(connection, on=False)
    try:
        with connection.begin():
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")
            current = revision(connection)
            if current is not None and current not in known:
                raise SchemaNewer
            command.upgrade(config, target)
            check_foreign_keys(connection)
    finally:
        foreign_keys(connection, on=True)


def foreign_keys(connection: Connection, *, on: bool) -> None:
    """Switch SQLite's foreign keys, outside of a transaction, where alone it has effect.

    A batch migration drops and rebuilds the parent table; with the keys on, that deletes
    every child with ON DELETE CASCADE, silently (LIBRARIES 7).
    """
    if connection.dialect.name == "sqlite":
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute(f"PRAGMA foreign_keys={'ON' if on else 'OFF'}")


def check_foreign_keys(connection: Connection) -> None:
    """Raise when a migration left a row pointing at nothing; the transaction rolls back."""
    if connection.dialect.name == "sqlite":
        orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        assert not orphans, f"rows without their parent in {sorted({row[0] for row in orphans})}"
