"""Attaching a PDF to a draft, and taking it off again."""

from __future__ import annotations

from sqlalchemy.orm import Session

from node.context import Context
from node.services.consents import drafts, resumes
from node.services.consents.resumes import Resume


def attach(session: Session, context: Context, link_id: str, data: bytes, *, pages: int) -> Resume:
    """Keep a file that `resumes.check` has judged, in place of an earlier one."""
    draft = drafts.edit(session, context, link_id)
    cipher = drafts.cipher_of(session, context, drafts.applicant_of(session, draft))
    return resumes.store(session, context, cipher, draft.id, data, pages)


def detach(session: Session, context: Context, link_id: str) -> None:
    """Forget the file."""
    resumes.remove(session, drafts.edit(session, context, link_id).id)
