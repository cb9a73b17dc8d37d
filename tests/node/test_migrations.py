"""Migrations: they build exactly what the models say, on both engines, and only go forwards."""

import json
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.exc import IntegrityError

from node import migrations, models
from node.database import Database
from node.migrations import DowngradeRefused, SchemaNewer, running
from node.services.applicants import importing
from tests.equipment.databases import Databases


def without_spaces(sql: str) -> str:
    return " ".join(sql.split())


def shape(engine: Engine) -> dict[str, Any]:
    """Every table with columns, keys, checks and indexes, as the database itself tells it."""
    found = inspect(engine)
    return {
        table: {
            "columns": [
                (c["name"], str(c["type"]), c["nullable"]) for c in found.get_columns(table)
            ],
            "key": found.get_pk_constraint(table)["constrained_columns"],
            "foreign": sorted(map(str, found.get_foreign_keys(table))),
            "unique": sorted(map(str, found.get_unique_constraints(table))),
            "checks": sorted(
                (str(c["name"]), without_spaces(c["sqltext"]))
                for c in found.get_check_constraints(table)
            ),
            "indexes": sorted(
                f"{i['name']} {i['column_names']} {i['unique']} "
                f"{[str(where) for where in i.get('dialect_options', {}).values()]}"
                for i in found.get_indexes(table)
            ),
        }
        for table in found.get_table_names()
        if table != "alembic_version"
    }


def test_the_migrated_schema_is_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, models.METADATA) == []


@pytest.mark.parametrize(
    "engine", ["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgresql])]
)
def test_checks_and_partial_indexes_agree_too_which_alembic_does_not_compare(
    engine: str, request: pytest.FixtureRequest
) -> None:
    databases: Databases = request.getfixturevalue(f"{engine}_databases")
    with databases.fresh() as migrated_url, databases.fresh() as created_url:
        migrated, created = create_engine(migrated_url), create_engine(created_url)
        models.METADATA.drop_all(created)
        models.METADATA.create_all(created)
        assert shape(migrated) == shape(created)
        migrated.dispose()
        created.dispose()


def test_sqlite_tables_without_row_ids_are_so_in_both(sqlite_url: str) -> None:
    engine = create_engine(sqlite_url)
    with engine.connect() as connection:
        made = {
            row[0]
            for row in connection.execute(text("SELECT name, sql FROM sqlite_master"))
            if row[1] and row[1].rstrip().endswith("WITHOUT ROWID")
        }
    engine.dispose()
    meant = {
        table.name
        for table in models.METADATA.tables.values()
        if table.dialect_options["sqlite"]["with_rowid"] is False
    }
    assert made == meant != set()


def test_the_newest_step_is_known_by_its_file_as_alembic_knows_it(database: Database) -> None:
    with database.engine.connect() as connection:
        script = ScriptDirectory.from_config(running.configuration(connection))
        context = MigrationContext.configure(connection)
        assert script.get_heads() == [migrations.head()]
        assert context.get_current_revision() == migrations.revision(connection)


def test_upgrading_twice_changes_nothing(database: Database) -> None:
    before = shape(database.engine)
    database.upgrade()
    assert shape(database.engine) == before
    assert database.revision() == migrations.head()


def at_revision(database: Database, revision: str) -> None:
    """An empty database of an older release."""
    models.METADATA.drop_all(database.engine)
    with database.engine.begin() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
    with database.engine.connect() as connection:
        running.upgrade(connection, revision)


OLD_LEDGER = (
    "INSERT INTO ledger_certificates "
    "(account, sequence, epoch, incarnation, digest, document, position, applied_at) "
    "VALUES ('aoba', 1, 1, 1, :digest, :digest, 1, 1700)",
    "INSERT INTO ledger_entries "
    "(account, sequence, position, entry_id, kind, recipient, points, reference, applied_at) "
    "VALUES ('aoba', 1, 0, 'paid-0001', 'referral', 'biwa', 2, :digest, 1700), "
    "('aoba', 1, 1, 'paid-0002', 'referral', 'biwa', 3, :digest, 1700)",
    "INSERT INTO ledger_credits (payee, payer, sequence, points) VALUES ('biwa', 'aoba', 1, 5)",
    "INSERT INTO pending_entries (entry_id, kind, recipient, points, reference, created_at) "
    "VALUES ('owed-0001', 'free_hire', 'fuji', 10, :digest, 1800)",
)


def test_the_ledger_of_an_older_release_keeps_what_it_held(database: Database) -> None:
    at_revision(database, "0010")
    with database.transaction() as session:
        for statement in OLD_LEDGER:
            session.execute(text(statement), {"digest": b"d" * 32})

    database.upgrade()
    with database.reading() as session:
        entries = session.execute(text("SELECT account, entry_id, sequence FROM ledger_entries"))
        assert sorted(map(tuple, entries)) == [("aoba", "paid-0001", 1), ("aoba", "paid-0002", 1)]
        credit = session.get_one(models.LedgerCredit, ("biwa", "aoba", 1))
        assert (credit.points, credit.applied_at) == (5, 1700)
        owed = session.get_one(models.PendingEntry, "owed-0001")
        assert (owed.kind, owed.recipient, owed.points) == ("free_hire", "fuji", 10)
        assert (owed.reference, owed.created_at) == (b"d" * 32, 1800)


def test_what_was_imported_before_is_known_by_its_header_row(database: Database) -> None:
    at_revision(database, "0023")
    report = json.dumps({"encoding": "utf-8", "headers": ["氏名", "結果"]}, ensure_ascii=False)
    with database.transaction() as session:
        session.execute(
            text(
                "INSERT INTO users (id, login, name, role, password_hash, locale, active, "
                "created_at) VALUES ('u', 'u', 'u', 'admin', 'none', 'ja', :yes, 1)"
            ),
            {"yes": True},
        )
        for name, stored in (("old", report), ("older", "{}")):
            session.execute(
                text(
                    "INSERT INTO imports (id, file_name, state, rows, imported, updated, skipped, "
                    "failed, report, created_by, created_at) "
                    "VALUES (:name, 'a.csv', 'done', 1, 1, 0, 0, 0, :stored, 'u', 1)"
                ),
                {"name": name, "stored": stored},
            )

    database.upgrade()
    with database.reading() as session:
        found = importing.get(session, "old").headers_digest
        assert found == importing.digest_of(["氏名", "結果"])
        assert importing.get(session, "older").headers_digest is None


def test_an_empty_database_has_no_revision_and_its_folder_may_have_a_space(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a folder' / '100%.db'}")
    assert database.revision() is None
    database.upgrade()
    assert database.revision() == migrations.head()
    database.close()


def test_a_downgrade_is_refused_and_changes_nothing(database: Database) -> None:
    before = shape(database.engine)
    with database.engine.connect() as connection:
        config = running.configuration(connection)
        with pytest.raises(DowngradeRefused):
            command.downgrade(config, "base")
        connection.rollback()
    assert shape(database.engine) == before
    assert database.revision() == migrations.head()


def test_a_database_of_a_newer_release_is_refused_and_left_alone(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaNewer):
        database.upgrade()
    assert database.revision() == "9999"


def test_foreign_keys_hold_again_after_an_upgrade_on_the_same_connection(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'tasuki.db'}")
    database.upgrade()
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.add(
            models.Link(id="1", applicant_id="none", token_hash=b"", created_at=1, expires_at=2)
        )
    database.close()
