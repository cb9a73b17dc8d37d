"""Writing: drafts of an import become rows, once however often the file is imported.

A row is found again by the recruiting system's id, else by e-mail and job.  New rows are written
in bulk; a known row is changed only where the file says something new.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Row, select, text, update
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.keyring import PersonCipher
from node.services.applicants import people
from node.services.applicants.people import Person
from node.services.applicants.rows import Draft

# One import at a time on PostgreSQL, so that two files cannot both hold a person as new.
LOCK = text("SELECT pg_advisory_xact_lock(hashtext('tasuki.applicants.import'))")

# SQLite's page cache while rows are written: the pages of every index that one batch touches.
# With the ordinary two megabytes each page is written several times, at half the speed.
CACHE_KIB = 64 * 1024
ORDINARY_CACHE_KIB = 2_000

Values = dict[str, Any]


@dataclass(slots=True)
class Outcome:
    """What became of a batch; `erased` holds the positions of people who were erased here."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    erased: list[int] = field(default_factory=list)


class Key(NamedTuple):
    """The blind index that tells an application from all others, and the column it stands in."""

    column: str
    blind: bytes


@dataclass(slots=True)
class _Known:
    """An applicant as stored, or as it will be after this batch."""

    row_id: str
    person_id: str
    wrapped: bytes | None
    person: Person | None
    values: Values
    changed: bool = False
    # The row to insert; None: the applicant is stored already.
    new: Values | None = None


class Prepared(NamedTuple):
    """A draft with everything a new row needs, computed before the transaction begins."""

    draft: Draft
    key: Key
    known: _Known


def new_ids(now: int, first: int, count: int) -> list[str]:
    """Return ids that sort in the order of the file, behind those of earlier seconds."""
    chance = secrets.token_hex(8 * count)
    return [f"{now:010x}{first + at:06x}{chance[16 * at : 16 * at + 16]}" for at in range(count)]


def judge(session: Session, context: Context, drafts: Sequence[Draft], seen: set[bytes]) -> Outcome:
    """Return what storing `drafts` would do, and change nothing; `seen` are earlier new rows."""
    keys = [_key(context, draft) for draft in drafts]
    known = _stored(session, context, keys)
    outcome = Outcome()
    for at, (draft, key) in enumerate(zip(drafts, keys, strict=True)):
        found = known.get(key.blind)
        if found is not None:
            _take_over(found, draft, at, outcome)
        elif key.blind in seen:
            outcome.updated += 1
        else:
            outcome.created += 1
            seen.add(key.blind)
    return outcome


def prepare(context: Context, drafts: Sequence[Draft], first: int = 0) -> list[Prepared]:
    """Seal and index `drafts` as new rows; `first` is their place in a file."""
    ids = new_ids(context.now(), first, len(drafts))
    return [_prepared(context, *each) for each in zip(ids, drafts, strict=True)]


def store(session: Session, context: Context, drafts: Sequence[Draft]) -> Outcome:
    """Write a few drafts, all within the caller's transaction."""
    return write(session, context, prepare(context, drafts))


def write(session: Session, context: Context, prepared: Sequence[Prepared]) -> Outcome:
    """Write what was prepared; of two rows about one application the later one counts."""
    _make_room(session)
    known = _stored(session, context, [each.key for each in prepared])
    outcome = Outcome()
    for at, each in enumerate(prepared):
        found = known.get(each.key.blind)
        if found is not None:
            _take_over(found, each.draft, at, outcome)
        else:
            outcome.created += 1
            known[each.key.blind] = each.known

    _write(session, context, known)
    return outcome


def settle(session: Session) -> None:
    """After the last batch: give the memory back that `store` took for its pages."""
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text(f"PRAGMA cache_size=-{ORDINARY_CACHE_KIB}"))


def alone(session: Session) -> None:
    """Wait until nobody else imports, to the end of this transaction; SQLite has one writer."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(LOCK)


def _make_room(session: Session) -> None:
    alone(session)
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text(f"PRAGMA cache_size=-{CACHE_KIB}"))


def _take_over(found: _Known, draft: Draft, at: int, outcome: Outcome) -> None:
    if found.person is None:
        outcome.erased.append(at)
    elif _merge(found, draft):
        outcome.updated += 1
    else:
        outcome.unchanged += 1


def _key(context: Context, draft: Draft) -> Key:
    """Return the index by which this application is found again."""
    person = draft.person
    index = people.ats_id_index(context.keyring, person.ats_id)
    if index is not None:
        return Key("ats_id_index", index)
    index = people.dedupe_index(context.keyring, person.email, draft.job)
    assert index is not None, "a row without both is a broken row"
    return Key("dedupe_index", index)


def _stored(session: Session, context: Context, keys: Sequence[Key]) -> dict[bytes, _Known]:
    """Return the applicants already stored under `keys`, decrypted."""
    table, secret = models.Applicant, models.PersonKey
    columns = (
        table.id,
        table.person_id,
        table.person_blob,
        table.ats_id_index,
        table.dedupe_index,
        secret.wrapped,
        *(getattr(table, name) for name in PLAIN),
    )
    known = select(*columns).join(secret, secret.person_id == table.person_id)
    return {
        row.ats_id_index or row.dedupe_index: _known(context, row)
        # One look-up an index, and of its own keys: a list in a statement costs by its length.
        for column in (table.ats_id_index, table.dedupe_index)
        if (wanted := [blind for name, blind in keys if name == column.key])
        for row in session.execute(known.where(column.in_(wanted)))
    }


PLAIN = (
    "job",
    "stage",
    "stage_code",
    "status",
    "applicant_type",
    "source",
    "applied_on",
    "rejected_on",
    "exclusion",
)


def _known(context: Context, row: Row[Any]) -> _Known:
    person = None
    if row.wrapped is not None:
        person = people.open_(context, row.wrapped, row.id, row.person_blob)
    values = {name: getattr(row, name) for name in PLAIN}
    return _Known(row.id, row.person_id, row.wrapped, person, values)


def _prepared(context: Context, row_id: str, draft: Draft) -> Prepared:
    wrapped, cipher = context.keyring.new_person()
    values = {name: getattr(draft, name) for name in PLAIN}
    known = _Known(row_id, row_id, wrapped, draft.person, values)
    known.new = row = _sealed(context, known, cipher)
    row["created_at"] = row["updated_at"] = context.now()
    column = "ats_id_index" if row["ats_id_index"] else "dedupe_index"
    return Prepared(draft, Key(column, row[column]), known)


def _merge(known: _Known, draft: Draft) -> bool:
    """Take over what `draft` says anew; tell whether that is anything."""
    assert known.person is not None
    person = known.person.with_news(draft.person)
    values = dict(known.values)
    for name in PLAIN:
        given = getattr(draft, name)
        # A column that the file does not have says nothing; only the dates may become empty.
        if given not in (None, ""):
            values[name] = given
    if draft.status != "rejected":
        values["rejected_on"] = None
    elif known.values["status"] == "rejected" and "no-result-date" in draft.warnings:
        # Without a date the day of the import stood in; the first one stays.
        values["rejected_on"] = known.values["rejected_on"]
    if known.values["exclusion"]:
        values["exclusion"] = known.values["exclusion"]  # what HR has set, HR takes back
    changed = person != known.person or values != known.values
    known.person, known.values = person, values
    known.changed = known.changed or changed
    return changed


def _write(session: Session, context: Context, known: Mapping[bytes, _Known]) -> None:
    now = context.now()
    new, changed = [], []
    for each in known.values():
        row = each.new
        if row is None:
            if each.changed:
                changed.append(_sealed(context, each) | {"updated_at": now})
        else:
            # A row that a later one of the same batch has changed is sealed once more.
            new.append(row | _sealed(context, each) if each.changed else row)
    if new:
        keys = [(each.person_id, each.wrapped, now) for each in known.values() if each.new]
        _insert(session, "person_keys", ("person_id", "wrapped", "created_at"), keys)
        _insert(session, "applicants", tuple(new[0]), [tuple(row.values()) for row in new])
    if changed:
        session.execute(update(models.Applicant), changed)


def _sealed(context: Context, known: _Known, cipher: PersonCipher | None = None) -> Values:
    """Return the columns of one applicant, sealed and indexed."""
    person, keyring = known.person, context.keyring
    assert person is not None
    indexes = people.indexes_of(keyring, person)
    ats_id = people.ats_id_index(keyring, person.ats_id)
    job = known.values["job"]
    return {
        "id": known.row_id,
        "person_id": known.person_id,
        "person_blob": people.seal(cipher or keyring.person(known.wrapped), known.row_id, person),
        "ats_id_index": ats_id,
        "dedupe_index": None if ats_id else people.dedupe_index(keyring, person.email, job),
        "email_index": indexes.email,
        "phone_index": indexes.phone,
        "name_index": indexes.name,
        "kana_index": indexes.kana,
        **known.values,
    }


def _insert(
    session: Session, table: str, names: Sequence[str], rows: list[tuple[Any, ...]]
) -> None:
    """Hand new rows to the driver as they are: preparing them costs more than storing them.

    The names are our own columns, never a file's; every row has the same ones.
    """
    sign = "%s" if session.get_bind().dialect.name == "postgresql" else "?"
    signs = ", ".join([sign] * len(names))
    statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({signs})"  # noqa: S608
    session.connection().exec_driver_sql(statement, rows)
