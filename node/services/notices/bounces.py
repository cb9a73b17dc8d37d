"""Bounces: a notice was sent and came back, so that its reader has not been told.

A bounce is believed when it names a mail that we sent (each Message-ID holds 48 bits of chance that
nobody but its reader and their servers ever saw) and the address it went to. Then the notice is
among the failures, to be sent again; who opened the private link has the mail, whatever is said.
"""

from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services import applicants, audit, mailing
from node.services.notices import sending
from node.services.notices.bounce_mails import BounceMail, address_key

FAILED, DELAYED, KNOWN, OPENED, UNKNOWN = OUTCOMES = (
    *("failed", "delayed", "known", "opened", "unknown"),
)
# Clocks of mail servers differ; a bounce older than that is one of an earlier sending.
CLOCKS_S = 600


def receive(session: Session, context: Context, mail: BounceMail, *, actor: str = "cli") -> str:
    """Record a bounce, if it is one of a notice of ours; return an outcome."""
    notice = _notice_of(session, context, mail)
    if notice is None:
        return UNKNOWN
    applicant = session.get(models.Applicant, notice.applicant_id)
    if applicant is None or not _was_sent_to(session, context, applicant, mail):
        return UNKNOWN
    printed = context.keyring.blind("notices.bounce_print", mail.digest)
    if _is_known(notice, mail, printed):
        return KNOWN
    if mail.action == FAILED and _is_opened(session, notice):
        return OPENED

    notice.bounced_at, notice.bounce_status = context.clock.now(), mail.status
    notice.bounce_print = printed
    if mail.action == FAILED:
        notice.state, notice.error = "failed", "bounced"
        applicant.notified_at, applicant.updated_at = None, context.clock.now()
        sending.recount(session, notice.batch_id)
    audit.record(
        session,
        context,
        actor=actor,
        action=f"notices.{mail.action}",
        subject=notice.id,
        detail=f"status={mail.status}",
    )
    return mail.action


def _notice_of(session: Session, context: Context, mail: BounceMail) -> models.Notice | None:
    """Return the notice that the bounce names, locked; None when none of ours was ever sent so."""
    notice_id = mailing.row_id_of(context, "notice", mail.message_id)
    if notice_id is None:
        return None
    notice = session.get(models.Notice, notice_id, with_for_update=True)
    return notice if notice is not None and notice.sent_at is not None else None


def _was_sent_to(
    session: Session, context: Context, applicant: models.Applicant, mail: BounceMail
) -> bool:
    # A forged bounce may know the Message-ID from a forwarded letter, and name somebody else.
    person = applicants.persons_of(session, context, [applicant]).get(applicant.id)
    return person is not None and address_key(person.email) in mail.recipients


def _is_known(notice: models.Notice, mail: BounceMail, printed: bytes) -> bool:
    """Tell whether it was read before, or speaks of an earlier sending of the same notice."""
    if notice.state != "sent" or notice.bounce_print == printed:
        return True
    assert notice.sent_at is not None, "only what was sent is found"
    return mail.reported_at is not None and mail.reported_at + CLOCKS_S < notice.sent_at


def _is_opened(session: Session, notice: models.Notice) -> bool:
    link = session.get(models.Link, notice.link_id) if notice.link_id else None
    return link is not None and link.opened_at is not None
