"""The released profile and PDF at the receiver: kept sealed, opened with an audit entry.

A profile's e-mail, telephone and reading are also kept as blind indexes, to find people who are in
our own list already. They never leave the node.  DOMAIN 0.5.
"""

import hashlib
import json

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.keyring import PersonCipher, PersonKeyErased
from node.services import audit, persons
from node.services.applicants import normalisation, people
from node.services.referrals.refusals import LetterUnexpected, ReferralNotAccepted, ResumeDiffers
from protocol import JSON, Attachment, Card, Profile

PROFILE_COLUMN = "referrals_in.profile_blob"
RESUME_COLUMN = "referrals_in.resume_blob"
CHUNK_COLUMN = "resume_chunks.content_blob"


def card_from(text: str) -> Card:
    """The card out of its column."""
    fields = json.loads(text)
    return Card(
        applicant_type=fields["applicantType"],
        region=fields["region"],
        occupation=fields["occupation"],
        experience_years=fields["experienceYears"],
        skills=tuple(fields["skills"]),
        languages=tuple(fields["languages"]),
        reached_stage=fields["reachedStage"],
        available_from=fields["availableFrom"],
    )


def keep(session: Session, context: Context, row: models.ReferralIn, profile: Profile) -> None:
    """Seal a profile under the person's key, with the indexes that find duplicates."""
    cipher = _cipher_of(session, context, row)
    row.profile_blob = cipher.encrypt(PROFILE_COLUMN, row.id, profile.encode())
    email, phone, kana = contact_of(profile)
    address, number = normalisation.email(email), normalisation.phone(phone)
    keyring = context.keyring
    row.email_index = people.email_index(keyring, address[0]) if address else None
    row.phone_index = people.phone_index(keyring, number) if number else None
    row.name_index = people.kana_index(keyring, kana)


def _cipher_of(session: Session, context: Context, row: models.ReferralIn) -> PersonCipher:
    """What seals more of a person; what comes after all was destroyed is not kept."""
    try:
        return persons.cipher(session, context, row.id)
    except PersonKeyErased as erased:
        raise LetterUnexpected("the data of this referral was destroyed") from erased


def contact_of(profile: Profile) -> tuple[str, str, str]:
    """E-mail, telephone and reading of a profile; empty texts where it has none."""
    basics: JSON = profile.content["basics"]
    japan: JSON = profile.content.get("x-jp", {})
    kana = f"{japan.get('familyNameKana', '')} {japan.get('givenNameKana', '')}".strip()
    return str(basics.get("email", "")), str(basics.get("phone", "")), kana


def duplicates_of(
    session: Session, context: Context, row: models.ReferralIn
) -> list[models.Applicant]:
    """People in our own list who may be this person; a human decides.  DOMAIN 2.2 V4."""
    if row.profile_blob is None:
        return []
    cipher = persons.cipher(session, context, row.id)
    profile = Profile.parse(cipher.decrypt(PROFILE_COLUMN, row.id, row.profile_blob))
    return people.find_by_contact(session, context, *contact_of(profile))


def twins_of(
    session: Session, context: Context, row: models.ReferralIn
) -> list[tuple[models.Applicant, people.Person | None, list[str]]]:
    """Each possible duplicate, who it is, and what is alike: email, phone, kana."""
    found = duplicates_of(session, context, row)
    persons = people.persons_of(session, context, found)
    return [(each, persons.get(each.id), _alike(row, each)) for each in found]


def _alike(row: models.ReferralIn, applicant: models.Applicant) -> list[str]:
    pairs = {
        "email": (row.email_index, applicant.email_index),
        "phone": (row.phone_index, applicant.phone_index),
        "kana": (row.name_index, applicant.kana_index),
    }
    return [name for name, (ours, theirs) in pairs.items() if ours is not None and ours == theirs]


def open_profile(
    session: Session, context: Context, row: models.ReferralIn, *, user_id: str
) -> Profile:
    """The profile in plain; who opened it is written down."""
    if row.profile_blob is None:
        raise ReferralNotAccepted(row.state)
    cipher = persons.cipher(session, context, row.id)
    audit.record(session, context, actor=user_id, action="profile.opened", subject=row.id)
    return Profile.parse(cipher.decrypt(PROFILE_COLUMN, row.id, row.profile_blob))


def open_resume(
    session: Session, context: Context, row: models.ReferralIn, *, user_id: str
) -> bytes:
    """The PDF in plain, if it is the one that the profile names; who opened it is written down."""
    if row.resume_blob is None or row.profile_blob is None:
        raise ReferralNotAccepted(row.state)
    cipher = persons.cipher(session, context, row.id)
    resume = cipher.decrypt(RESUME_COLUMN, row.id, row.resume_blob)
    profile = Profile.parse(cipher.decrypt(PROFILE_COLUMN, row.id, row.profile_blob))
    if not resume_matches(profile, resume):
        raise ResumeDiffers
    audit.record(session, context, actor=user_id, action="resume.opened", subject=row.id)
    return resume


def keep_chunk(
    session: Session, context: Context, row: models.ReferralIn, chunk: Attachment
) -> None:
    """Keep one chunk; when all are here, keep the file they make.

    Whether it is the file the person meant is told by the profile's `resumeFile`; a file that
    differs is refused, and the chunks stay for nobody.
    """
    if row.resume_blob is not None:
        return
    cipher = _cipher_of(session, context, row)
    table = models.ResumeChunk
    place = f"{row.id}/{chunk.index}"
    session.merge(
        table(
            referral_in_id=row.id,
            position=chunk.index,
            total=chunk.total,
            content_blob=cipher.encrypt(CHUNK_COLUMN, place, chunk.content),
        )
    )
    session.flush()
    chunks = session.scalars(
        select(table).where(table.referral_in_id == row.id).order_by(table.position)
    ).all()
    if len(chunks) < chunk.total or any(each.total != chunk.total for each in chunks):
        return
    whole = b"".join(
        cipher.decrypt(CHUNK_COLUMN, f"{row.id}/{each.position}", each.content_blob)
        for each in chunks
    )
    if not whole.startswith(b"%PDF-"):
        raise LetterUnexpected("the attachment is no PDF")
    row.resume_blob = cipher.encrypt(RESUME_COLUMN, row.id, whole)
    session.execute(delete(table).where(table.referral_in_id == row.id))


def resume_matches(profile: Profile, resume: bytes) -> bool:
    """Whether the PDF is the one whose digest the profile names."""
    japan: JSON = profile.content.get("x-jp", {})
    named: JSON = japan.get("resumeFile")
    return named is not None and named["sha256"] == hashlib.sha256(resume).hexdigest()


def forget(session: Session, context: Context, row: models.ReferralIn) -> None:
    """Destroy what we hold of the person: the key, and what it sealed."""
    session.execute(delete(models.ResumeChunk).where(models.ResumeChunk.referral_in_id == row.id))
    persons.erase(session, context, row.id)
    row.profile_blob = row.resume_blob = None
    row.email_index = row.phone_index = row.name_index = None
