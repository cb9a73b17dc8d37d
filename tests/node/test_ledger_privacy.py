"""The ledger knows members and points: nothing of a person is in it, not even hashed.

DOMAIN 8, check 3. Two looks at every byte that any node keeps of the ledger: nothing of the people
can be found there in any of the forms that a programmer might have chosen, and when what is known
of a person changes, nothing there does.
"""

import base64
import hashlib
import unicodedata
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from node import models
from node.services import persons, referrals
from protocol import Profile
from tests.equipment.alliance import Alliance
from tests.equipment.season import PEOPLE, Season, Someone, profile_of

CHANGED = "somebody.else@example.net"
HASHES = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "blake2b", "blake2s")


@pytest.fixture
def season(alliance: Alliance) -> Season:
    """Three people were referred, accepted and paid for."""
    season = Season(alliance)
    for person in PEOPLE[:3]:
        season.accepted("aoba", "biwa", person)
    season.certify_all()
    return season


def ledger_bytes(season: Season) -> dict[str, bytes]:
    """Every column of every table of the ledger, at every node, by node and table."""
    found = {}
    for name, house in season.alliance.houses.items():
        with house.database.reading() as session:
            for table in models.METADATA.sorted_tables:
                if table.name.startswith("ledger_") or table.name == "pending_entries":
                    rows = sorted(map(written, session.execute(select(table))))
                    found[f"{name}.{table.name}"] = b"\n".join(rows)
    return found


def written(row: object) -> bytes:
    """A row as its bytes: text as it is stored, and what is binary as itself."""
    return b"|".join(
        bytes(cell) if isinstance(cell, bytes | memoryview) else str(cell).encode()
        for cell in row  # type: ignore[attr-defined]
    )


def known_of(person: Someone) -> Iterator[str]:
    """What the nodes know that says who somebody is."""
    basics = profile_of(person).content["basics"]
    yield from (str(basics["email"]), CHANGED, str(basics["phone"]), "090-1234-5678")
    for space in ("", " ", "　"):
        yield f"{person.family}{space}{person.given}"
        yield f"{person.family_kana}{space}{person.given_kana}"


def forms_of(text: str) -> Iterator[bytes]:
    """The text as it may be written, and its digests; as bytes, hex and base64."""
    spellings = {text, text.lower(), text.upper(), unicodedata.normalize("NFKC", text)}
    for spelling in spellings:
        plain = [spelling.encode(), spelling.encode("utf-16-le")]
        digests = [hashlib.new(name, spelling.encode()).digest() for name in HASHES]
        for raw in (*plain, *digests):
            yield from (raw, raw.hex().encode(), base64.b64encode(raw).rstrip(b"="))
            yield base64.urlsafe_b64encode(raw).rstrip(b"=")


def test_no_form_of_what_is_known_of_a_person_is_in_the_ledger(season: Season) -> None:
    dump = ledger_bytes(season)
    whole = b"\n".join(dump.values())
    # What the ledger is about is there, at everybody's.
    assert all(b"biwa" in dump[f"{name}.ledger_entries"] for name in season.alliance.houses)
    for person in PEOPLE[:3]:
        for text in known_of(person):
            for form in forms_of(text):
                assert form not in whole, (text, form)


def test_a_changed_address_changes_no_byte_of_the_ledger(season: Season) -> None:
    before = ledger_bytes(season)
    aoba = season.alliance["aoba"]
    content = profile_of(PEOPLE[0]).content
    mended = Profile.from_json(content | {"basics": content["basics"] | {"email": CHANGED}})
    with aoba.database.transaction() as session:
        row = session.scalars(select(models.ReferralOut).limit(1)).one()
        person = session.get_one(models.Applicant, row.applicant_id).person_id
        cipher = persons.cipher(session, aoba.context, person)
        told = referrals.correct(session, aoba.context, row.consent_id, mended, cipher)
        assert told == 1
    season.carry()
    season.certify_all()

    biwa = season.alliance["biwa"]
    with biwa.database.transaction() as session:
        held = [
            referrals.open_profile(session, biwa.context, row, user_id="hanako")
            for row in session.scalars(select(models.ReferralIn))
        ]
    assert CHANGED in {profile.content["basics"]["email"] for profile in held}
    assert ledger_bytes(season) == before
