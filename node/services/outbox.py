"""The outbox: what is to be delivered, written in the transaction that caused it.  PEER 3.

`enqueue` signs, seals and stores; from then on the row is what the worker delivers, HR sees on a
referral and IT sees on a peer. Nothing here touches the network.
"""

import secrets
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services import charter as charters
from protocol import envelope, limits, sign

Entry = models.OutboxEntry

# In the place of a refusal's code: why a letter was cancelled that nobody refused.
PARTNER_LEFT = "partner-left"
WE_LEFT = "we-left"


@dataclass(frozen=True, slots=True)
class OutboxView:
    """One delivery as people see it: what, to whom, how far, and what went wrong last."""

    id: str
    recipient: str
    kind: str
    subject: str | None
    state: str
    attempts: int
    next_attempt_at: int
    deadline: int
    error_code: str | None
    created_at: int
    delivered_at: int | None


@dataclass(frozen=True, slots=True)
class QueueView:
    """A peer's queue as IT sees it."""

    recipient: str
    queued: int
    oldest_at: int | None
    refused: int
    expired: int


class _Order:
    """Numbers that rise within a process, so that one second's envelopes keep their order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def next(self, microseconds: int) -> int:
        with self._lock:
            self._last = max(self._last + 1, microseconds)
            return self._last


_order = _Order()


def enqueue(
    session: Session,
    context: Context,
    *,
    recipient: str,
    kind: str,
    payload: bytes,
    subject: str = "",
    deadline_s: int | None = None,
) -> str:
    """Sign `payload` as a `kind`, seal it to `recipient` and queue it; the envelope's id.

    `subject` names what it is about here, such as the referral; it never leaves this node.
    Envelopes about one subject are delivered in the order in which they were enqueued.
    """
    assert recipient != context.member_id, "nobody writes to themselves"
    charters.require_both(session, context.member_id, recipient)
    charter = context.charter(session)
    member = charter.member(recipient)
    now = context.now()
    sealed = envelope.seal(
        sign(kind, payload, context.signing(charter)),
        id=new_id(context),
        alliance=charter.alliance,
        epoch=charter.epoch,
        sender=context.member_id,
        recipient=recipient,
        recipient_key=member.sealing_public,
        kind_class=LETTER,
        deadline=now + (deadline_s or limits.ENVELOPE_DEADLINE_S),
    )
    session.add(
        Entry(
            id=sealed.id,
            recipient=recipient,
            kind=kind,
            subject_id=subject or None,
            envelope=sealed.encode(),
            epoch=charter.epoch,
            next_attempt_at=now,
            deadline=sealed.deadline,
            created_at=now,
        )
    )
    return sealed.id


def reaches(session: Session, context: Context, member: str) -> bool:
    """Whether a letter to a member may be written: it belongs, and so do we."""
    charter = context.charter(session)
    return {context.member_id, member} <= charter.by_id.keys()


# Outside, every kind looks alike: who sees the traffic does not learn what it is about.
LETTER = "letter"


def new_id(context: Context) -> str:
    """An id such as an envelope's: unguessable, and in the order of its making when sorted."""
    order = _order.next(int(context.clock.monotonic() * 1_000_000)) % 2**48
    return f"{context.now():010x}{order:012x}{secrets.token_hex(16)}"


def state_of(session: Session, subject: str) -> list[OutboxView]:
    """Every delivery about one subject, oldest first: HR's view of a referral."""
    found = select(*_SHOWN).where(Entry.subject_id == subject)
    return _views(session, found.order_by(Entry.created_at, Entry.id))


def find(session: Session, envelope_id: str) -> OutboxView | None:
    """One delivery, without its envelope."""
    found = _views(session, select(*_SHOWN).where(Entry.id == envelope_id))
    return found[0] if found else None


def states(session: Session, envelope_ids: Iterable[str]) -> dict[str, str]:
    """The state of each of these deliveries, for a list of what they are about."""
    found = select(Entry.id, Entry.state).where(Entry.id.in_(list(envelope_ids)))
    return dict(session.execute(found).all())


def receipts(session: Session, envelope_ids: Iterable[str]) -> dict[str, bytes]:
    """The receipts of those of these deliveries that have one."""
    found = select(Entry.id, Entry.receipt).where(
        Entry.id.in_(list(envelope_ids)), Entry.receipt.is_not(None)
    )
    return {envelope_id: receipt for envelope_id, receipt in session.execute(found) if receipt}


def queues(session: Session) -> dict[str, QueueView]:
    """What waits for each peer and what failed: IT's view."""
    counted = select(
        Entry.recipient,
        func.count().filter(Entry.state == "queued"),
        func.min(Entry.created_at).filter(Entry.state == "queued"),
        func.count().filter(Entry.state == "refused"),
        func.count().filter(Entry.state == "expired"),
    ).group_by(Entry.recipient)
    return {row[0]: QueueView(*row) for row in session.execute(counted)}


def troubled(session: Session, recipient: str, limit: int = 50) -> list[OutboxView]:
    """The newest deliveries to a peer that need a person: refused or expired."""
    found = (
        select(*_SHOWN)
        .where(Entry.recipient == recipient, Entry.state.in_(("refused", "expired")))
        .order_by(Entry.created_at.desc(), Entry.id.desc())
        .limit(limit)
    )
    return _views(session, found)


def cancel(session: Session, context: Context, subject: str, *, but: str = "") -> bool:
    """Stop everything about a subject that waits, such as a withdrawn referral, `but` one letter.

    Tells whether all of it was stopped: what is on its way in this moment may arrive.
    """
    now = context.now()
    about = (Entry.subject_id == subject, Entry.state == "queued", Entry.id != but)
    session.execute(
        update(Entry)
        .where(*about, or_(Entry.lease_until.is_(None), Entry.lease_until <= now))
        .values(state="cancelled", lease=None, lease_until=None)
    )
    return session.scalar(select(func.count()).where(*about)) == 0


def never_left(session: Session, envelope_id: str) -> bool:
    """Whether nobody has taken a delivery up yet; it is held, to be cancelled in this transaction.

    A worker that took it may have sent it and ended before it could write that down; and what is
    queued once more for a restored peer was delivered before.
    """
    held = select(Entry.state, Entry.attempts, Entry.lease, Entry.delivered_at).where(
        Entry.id == envelope_id
    )
    row = session.execute(held.with_for_update()).one_or_none()
    return row is not None and tuple(row) == ("queued", 0, None, None)


def abandon(session: Session, context: Context, recipient: str, reason: str) -> int:
    """Cancel what waits for a member and can never be sent; how many letters that were.

    What is on its way in this moment may still arrive, and is left to whoever sends it.
    """
    now = context.now()
    done = session.execute(
        update(Entry)
        .where(Entry.recipient == recipient, Entry.state == "queued")
        .where(or_(Entry.lease_until.is_(None), Entry.lease_until <= now))
        .values(state="cancelled", error_code=reason, lease=None, lease_until=None)
        .returning(Entry.id)
        .execution_options(synchronize_session=False)
    )
    return len(done.all())


def abandoned(session: Session) -> dict[str, int]:
    """How many letters were cancelled because one of the two had left, for each recipient."""
    counted = select(Entry.recipient, func.count()).where(
        Entry.state == "cancelled", Entry.error_code.in_((PARTNER_LEFT, WE_LEFT))
    )
    return dict(session.execute(counted.group_by(Entry.recipient)).all())


def recipients(session: Session) -> list[str]:
    """The members that something waits for."""
    waiting = select(Entry.recipient).where(Entry.state == "queued").distinct()
    return list(session.scalars(waiting.order_by(Entry.recipient)))


def retry_now(session: Session, context: Context, recipient: str) -> None:
    """Make everything queued for a peer due at once: it said hello, or an admin asked."""
    session.execute(
        update(Entry)
        .where(Entry.recipient == recipient, Entry.state == "queued")
        .where(Entry.next_attempt_at > context.now())
        .values(next_attempt_at=context.now())
    )


def hold(session: Session, recipient: str, until: int) -> None:
    """Let everything that waits for a member wait until then, at least."""
    session.execute(
        update(Entry)
        .where(Entry.recipient == recipient, Entry.state == "queued")
        .where(Entry.next_attempt_at < until)
        .values(next_attempt_at=until)
    )


def deliver_again(session: Session, context: Context, recipient: str) -> None:
    """Queue once more what a peer had receipted, while its own deadline allows.

    The same id and bytes: a peer that still has it answers with the receipt it gave before. The
    receipt of a referral that was answered stays, since its point in the ledger refers to it; where
    no answer came yet, the new one will be what the answer refers to.
    """
    now, sent = context.now(), models.ReferralOut
    again = update(Entry).where(
        Entry.recipient == recipient, Entry.state == "delivered", Entry.deadline > now
    )
    answered = select(sent.envelope_id).where(
        sent.recipient == recipient, sent.acceptance.is_not(None)
    )
    values = {"state": "queued", "attempts": 0, "next_attempt_at": now}
    once = {"synchronize_session": False}
    session.execute(
        again.where(Entry.id.not_in(answered)).values(**values, receipt=None),
        execution_options=once,
    )
    session.execute(again.values(**values), execution_options=once)


def requeue(session: Session, context: Context, envelope_id: str) -> bool:
    """Try a refused envelope again: an admin mended what was refused. Tells if there was one."""
    now = context.now()
    again = session.execute(
        update(Entry)
        .where(Entry.id == envelope_id, Entry.state == "refused", Entry.deadline > now)
        .values(state="queued", next_attempt_at=now, error_code=None)
        .returning(Entry.id)
    )
    return bool(again.all())


# Everything but the envelope, which may weigh megabytes.
_SHOWN = (
    Entry.id,
    Entry.recipient,
    Entry.kind,
    Entry.subject_id,
    Entry.state,
    Entry.attempts,
    Entry.next_attempt_at,
    Entry.deadline,
    Entry.error_code,
    Entry.created_at,
    Entry.delivered_at,
)


def _views(session: Session, query: Select[*tuple[Any, ...]]) -> list[OutboxView]:
    return [OutboxView(*row) for row in session.execute(query)]
