"""The worker's mail steps: due notices and due single mails, each over one SMTP connection.

Lease in one transaction, talk to the mail server without any, record each outcome in a transaction
of its own: what the server has taken is known durably before the next mail is begun. STYLE 25-27.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog
from sqlalchemy.orm import Session

from node.context import Context
from node.installation import Node
from node.mail import (
    MailConnection,
    MailError,
    MailServerUnavailable,
    MailUnknown,
    Message,
    MessageInvalid,
    RecipientRefused,
)
from node.services import mailing
from node.services.mailing import Outgoing
from node.services.notices import sending
from node.worker.throttle import Throttle

log = structlog.get_logger()

# Shorter than a lease by more than one mail may take, so that no second worker takes it over.
WORK_S = mailing.LEASE_S - 120
# A mail server that is away is asked again after a minute; nothing else could be sent anyway.
SERVER_AWAY_S = 60


class Queue(Protocol):
    """What both kinds of mail have: notices (`sending`) and single mails (`mailing`)."""

    def record_sent(self, session: Session, context: Context, mail: Outgoing) -> None:
        """Remember that it was taken."""
        ...

    def record_failed(
        self, session: Session, context: Context, mail: Outgoing, code: str, *, for_good: bool
    ) -> None:
        """Remember that it was not."""
        ...

    def release(self, session: Session, mails: Sequence[Outgoing], *, until: int) -> None:
        """Give back what was not tried."""
        ...


def send_due_mails(node: Node) -> int:
    """Send the single mails that are due; return how many were tried."""
    with node.database.reading() as session:
        if not mailing.is_due(session, node.context):
            return 0
    with node.database.transaction() as session:
        mails = mailing.lease_due(session, node.context)
    return _send_all(node, mailing, mails, lambda: True)


def send_due_notices(node: Node, throttle: Throttle) -> int:
    """Send the next notices of the oldest batch that is due; return how many were dealt with.

    Those whose domain has had its share of this minute are put off, and the others go on.
    """
    context = node.context
    with node.database.reading() as session:
        if not sending.is_due(session, context):
            return 0
    with node.database.transaction() as session:
        mails = sending.lease_due(session, context)
        # What could not leave at all may have been the last of its batch.
        if not mails:
            sending.settle(session, context)
    if not mails:
        return 0

    admitted = _put_off(node, mails, throttle)
    tried = _send_all(node, sending, admitted, lambda: sending.is_open(context))
    with node.database.transaction() as session:
        sending.settle(session, context)
    # All were put off: the next may go. Some could not be tried: the mail server is away.
    return tried if admitted else len(mails)


def _put_off(node: Node, mails: Sequence[Outgoing], throttle: Throttle) -> list[Outgoing]:
    """Give back what its domain must wait for; the rest may be sent now."""
    now, admitted = node.context.clock.now(), []
    waiting = defaultdict(list)
    for mail in mails:
        until = throttle.admit(mail.to, now)
        if until is None:
            admitted.append(mail)
        else:
            waiting[until].append(mail)
    for until, those in waiting.items():
        _release(node, sending, those, until=until)
    return admitted


def _send_all(
    node: Node, queue: Queue, mails: Sequence[Outgoing], may_go_on: Callable[[], bool]
) -> int:
    """Send leased mails one by one; what is left at the end of the time is given back."""
    if not mails:
        return 0
    clock = node.context.clock
    stops_at = clock.now() + WORK_S
    with node.mailer.connection() as connection:
        for tried, mail in enumerate(mails):
            if clock.now() >= stops_at or not may_go_on():
                _release(node, queue, mails[tried:], until=clock.now())
                return tried
            try:
                _send_one(node, queue, connection, mail)
            except MailServerUnavailable as error:
                log.warning("mail server unavailable", smtp_code=error.code, waiting=len(mails))
                _release(node, queue, mails[tried:], until=clock.now() + SERVER_AWAY_S)
                return tried
    return len(mails)


def _send_one(node: Node, queue: Queue, connection: MailConnection, mail: Outgoing) -> None:
    """Send one mail and record what came of it; raise MailServerUnavailable untried."""
    message = Message(
        to=mail.to,
        subject=mail.subject,
        text=mail.text,
        reply_to=mail.reply_to,
        message_id=mail.message_id,
        headers=mail.headers,
        attachments=mail.attachments,
    )
    try:
        connection.send(message)
    except MailServerUnavailable:
        raise
    except MailError as error:
        # Unknown means perhaps sent: once more, with the same Message-ID, rather than never.
        for_good = not (error.is_temporary or isinstance(error, MailUnknown))
        with node.database.transaction() as session:
            queue.record_failed(session, node.context, mail, _code_of(error), for_good=for_good)
        return
    with node.database.transaction() as session:
        queue.record_sent(session, node.context, mail)


def _release(node: Node, queue: Queue, mails: Sequence[Outgoing], *, until: int) -> None:
    with node.database.transaction() as session:
        queue.release(session, mails, until=until)


def _code_of(error: MailError) -> str:
    """Name a failure; the server's own words stay out, for they may quote the address."""
    if isinstance(error, MessageInvalid):
        return "mail-invalid"
    if isinstance(error, MailUnknown):
        return "mail-unknown"
    return "recipient-refused" if isinstance(error, RecipientRefused) else "mail-refused"
