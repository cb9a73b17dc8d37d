"""The mail outbox: single mails that leave by themselves, such as codes, receipts and tests.

The request only writes them down, in its own transaction; the worker sends them. Address and words
are encrypted, and are erased as soon as the mail server has taken them. A mail's Message-ID comes
from its id, so that one sent twice after a crash is recognised as the same.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.mail import Attachment

COLUMN = "mails.message_blob"
# A whole connection's worth, and little enough that a lease is never long.
LEASE_MAILS = 50
# Longer than a mail server takes for LEASE_MAILS; a killed worker's mails wait this long.
LEASE_S = 300
# Grey-listing lets a second try through after minutes, a server under repair after hours.
BACK_OFF_S = (60, 300, 900, 1800, 3600, 7200, 14_400)
ATTEMPTS_MAX = len(BACK_OFF_S) + 1
HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One mail on its way: what the worker needs to send it and to record what came of it."""

    id: str
    lease: str
    message_id: str
    to: str
    subject: str
    text: str
    reply_to: str | None = None
    attachments: tuple[Attachment, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()


def enqueue(
    session: Session,
    context: Context,
    *,
    to: str,
    subject: str,
    text: str,
    purpose: str,
    subject_id: str | None = None,
    not_before: int | None = None,
    attachments: tuple[Attachment, ...] = (),
) -> str:
    """Write a mail down to be sent; `purpose` says what it is, e.g. "code" or "receipt"."""
    mail_id = uuid.uuid4().hex
    files = [[each.name, each.subtype, each.content] for each in attachments]
    content = json.dumps(
        {"to": to, "subject": subject, "text": text, "attachments": files}, ensure_ascii=False
    )
    now = context.clock.now()
    session.add(
        models.MailEntry(
            id=mail_id,
            kind=purpose,
            subject_id=subject_id,
            message_blob=context.keyring.encrypt(COLUMN, mail_id, content.encode()),
            next_attempt_at=max(now, not_before or 0),
            created_at=now,
        )
    )
    return mail_id


def is_due(session: Session, context: Context) -> bool:
    """Tell whether a mail may be due; a look that takes no lock."""
    mail = models.MailEntry
    due = (mail.state == "queued", mail.next_attempt_at <= context.clock.now())
    return session.scalar(select(mail.id).where(*due).limit(1)) is not None


def lease_due(session: Session, context: Context, *, limit: int = LEASE_MAILS) -> list[Outgoing]:
    """Take the mails that are due, so that no other worker takes them; the oldest first."""
    mail, now = models.MailEntry, context.clock.now()
    limit = min(limit, context.settings.mails_per_hour - sent_within_the_hour(session, now))
    due = (
        select(mail)
        .where(mail.state == "queued", mail.next_attempt_at <= now)
        .where(mail.lease_until.is_(None) | (mail.lease_until <= now))
        .order_by(mail.next_attempt_at, mail.created_at)
        .limit(max(limit, 0))
        .with_for_update(skip_locked=True)
    )
    lease = uuid.uuid4().hex
    rows = list(session.scalars(due))
    for row in rows:
        row.lease, row.lease_until = lease, now + LEASE_S
    return [_outgoing(context, row, lease) for row in rows]


def record_sent(session: Session, context: Context, mail: Outgoing) -> None:
    """The mail server has taken it: remember that, and forget the words."""
    row = session.get(models.MailEntry, mail.id)
    # Also when the lease ran out meanwhile: it was sent, and must not be sent again.
    if row is not None and row.state == "queued":
        row.state, row.sent_at = "sent", context.clock.now()
        row.message_blob = row.lease = row.lease_until = row.error_code = None
        row.attempts += 1


def record_failed(
    session: Session, context: Context, mail: Outgoing, code: str, *, for_good: bool
) -> None:
    """It was not taken: try again later, or give up when the server said never."""
    row = session.get(models.MailEntry, mail.id)
    if row is None or row.state != "queued" or row.lease != mail.lease:
        return
    row.attempts += 1
    row.error_code = code
    row.lease = row.lease_until = None
    if for_good or row.attempts >= ATTEMPTS_MAX:
        row.state, row.message_blob = "failed", None
    else:
        row.next_attempt_at = context.clock.now() + back_off_s(row.attempts)


def release(session: Session, mails: Sequence[Outgoing], *, until: int) -> None:
    """Give leased mails back untried, because the mail server is not there; no try is counted."""
    for mail in mails:
        row = session.get(models.MailEntry, mail.id)
        if row is not None and row.state == "queued" and row.lease == mail.lease:
            row.lease = row.lease_until = None
            row.next_attempt_at = until


def back_off_s(attempts: int) -> int:
    """Return how long to wait after so many tries."""
    return BACK_OFF_S[min(attempts, len(BACK_OFF_S)) - 1]


def sent_within_the_hour(session: Session, now: int) -> int:
    """Return how many mails left in the last hour, notices among them."""
    return sum(
        session.scalar(select(func.count()).select_from(table).where(table.sent_at > now - HOUR_S))
        or 0
        for table in (models.MailEntry, models.Notice)
    )


def message_id(context: Context, kind: str, row_id: str) -> str:
    """Return the Message-ID of a row's mail: the same one for each time it is sent."""
    host = context.settings.authority.partition(":")[0].strip("[]")
    return f"<{kind}.{row_id}@{host}>"


def row_id_of(context: Context, kind: str, named: str) -> str | None:
    """Return the row whose mail has this Message-ID; None when no mail of ours has it."""
    row_id = named.removeprefix(f"<{kind}.").partition("@")[0]
    ours = row_id.isalnum() and named == message_id(context, kind, row_id)
    return row_id if ours else None


def _outgoing(context: Context, row: models.MailEntry, lease: str) -> Outgoing:
    assert row.message_blob is not None, "the schema keeps the words until it is sent"
    content = json.loads(context.keyring.decrypt(COLUMN, row.id, row.message_blob))
    return Outgoing(
        id=row.id,
        lease=lease,
        message_id=message_id(context, "mail", row.id),
        to=content["to"],
        subject=content["subject"],
        text=content["text"],
        attachments=tuple(Attachment(*each) for each in content["attachments"]),
    )
