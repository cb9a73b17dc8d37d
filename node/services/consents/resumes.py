"""The person's own PDF: checked in a process that can do no harm, stored under the person's key.

The size is looked at before anything else, the type is told by the content, and neither the
file's name nor what the browser said about it is kept.  RELIABILITY 4 (A3), ASVS 5.2.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.keyring import PersonCipher
from node.refusals import Refusal
from node.services import isolation, pdf_inspector
from node.services.consents import refusals

BYTES_MAX = 5 * 1024 * 1024
# The inspector may compute for ten seconds; on a busy machine they take a little longer.
INSPECTION_S_MAX = 15
COLUMN = "consent_resumes.content_blob"

REFUSALS: dict[str, type[Refusal]] = {
    pdf_inspector.NOT_PDF: refusals.ResumeNotPDF,
    pdf_inspector.ARCHIVE: refusals.ResumeArchive,
    pdf_inspector.ENCRYPTED: refusals.ResumeEncrypted,
    pdf_inspector.ACTIVE: refusals.ResumeActive,
    pdf_inspector.UNREADABLE: refusals.ResumeUnreadable,
    pdf_inspector.PAGES: refusals.ResumePages,
}


@dataclass(frozen=True, slots=True)
class Resume:
    """What is known of a stored PDF without opening it."""

    size: int
    pages: int
    sha256: str


def check(data: bytes) -> int:
    """The number of pages of a harmless PDF; anything else is refused. Needs no database."""
    if len(data) > BYTES_MAX:
        raise refusals.ResumeTooLarge
    if not data:
        raise refusals.ResumeNotPDF
    verdict = _inspect(data)
    word, _, pages = verdict.partition(" ")
    if word == pdf_inspector.OK and pages.isdigit():
        return int(pages)
    raise REFUSALS.get(word, refusals.ResumeUnreadable)


def _inspect(data: bytes) -> str:
    """Ask the inspector; a file that breaks it is a file we cannot read."""
    done = isolation.run(pdf_inspector.__name__, data, timeout_s=INSPECTION_S_MAX)
    if done is None or done.returncode != 0:
        return pdf_inspector.UNREADABLE
    return done.stdout[:40].decode("ascii", "replace").strip()


def store(
    session: Session,
    context: Context,
    cipher: PersonCipher,
    consent_id: str,
    data: bytes,
    pages: int,
) -> Resume:
    """Keep a checked file with its consent, in place of an earlier one."""
    remove(session, consent_id)
    session.add(
        models.ConsentResume(
            consent_id=consent_id,
            content_blob=cipher.encrypt(COLUMN, consent_id, data),
            size=len(data),
            pages=pages,
            created_at=context.clock.now(),
        )
    )
    session.flush()
    return described(data, pages)


def described(data: bytes, pages: int) -> Resume:
    """What is told of the file: its size, its pages and its digest."""
    return Resume(len(data), pages, hashlib.sha256(data).hexdigest())


def remove(session: Session, consent_id: str) -> None:
    """Forget the file; it is no error when there is none."""
    session.execute(
        delete(models.ConsentResume).where(models.ConsentResume.consent_id == consent_id)
    )


def load(session: Session, cipher: PersonCipher, consent_id: str) -> bytes | None:
    """The file itself; None when the person attached none."""
    blob = session.scalar(
        select(models.ConsentResume.content_blob).where(
            models.ConsentResume.consent_id == consent_id
        )
    )
    return None if blob is None else cipher.decrypt(COLUMN, consent_id, blob)
