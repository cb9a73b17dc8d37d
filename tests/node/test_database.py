"""The database: what is asserted of both engines, and what a transaction promises."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, exc, select, text

from node import models
from node.cli.demo.postgresql import NoPostgreSQL, PostgreSQLServer
from node.database import UNAVAILABLE, CommitUnknown, Database, DatabaseUnsafe, DatabaseURLInvalid


def suppression(name: str) -> models.Suppression:
    return models.Suppression(contact_index=name.encode(), created_at=1_800_000_000)


def stored(database: Database) -> list[bytes]:
    with database.reading() as session:
        return sorted(session.scalars(select(models.Suppression.contact_index)))


def test_a_transaction_is_committed_at_its_end(database: Database) -> None:
    with database.transaction() as session:
        session.add(suppression("a"))
    assert stored(database) == [b"a"]


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    def fail() -> None:
        with database.transaction() as session:
            session.add(suppression("a"))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert stored(database) == []
    with database.transaction() as session:
        session.add(suppression("b"))
    assert stored(database) == [b"b"]


def test_reading_refuses_to_write(database: Database) -> None:
    with database.reading() as session:
        session.add(suppression("a"))
        with pytest.raises((exc.OperationalError, exc.InternalError)):
            session.flush()
    with database.transaction() as session:
        session.add(suppression("b"))
    assert stored(database) == [b"b"]


def test_reading_sees_one_view_while_another_writes(database: Database) -> None:
    with database.reading() as session:
        before = session.scalars(select(models.Suppression)).all()
        with database.transaction() as other:
            other.add(suppression("a"))
        assert session.scalars(select(models.Suppression)).all() == before == []
    assert stored(database) == [b"a"]


def test_a_transaction_within_a_transaction_is_our_mistake(database: Database) -> None:
    with (
        database.transaction(),
        pytest.raises(AssertionError, match="open in this thread"),
        database.transaction(),
    ):
        pass


def test_many_threads_write_one_after_the_other_and_lose_nothing(database: Database) -> None:
    def write(name: str) -> None:
        for number in range(10):
            with database.transaction() as session:
                session.add(suppression(f"{name}-{number}"))

    threads = [threading.Thread(target=write, args=(str(n),)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stored(database)) == 40


def test_values_stay_out_of_errors(database: Database) -> None:
    with database.transaction() as session:
        session.add(models.ImportMapping(id="1", name="canary-name", mapping="{}"))
    with pytest.raises(exc.IntegrityError) as caught, database.transaction() as session:
        session.execute(
            models.ImportMapping.__table__.insert().values(id="1", name="other", mapping="canary-x")
        )
    assert "canary-x" not in str(caught.value)


def test_sqlite_keeps_what_it_acknowledges(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    with database.reading() as session:
        facts = {
            name: session.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    database.close()
    assert facts == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_sqlite_writers_take_the_lock_at_once(sqlite_url: str) -> None:
    ours, theirs = Database(sqlite_url), Database(sqlite_url)
    with ours.transaction() as session, theirs.engine.connect() as connection:
        session.execute(text("SELECT 1"))
        cursor = connection.connection.cursor()
        cursor.execute("PRAGMA busy_timeout=10")
        with pytest.raises(UNAVAILABLE):
            connection.exec_driver_sql("SELECT 1")
    ours.close()
    theirs.close()


def test_two_processes_on_one_sqlite_file_wait_for_each_other(sqlite_url: str) -> None:
    processes = [Database(sqlite_url) for _ in range(2)]

    def write(number: int) -> None:
        for count in range(20):
            with processes[number].transaction() as session:
                session.add(suppression(f"{number}-{count}"))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stored(processes[0])) == 40
    for process in processes:
        process.close()


def test_the_sqlite_file_is_readable_to_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "inner folder" / "tasuki.db"
    database = Database(f"sqlite:///{file}")
    database.upgrade()
    modes = {each.name: each.stat().st_mode & 0o777 for each in file.parent.iterdir()}
    database.close()
    assert set(modes.values()) == {0o600}
    assert file.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://u:p@h/d", "no url"])
def test_a_database_that_forgets_or_is_unknown_is_refused(url: str) -> None:
    with pytest.raises(DatabaseURLInvalid):
        Database(url)


@pytest.fixture(scope="module")
def durable_server() -> Iterator[PostgreSQLServer]:
    """A PostgreSQL as it is shipped, which keeps what it acknowledges."""
    try:
        with PostgreSQLServer(durable=True) as server:
            yield server
    except NoPostgreSQL as reason:
        pytest.skip(f"no PostgreSQL server here: {reason}")


def refusal_of(url: str) -> str:
    database = Database(url)
    try:
        with pytest.raises(DatabaseUnsafe) as caught:
            database.check()
        return str(caught.value)
    finally:
        database.close()


@pytest.mark.postgresql
def test_a_postgresql_that_keeps_its_word_is_accepted(durable_server: PostgreSQLServer) -> None:
    # The plain name of the driver, as people write it, is ours too.
    url = durable_server.url("postgres").replace("postgresql+psycopg", "postgresql")
    database = Database(url)
    database.check()
    assert database.dialect == "postgresql"
    database.close()


@pytest.mark.postgresql
def test_a_commit_that_nobody_confirmed_is_unknown_and_the_next_one_works(
    durable_server: PostgreSQLServer,
) -> None:
    database = Database(durable_server.url("postgres"))
    database.upgrade()

    def lose_the_server() -> None:
        with database.transaction() as session:
            session.add(suppression("a"))
            session.flush()
            backend = session.scalar(text("SELECT pg_backend_pid()"))
            with database.reading() as other:
                other.execute(text(f"SELECT pg_terminate_backend({backend}, 5000)"))

    with pytest.raises(CommitUnknown):
        lose_the_server()
    with database.transaction() as session:
        session.add(suppression("b"))
    assert stored(database) == [b"b"]
    database.close()


@pytest.mark.postgresql
def test_a_postgresql_that_answers_before_it_has_stored_is_refused(
    durable_server: PostgreSQLServer,
) -> None:
    url = durable_server.url("postgres")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("ALTER DATABASE postgres SET synchronous_commit = off"))
        refusal = refusal_of(url)
        connection.execute(text("ALTER DATABASE postgres RESET synchronous_commit"))
    engine.dispose()
    assert refusal == "PostgreSQL runs with synchronous_commit=off"


@pytest.mark.postgresql
def test_a_postgresql_without_fsync_is_refused_unless_it_is_for_tests() -> None:
    try:
        with PostgreSQLServer() as server:
            assert refusal_of(server.url("postgres")) == "PostgreSQL runs with fsync=off"
            allowed = Database(server.url("postgres"), unsafe=True)
            allowed.check()
            allowed.close()
    except NoPostgreSQL as reason:
        pytest.skip(f"no PostgreSQL server here: {reason}")
