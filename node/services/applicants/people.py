"""People: what is known of an applicant, sealed under that person's own key.  DESIGN 5.

Look-ups go through blind indexes, which are keyed and never leave the node: e-mail, telephone,
the name as written and as read, the recruiting system's id.
"""

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, false, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from node import models
from node.context import Context
from node.keyring import Keyring, PersonCipher, PersonKeyErased
from node.services.applicants import normalisation

COLUMN = "applicants.person_blob"
# More rows with one contact than this are a shared address, and nobody looks at more.
FOUND_MAX = 50

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


class Person(NamedTuple):
    """What identifies an applicant; exactly this is sealed, and nothing of it stands elsewhere."""

    name: str
    family: str = ""
    given: str = ""
    kana: str = ""
    family_kana: str = ""
    given_kana: str = ""
    email: str = ""
    phone: str = ""
    postal: str = ""
    prefecture: str = ""
    address: str = ""
    school: str = ""
    faculty: str = ""
    department: str = ""
    graduation: str = ""
    ats_id: str = ""

    def encode(self) -> bytes:
        """Return the fields that are not empty, as JSON."""
        return _encode(
            {name: said for name, said in zip(FIELD_NAMES, self, strict=True) if said}
        ).encode()

    @classmethod
    def parse(cls, data: bytes) -> "Person":
        """Return the person that was encoded; fields of a later release are left out."""
        known = json.loads(data)
        return cls(**{name: known[name] for name in FIELD_NAMES if name in known})

    def with_news(self, other: "Person") -> "Person":
        """Return this person with everything that `other` says, what it leaves out kept."""
        return Person(*(new or known for known, new in zip(self, other, strict=True)))

    @property
    def shown_phone(self) -> str:
        """Return the telephone number as people here write it."""
        return normalisation.shown_phone(self.phone)


FIELD_NAMES = Person._fields


class Indexes(NamedTuple):
    """The blind indexes of one person."""

    email: bytes | None
    phone: bytes | None
    name: bytes | None
    kana: bytes | None


def indexes_of(keyring: Keyring, person: Person) -> Indexes:
    """Return the blind indexes under which `person` is found again."""
    return Indexes(
        email=email_index(keyring, person.email),
        phone=phone_index(keyring, person.phone),
        name=_blind(keyring, "applicants.name", normalisation.name_key(person.name)),
        kana=kana_index(keyring, person.kana),
    )


def email_index(keyring: Keyring, email: str) -> bytes | None:
    """Return the index of an address; upper and lower case are one mailbox in practice."""
    return _blind(keyring, "applicants.email", email.casefold())


def phone_index(keyring: Keyring, phone: str) -> bytes | None:
    """Return the index of a number in E.164; what is no number has none."""
    return _blind(keyring, "applicants.phone", phone) if phone.startswith("+") else None


def kana_index(keyring: Keyring, kana: str) -> bytes | None:
    """Return the index of a reading."""
    return _blind(keyring, "applicants.kana", normalisation.kana_key(kana))


def ats_id_index(keyring: Keyring, ats_id: str) -> bytes | None:
    """Return the index of a recruiting system's id."""
    return _blind(keyring, "applicants.ats_id", ats_id)


def dedupe_index(keyring: Keyring, email: str, job: str) -> bytes | None:
    """Return the index of e-mail and job, which stands in where there is no such id."""
    if not email:
        return None
    return _blind(keyring, "applicants.email_job", f"{email.casefold()}\0{job}")


def _blind(keyring: Keyring, purpose: str, value: str) -> bytes | None:
    return keyring.blind(purpose, value) if value else None


def seal(cipher: PersonCipher, applicant_id: str, person: Person) -> bytes:
    """Return the blob to store in the row of this applicant."""
    return cipher.encrypt(COLUMN, applicant_id, person.encode())


def rewrite(
    context: Context, cipher: PersonCipher, applicant: models.Applicant, person: Person
) -> None:
    """Put what the person corrected in the place of what was imported."""
    found = indexes_of(context.keyring, person)
    applicant.person_blob = seal(cipher, applicant.id, person)
    applicant.email_index, applicant.phone_index = found.email, found.phone
    applicant.name_index, applicant.kana_index = found.name, found.kana
    applicant.updated_at = context.now()


def open_(context: Context, wrapped: bytes | None, applicant_id: str, blob: bytes) -> Person:
    """Return the person in a blob; raise PersonKeyErased when the key is gone."""
    return Person.parse(context.keyring.person(wrapped).decrypt(COLUMN, applicant_id, blob))


def person_of(session: Session, context: Context, applicant: models.Applicant) -> Person:
    """Return what is known of `applicant`; raise PersonKeyErased when that was erased."""
    key = session.get(models.PersonKey, applicant.person_id)
    assert key is not None, "the schema keeps the row of every key"
    return open_(context, key.wrapped, applicant.id, applicant.person_blob)


def persons_of(
    session: Session, context: Context, applicants: Sequence[models.Applicant]
) -> Mapping[str, Person]:
    """Return applicant id -> person in one query, without those that were erased."""
    keys = models.PersonKey
    wanted = [each.person_id for each in applicants]
    asked = select(keys.person_id, keys.wrapped).where(keys.person_id.in_(wanted))
    wrapped = {row.person_id: row.wrapped for row in session.execute(asked)}
    found = {}
    for each in applicants:
        try:
            found[each.id] = open_(context, wrapped[each.person_id], each.id, each.person_blob)
        except PersonKeyErased:
            continue
    return found


def find_by_contact(
    session: Session,
    context: Context,
    email: str = "",
    phone: str = "",
    kana: str = "",
) -> list[models.Applicant]:
    """Return applicants that share one of these, newest first: duplicates for a person to judge."""
    address = normalisation.email(email) if email else None
    number = normalisation.phone(phone) if phone else None
    table, keyring = models.Applicant, context.keyring
    conditions = _equal(
        (table.email_index, email_index(keyring, address[0]) if address else None),
        (table.phone_index, phone_index(keyring, number) if number else None),
        (table.kana_index, kana_index(keyring, kana)),
    )
    if not conditions:
        return []
    newest = select(table).where(or_(*conditions)).order_by(table.created_at.desc())
    return list(session.scalars(newest.limit(FOUND_MAX)))


def matching(context: Context, words: str) -> ColumnElement[bool]:
    """Return the condition that name, reading, e-mail, telephone or id are exactly `words`."""
    table, keyring = models.Applicant, context.keyring
    address, number = normalisation.email(words), normalisation.phone(words)
    name = normalisation.name_key(words)
    conditions = _equal(
        (table.name_index, _blind(keyring, "applicants.name", name)),
        (table.kana_index, kana_index(keyring, words)),
        (table.email_index, email_index(keyring, address[0]) if address else None),
        (table.phone_index, phone_index(keyring, number) if number else None),
        (table.ats_id_index, ats_id_index(keyring, normalisation.fold(words))),
    )
    return or_(false(), *conditions)


def _equal(
    *pairs: tuple[InstrumentedAttribute[bytes | None], bytes | None],
) -> list[ColumnElement[bool]]:
    return [column == index for column, index in pairs if index is not None]


def erase(session: Session, context: Context, person_id: str) -> None:
    """Destroy a person's key, and with it every copy of the data; forget the indexes too."""
    keys, table = models.PersonKey, models.Applicant
    session.execute(
        update(keys)
        .where(keys.person_id == person_id, keys.wrapped.is_not(None))
        .values(wrapped=None, erased_at=context.now())
    )
    session.execute(
        update(table)
        .where(table.person_id == person_id)
        .values(
            person_blob=b"",
            email_index=None,
            phone_index=None,
            name_index=None,
            kana_index=None,
            updated_at=context.now(),
        )
    )
