"""The models: every rule has a name, every column that must be there is, and rows stay silent."""

import pytest
from sqlalchemy import CheckConstraint, ForeignKeyConstraint, UniqueConstraint, select
from sqlalchemy.exc import IntegrityError

import protocol
from node import models
from node.database import Database
from node.models import applicants, ledger

NOW = 1_800_000_000


def lock(digest: bytes, incarnation: int = 1) -> models.LedgerLock:
    return models.LedgerLock(
        account="aoba",
        sequence=7,
        incarnation=incarnation,
        epoch=1,
        digest=digest,
        document=digest,
        locked_at=NOW,
    )


def store(database: Database, *rows: models.Model) -> None:
    with database.transaction() as session:
        for row in rows:
            session.add(row)
            session.flush()


def test_every_rule_of_the_schema_has_a_name() -> None:
    for table in models.METADATA.tables.values():
        assert table.primary_key.name == f"pk_{table.name}"
        for rule in table.constraints:
            if isinstance(rule, CheckConstraint | UniqueConstraint | ForeignKeyConstraint):
                assert str(rule.name).split("_")[0] in ("ck", "uq", "fk"), (table.name, rule)


def test_every_name_of_a_rule_is_short_enough_for_postgresql() -> None:
    for table in models.METADATA.tables.values():
        for rule in (*table.constraints, *table.indexes):
            assert len(str(rule.name)) <= 63, rule.name


def test_the_words_of_the_protocol_and_of_the_tables_are_the_same() -> None:
    assert set(ledger.ENTRY_KINDS) == set(protocol.ENTRY_KINDS)
    assert set(applicants.APPLICANT_TYPES) == set(protocol.APPLICANT_TYPES)


def test_a_second_vote_for_one_slot_and_incarnation_cannot_be_stored(database: Database) -> None:
    store(database, lock(b"one"))
    with pytest.raises(IntegrityError):
        store(database, lock(b"two"))
    with database.reading() as session:
        assert session.scalars(select(models.LedgerLock.digest)).all() == [b"one"]
    store(database, lock(b"two", incarnation=2))


def test_a_nonce_cannot_be_used_twice(database: Database) -> None:
    store(database, models.Nonce(keyid="k", nonce="n", expires_at=NOW))
    with pytest.raises(IntegrityError):
        store(database, models.Nonce(keyid="k", nonce="n", expires_at=NOW + 1))


def test_a_word_that_the_table_does_not_know_is_refused(database: Database) -> None:
    user = models.User(id="1", login="a", name="A", role="owner", password_hash="x", created_at=NOW)
    with pytest.raises(IntegrityError, match="ck_users_role_known"):
        store(database, user)


def test_a_batch_cannot_be_approved_by_who_asked_for_it(database: Database) -> None:
    store(
        database,
        models.User(id="u", login="a", name="A", role="admin", password_hash="x", created_at=NOW),
        models.Template(id="t", name="n", kind="rejection", language="ja"),
        models.TemplateVersion(
            template_id="t", version=1, subject="s", body="b", created_by="u", created_at=NOW
        ),
    )
    batch = models.NoticeBatch(
        id="b",
        template_id="t",
        version=1,
        requested_by="u",
        approved_by="u",
        sender_name="n",
        sender_department="d",
        sender_phone="p",
        sender_email="e",
        created_at=NOW,
    )
    with pytest.raises(IntegrityError, match="four_eyes"):
        store(database, batch)


def test_a_person_key_is_there_or_its_erasure_is(database: Database) -> None:
    store(
        database,
        models.PersonKey(person_id="1", wrapped=b"k", created_at=NOW),
        models.PersonKey(person_id="2", wrapped=None, created_at=NOW, erased_at=NOW),
    )
    with pytest.raises(IntegrityError, match="key_or_erasure"):
        store(database, models.PersonKey(person_id="3", wrapped=None, created_at=NOW))


def test_delivered_means_that_the_receipt_is_here(database: Database) -> None:
    entry = models.OutboxEntry(
        id="e",
        recipient="biwa",
        kind="referral",
        envelope=b"x",
        epoch=1,
        state="delivered",
        next_attempt_at=NOW,
        deadline=NOW,
        created_at=NOW,
    )
    with pytest.raises(IntegrityError, match="receipt_proves"):
        store(database, entry)


def test_seconds_after_2038_fit(database: Database) -> None:
    store(database, models.Suppression(contact_index=b"x", created_at=2**33))
    with database.reading() as session:
        assert session.scalars(select(models.Suppression.created_at)).all() == [2**33]


def test_a_row_does_not_print_what_it_holds() -> None:
    user = models.User(
        id="1", login="canary", name="canary", role="admin", password_hash="x", created_at=NOW
    )
    assert "canary" not in repr(user)


def test_a_row_without_a_needed_column_cannot_be_made() -> None:
    with pytest.raises(TypeError):
        models.Suppression(contact_index=b"x")  # type: ignore[call-arg]
