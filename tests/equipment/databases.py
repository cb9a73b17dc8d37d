"""Fresh databases for tests, on both engines: migrated once, then copied for each test."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path
from typing import Protocol

import pytest
from sqlalchemy import create_engine, make_url, text

from node.cli.demo.postgresql import PostgreSQLServer

# A server of one's own to test on, as a superuser: postgresql+psycopg://user:pw@host/postgres
OWN_SERVER = "TEST_PG_URL"

# The engines of the longest tests: both, or one in CI's short form, since shorter ones have both.
LONG_TESTS_ON = os.environ.get("LONG_TESTS_ON", "sqlite postgresql").split()
MARKS = {"sqlite": (), "postgresql": (pytest.mark.postgresql,)}
LONG_TESTS = [pytest.param(engine, marks=MARKS[engine]) for engine in LONG_TESTS_ON]

Migrate = Callable[[str], None]


class Databases(Protocol):
    """`fresh()` lends the URL of an empty, migrated database, and clears it away afterwards."""

    def fresh(self) -> AbstractContextManager[str]: ...


class SQLiteDatabases:
    """Copies of one migrated file."""

    def __init__(self, folder: Path, migrate: Migrate) -> None:
        self._folder, self._numbers = folder, count(1)
        self._template = folder / "template.sqlite"
        migrate(f"sqlite:///{self._template}")

    @contextmanager
    def fresh(self) -> Iterator[str]:
        path = self._folder / f"test-{next(self._numbers)}.sqlite"
        shutil.copyfile(self._template, path)
        yield f"sqlite:///{path}"
        for file in self._folder.glob(f"{path.name}*"):
            file.unlink()


class PostgreSQLDatabases:
    """Copies of one migrated template database, on a server that `url_of` knows."""

    def __init__(self, url_of: Callable[[str], str], migrate: Migrate) -> None:
        self._url_of, self._numbers = url_of, count(1)
        self._name = f"tasuki_test_{os.getpid()}"
        self._command(f"DROP DATABASE IF EXISTS {self._name}")
        self._command(f"CREATE DATABASE {self._name} TEMPLATE template0 ENCODING 'UTF8'")
        migrate(url_of(self._name))

    @contextmanager
    def fresh(self) -> Iterator[str]:
        name = f"{self._name}_{next(self._numbers)}"
        # Copied as files: quicker than through the log, for databases that live a second.
        self._command(f"CREATE DATABASE {name} TEMPLATE {self._name} STRATEGY FILE_COPY")
        yield self._url_of(name)
        self._command(f"DROP DATABASE {name} WITH (FORCE)")

    def close(self) -> None:
        self._command(f"DROP DATABASE IF EXISTS {self._name} WITH (FORCE)")

    def _command(self, statement: str) -> None:
        engine = create_engine(self._url_of("postgres"), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.execute(text(statement))
        finally:
            engine.dispose()


@contextmanager
def postgresql_server() -> Iterator[Callable[[str], str]]:
    """How to name a database on a real server: the developer's own, or one started here."""
    own = os.environ.get(OWN_SERVER)
    if own:
        url = make_url(own)
        yield lambda name: url.set(database=name).render_as_string(hide_password=False)
        return
    with PostgreSQLServer() as server:
        yield server.url
