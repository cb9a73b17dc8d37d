"""The database: SQLite in one file, or PostgreSQL by URL; transactions and their safety.

Entrances open a transaction (STYLE 28); services never commit.  What a peer was told is
stored must survive a power cut, so a database that may lose acknowledged rows is refused
(RELIABILITY 1: SQLite with synchronous=NORMAL lost 446 of 693 acknowledged messages).
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session, SessionTransaction, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

from node import migrations

# Another process of this node may hold SQLite's write lock for one batch, never for longer.
BUSY_TIMEOUT_S = 10
# A waiting request must answer within ten seconds (RELIABILITY F5).
LOCK_TIMEOUT_S = 8
CONNECT_TIMEOUT_S = 5
# The slowest statement is a report over 1,000,000 ledger entries: seconds.
STATEMENT_TIMEOUT_S = 60
# Every web thread and the worker may hold one, and one more while it reads beside a write.
POOL_SIZE = 10
POOL_OVERFLOW = 20

POSTGRESQL_DRIVER = "postgresql+psycopg"


class DatabaseUnsafe(Exception):
    """The database may lose rows it has acknowledged; correct its settings and start again."""


class DatabaseURLInvalid(Exception):
    """The database URL must name a SQLite file or a PostgreSQL database."""


class CommitUnknown(Exception):
    """The commit failed, so it is unknown whether it was stored; ask again."""


# What an entrance answers with 503: the store is away or full, nothing is known to be wrong.
UNAVAILABLE = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError, CommitUnknown)


class Database:
    """One node's store: `transaction()` writes, `reading()` reads, `upgrade()` migrates."""

    def __init__(self, url: str, *, unsafe: bool = False) -> None:
        self._url = _normal(url)
        self.dialect = self._url.get_backend_name()
        # One writer at a time in this process: SQLite's own busy loop sleeps, a lock does not
        # (LIBRARIES 2: the slowest hundredth is three times faster).
        self._lock = threading.Lock()
        self._inside = threading.local()
        if self.dialect == "sqlite":
            _create_file(Path(str(self._url.database)))
            self._engine = _sqlite_engine(self._url)
        else:
            self._engine = _postgresql_engine(self._url, unsafe=unsafe)
        self._reading = self._engine
        if self.dialect == "postgresql":
            self._reading = self._engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        self._write_session = sessionmaker(self._engine, expire_on_commit=False)
        self._read_session = sessionmaker(self._reading, expire_on_commit=False, autoflush=False)
        if self.dialect == "sqlite":
            # On the sessions, not on the engine: there it would cost every statement something.
            event.listen(self._write_session, "after_begin", _begin_writing)
            event.listen(self._read_session, "after_begin", _begin_reading)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Give a session that is committed at the end, or rolled back on any error."""
        assert not getattr(self._inside, "writes", False), "a transaction is open in this thread"
        with self._write_lock(), self._write_session() as session:
            self._inside.writes = True
            try:
                yield session
                _commit(session)
            finally:
                self._inside.writes = False

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session on one consistent view that refuses to write."""
        with self._read_session() as session:
            yield session

    def check(self) -> None:
        """Raise unless a connection can be made and its settings keep what they acknowledge."""
        with self.reading() as session:
            session.connection().exec_driver_sql("SELECT 1")

    def upgrade(self, target: str = "head") -> None:
        """Bring the schema to this release's, or to that of a backup; whole, or not at all."""
        if target == "head" and self.revision() == migrations.head():
            return
        # Nearly never needed, and a tenth of a node's memory: see node/migrations.
        from node.migrations import running

        with self._write_lock(), self.engine.connect() as connection:
            running.upgrade(connection, target)

    def revision(self) -> str | None:
        """Return the schema's revision, None for an empty database."""
        with self.reading() as session:
            return migrations.revision(session.connection())

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    @property
    def engine(self) -> Engine:
        """Return an engine whose connections may write, for migrations and their tests."""
        engine = self._engine.execution_options()
        if self.dialect == "sqlite":
            event.listen(engine, "begin", _begin)
        return engine

    @contextmanager
    def _write_lock(self) -> Iterator[None]:
        if self.dialect != "sqlite":
            yield
            return
        if not self._lock.acquire(timeout=LOCK_TIMEOUT_S):
            raise exc.TimeoutError("another transaction holds the database")
        try:
            yield
        finally:
            self._lock.release()


def _commit(session: Session) -> None:
    session.flush()
    try:
        session.commit()
    except exc.DBAPIError as error:
        # SQLite leaves such a transaction open, and with it the write lock: the connection goes.
        session.invalidate()
        # RELIABILITY 1: a failed commit means unknown, never "not stored".
        raise CommitUnknown from error


def _normal(url: str) -> URL:
    """Return `url` with our driver; raise for anything but a SQLite file or PostgreSQL."""
    try:
        parsed = make_url(url)
    except exc.ArgumentError as error:
        raise DatabaseURLInvalid from error
    backend = parsed.get_backend_name()
    if backend in ("postgresql", "postgres"):
        return parsed.set(drivername=POSTGRESQL_DRIVER)
    if backend == "sqlite" and parsed.database and parsed.database != ":memory:":
        return parsed.set(drivername="sqlite")
    raise DatabaseURLInvalid


def _create_file(path: Path) -> None:
    """Create the file readable to its owner only; SQLite's side files copy its mode."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _sqlite_engine(url: URL) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,  # An error's text goes to the log, its values never.
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        # `isolation_level=None`: the driver starts no transactions, `_begin_sqlite` does.
        connect_args={"timeout": BUSY_TIMEOUT_S, "isolation_level": None},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    for name, value in (("journal_mode", "WAL"), ("synchronous", "FULL"), ("foreign_keys", "ON")):
        cursor.execute(f"PRAGMA {name}={value}")
        cursor.execute(f"PRAGMA {name}")
        row = cursor.fetchone()
        if row is None or row[0] != expected[name]:
            raise DatabaseUnsafe(f"SQLite does not accept {name}={value} here")
    cursor.close()


def _begin(connection: Connection) -> None:
    """Begin to write: the lock is taken at once, since a reader that turns writer may fail."""
    _straight(connection, "PRAGMA query_only=OFF")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_writing(_: Session, __: SessionTransaction, connection: Connection) -> None:
    _begin(connection)


def _begin_reading(_: Session, __: SessionTransaction, connection: Connection) -> None:
    _straight(connection, "PRAGMA query_only=ON", "BEGIN")


def _straight(connection: Connection, *statements: str) -> None:
    """To the driver: these cannot fail, and would cost more than a small query otherwise."""
    cursor = connection.connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    cursor.close()


def _postgresql_engine(url: URL, *, unsafe: bool) -> Engine:
    options = {
        "statement_timeout": STATEMENT_TIMEOUT_S,
        "lock_timeout": LOCK_TIMEOUT_S,
        "idle_in_transaction_session_timeout": STATEMENT_TIMEOUT_S,
    }
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_pre_ping=True,  # A restarted server costs no request its answer.
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_S,
            "options": " ".join(f"-c {name}={value}s" for name, value in options.items()),
        },
    )
    if not unsafe:
        event.listen(engine, "connect", _check_postgresql)
    return engine


def _check_postgresql(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        cursor.execute(f"SELECT current_setting('{name}')")
        row = cursor.fetchone()
        if row is None or row[0] == "off":
            raise DatabaseUnsafe(f"PostgreSQL runs with {name}=off")
    cursor.close()
    connection.rollback()
