"""The databases of the demonstration: SQLite files, or one PostgreSQL server with one for each."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from node.cli.demo.postgresql import NoPostgreSQL, PostgreSQLServer
from node.cli.demo.workshop import Workshop
from node.cli.entrance import Failed
from node.database import Database

# A server of one's own, as for the tests: postgresql://user:password@host/postgres
OWN_SERVER = "TEST_PG_URL"
ADMIN_DATABASE = "postgres"


@contextmanager
def databases_of(workshop: Workshop, *, kept: bool) -> Iterator[list[Path]]:
    """Name each node's database in its place, for as long as the block lasts.

    Gives the folders outside of the workshop in which databases lie. `kept`: for a second run.
    """
    if workshop.nodes_on == "sqlite":
        yield []
        return
    own = os.environ.get(OWN_SERVER, "")
    names = {place.id: f"tasuki_demo_{workshop.smtp_port}_{place.id}" for place in workshop.places}
    with ExitStack() as stack:
        if own:
            admin, elsewhere = own, []
            urls = {member: _in_own_server(own, name) for member, name in names.items()}
        else:
            server = stack.enter_context(_server(workshop.folder / "postgresql" if kept else None))
            admin, elsewhere = server.url(ADMIN_DATABASE), [] if kept else [server.data]
            urls = {member: server.url(name) for member, name in names.items()}
        if not workshop.finished:
            _command(
                admin, [f'CREATE DATABASE "{name}" TEMPLATE template0' for name in names.values()]
            )
        if own and not kept:
            drops = [f'DROP DATABASE "{name}" WITH (FORCE)' for name in names.values()]
            stack.callback(_command, admin, drops)
        for place in workshop.places:
            place.database_url = urls[place.id]
        yield elsewhere


@contextmanager
def _server(data: Path | None) -> Iterator[PostgreSQLServer]:
    try:
        # Durable, since a node refuses a server that may forget.
        server = PostgreSQLServer(durable=True, data=data)
        server.start()
    except NoPostgreSQL as reason:
        raise Failed(
            f"There is no PostgreSQL to be had: {reason}. Install PostgreSQL, name a server in "
            f"{OWN_SERVER}, or leave out --nodes-on postgresql."
        ) from reason
    try:
        yield server
    finally:
        server.close()


def _in_own_server(own: str, name: str) -> str:
    return urlsplit(own)._replace(path=f"/{name}").geturl()


def _command(admin: str, statements: list[str]) -> None:
    database = Database(admin)
    try:
        with database.engine.connect() as connection:
            alone = connection.execution_options(isolation_level="AUTOCOMMIT")
            for statement in statements:
                alone.exec_driver_sql(statement)
    finally:
        database.close()
