"""The inbox: envelopes from peers, stored before they are answered, handled once.  PEER 3.

`receive` stores what `prove` found to be true; the receipt means that the bytes are here for good,
whatever happens next (invariant I1). `handle` gives the letter to the one function that its kind
has: the row's new state and everything the letter causes stand in one transaction, so handling
twice is handling once (I2). Then the content leaves the inbox; id, digest and receipt stay for
ever.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, cast

from sqlalchemy import Table, Update, bindparam, func, null, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services import audit, erasures, exchange, hires, interest, referrals, relays, rights
from node.services import charter as charters
from node.services.letters import Letter
from protocol import (
    ACCEPTANCE,
    ALREADY_KNOWN,
    ATTACHMENT,
    DECLINE,
    ERASURE_RECEIPT,
    FIRST_INCARNATION,
    HIRE,
    PROFILE,
    PROGRESS,
    REFERRAL,
    WITHDRAWAL,
    Acceptance,
    AlreadyKnown,
    Attachment,
    Charter,
    Decline,
    ErasureReceipt,
    Hire,
    ProfileRelease,
    Progress,
    ProtocolError,
    Referral,
    SignedDocument,
    Withdrawal,
    delivery,
    envelope,
    errors,
    http,
    limits,
)

Entry = models.InboxEntry

_ROW = cast(Table, Entry.__table__)
# Built once: every envelope comes through here, and building costs more than running.
_STORE = {
    name: make(_ROW).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
    for name, make in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}
_SETTLED = (
    update(_ROW)
    .where(_ROW.c.envelope_id == bindparam("id"), _ROW.c.state == "received")
    .values(handled_at=bindparam("now"), attempts=bindparam("tries"))
)
_HANDLED = _SETTLED.values(state="handled", envelope=null())
_REFUSED = _SETTLED.values(state="refused", error_code=bindparam("code"))
# What a worker takes in one look; each is still handled in a transaction of its own.
BATCH_MAX = 64


@dataclass(frozen=True, slots=True)
class Kind:
    """What can be received: how its payload is read, and who deals with it."""

    parse: Callable[[bytes], object]
    handle: Callable[[Session, Context, Letter], None]


KINDS: dict[str, Kind] = {
    REFERRAL: Kind(Referral.parse, referrals.receive_referral),
    ACCEPTANCE: Kind(Acceptance.parse, interest.receive_acceptance),
    DECLINE: Kind(Decline.parse, referrals.receive_decline),
    ALREADY_KNOWN: Kind(AlreadyKnown.parse, referrals.receive_already_known),
    PROFILE: Kind(ProfileRelease.parse, relays.receive_profile),
    ATTACHMENT: Kind(Attachment.parse, referrals.receive_attachment),
    PROGRESS: Kind(Progress.parse, interest.receive_progress),
    HIRE: Kind(Hire.parse, hires.receive_hire),
    WITHDRAWAL: Kind(Withdrawal.parse, rights.receive_withdrawal),
    ERASURE_RECEIPT: Kind(ErasureReceipt.parse, erasures.receive_receipt),
}


@dataclass(frozen=True, slots=True)
class Arrival:
    """A proven envelope of a known kind, and the receipt that may be given once it is stored."""

    envelope: envelope.Envelope
    kind: str
    receipt: bytes


@dataclass(frozen=True, slots=True)
class Waiting:
    """A stored envelope that is to be handled."""

    envelope_id: str
    sender: str
    digest: bytes
    envelope: bytes
    receipt: bytes
    received_at: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Filled:
    """What one member fills here: letters of the last day, bytes kept, cards without an answer."""

    letters: int
    kept_bytes: int
    cards: int


# --- Receiving: in the request. ---


def read(context: Context, charter: Charter, request: http.VerifiedRequest) -> envelope.Envelope:
    """The outside of an envelope that its sender brought to us, or the refusal it deserves."""
    sealed = envelope.parse(request.body)
    envelope.verify_addressing(
        sealed,
        alliance=charter.alliance,
        sender=request.context.sender,
        recipient=context.member_id,
    )
    if sealed.epoch > charter.version:
        raise errors.EpochMismatch(f"we hold version {charter.version}", epoch=charter.version)
    if sealed.deadline > context.now() + limits.ENVELOPE_DEADLINE_S_MAX:
        _refuse_field("deadline", "is too far ahead")
    return sealed


def prove(
    context: Context, charter: Charter, sealed: envelope.Envelope, written_under: Charter
) -> Arrival:
    """Open an envelope and prove and read what is inside. Writes nothing, needs no session.

    `written_under` is the version of the epoch that the envelope names: its sender may have got
    other keys since. The receipt is of today.
    """
    document = _open(context, written_under, sealed)
    receipt = envelope.make_receipt(
        sealed,
        received_at=context.now(),
        incarnation=FIRST_INCARNATION,
        key=context.signing(charter),
    )
    return Arrival(sealed, document.kind, receipt.encode())


def _open(context: Context, charter: Charter, sealed: envelope.Envelope) -> SignedDocument:
    key = context.keyring.find_sealing(sealed.sealing_keyid)
    if key is None:
        # The same words as for a changed ciphertext: which keys we hold is our business.
        raise errors.CannotDecrypt("the envelope does not open")
    document = envelope.open(sealed, key)
    kind = KINDS.get(document.kind)
    if kind is None:
        _refuse_field("kind", f"{document.kind} is not a kind that this node receives")
    return envelope.verify_content(
        document, sealed, document.kind, charter.keys, kind.parse
    ).document


def _refuse_field(path: str, reason: str) -> NoReturn:
    raise errors.DocumentInvalid(f"{path} {reason}", errors=[{"path": path, "reason": reason}])


def receive(
    session: Session, context: Context, arrival: Arrival, request: http.VerifiedRequest
) -> bytes | ProtocolError:
    """Store the envelope and answer with the receipt; the same bytes again, the same receipt.

    A refusal that is *returned* is to be committed: the evidence for it is kept.
    """
    sealed, now, connection = arrival.envelope, context.now(), session.connection()
    stored = connection.execute(
        _STORE[connection.dialect.name],
        {
            "envelope_id": sealed.id,
            "sender": sealed.sender,
            "digest": sealed.digest,
            "envelope": sealed.encode(),
            "receipt": arrival.receipt,
            "kind": arrival.kind,
            "state": "received",
            "attempts": 0,
            "next_attempt_at": now,
            "received_at": now,
        },
    )
    if stored.rowcount:
        return arrival.receipt
    known = session.execute(
        select(Entry.sender, Entry.digest, Entry.receipt).where(Entry.envelope_id == sealed.id)
    ).one()
    if (known.sender, known.digest) == (sealed.sender, sealed.digest):
        return bytes(known.receipt)
    return _conflict(session, context, sealed, request)


def filled_by(session: Session, context: Context, sender: str) -> Filled:
    """Count what a member fills; a few milliseconds, even for one that fills a great deal."""
    day_ago, mine = context.now() - 86_400, Entry.sender == sender
    letters = select(func.count()).where(mine, Entry.received_at > day_ago)
    kept = select(func.coalesce(func.sum(func.length(Entry.envelope)), 0)).where(
        mine, Entry.envelope.is_not(None)
    )
    card = models.ReferralIn
    cards = select(func.count()).where(card.sender == sender, card.state == "received")
    return Filled(*(int(session.scalar(each) or 0) for each in (letters, kept, cards)))


def refused(
    session: Session,
    context: Context,
    sealed: envelope.Envelope,
    request: http.VerifiedRequest,
    refusal: ProtocolError,
) -> bytes | ProtocolError:
    """The answer to an envelope that cannot be proven: a known number comes before all else.

    What was stored once keeps its receipt, though the key that opened it may be gone by now; and
    other bytes under a stored number are a conflict, whatever else is wrong with them.
    """
    known = session.execute(
        select(Entry.sender, Entry.digest, Entry.receipt).where(Entry.envelope_id == sealed.id)
    ).first()
    if known is None:
        return refusal
    if (known.sender, known.digest) == (sealed.sender, sealed.digest):
        return bytes(known.receipt)
    return _conflict(session, context, sealed, request)


def _conflict(
    session: Session,
    context: Context,
    sealed: envelope.Envelope,
    request: http.VerifiedRequest,
) -> ProtocolError:
    refusal = errors.EnvelopeConflict(f"number {sealed.id} is taken", envelope=sealed.id)
    exchange.keep_evidence(session, context, code=refusal.code, subject=sealed.id, request=request)
    return refusal


# --- Handling: in the worker. ---


def waiting(session: Session, context: Context) -> list[Waiting]:
    """The oldest envelopes that are due to be handled."""
    rows = session.execute(
        select(
            Entry.envelope_id,
            Entry.sender,
            Entry.digest,
            Entry.envelope,
            Entry.receipt,
            Entry.received_at,
            Entry.attempts,
        )
        .where(Entry.state == "received", Entry.next_attempt_at <= context.now())
        .order_by(Entry.received_at, Entry.envelope_id)
        .limit(BATCH_MAX)
    )
    # `envelope` is only empty once a row is handled: the schema says so too.
    return [Waiting(row[0], row[1], row[2], row[3] or b"", *row[4:]) for row in rows]


def open_letter(session: Session, context: Context, entry: Waiting) -> Letter:
    """The letter inside a stored envelope, proven again: the database is not a proof."""
    sealed = envelope.parse(entry.envelope)
    return Letter(
        sender=entry.sender,
        envelope_id=entry.envelope_id,
        document=_open(context, charters.of_epoch(session, sealed.epoch), sealed),
        receipt=entry.receipt,
        received_at=entry.received_at,
    )


def handle(session: Session, context: Context, entry: Waiting, letter: Letter) -> bool:
    """Let the letter have its effect; False when another worker was faster."""
    if not _settle(session, context, entry, _HANDLED):
        return False
    KINDS[letter.document.kind].handle(session, context, letter)
    return True


def refuse(session: Session, context: Context, entry: Waiting, code: str) -> None:
    """Set a letter aside that cannot have its effect; the code says why, and IT sees it."""
    if _settle(session, context, entry, _REFUSED, code=code):
        audit.record(
            session,
            context,
            actor="worker",
            action="letter.refused",
            subject=entry.envelope_id,
            detail=f"{code} from {entry.sender}",
        )


def postpone(
    session: Session, context: Context, entry: Waiting, code: str, *, jitter: float
) -> None:
    """Handle the letter later: what it needs is not here yet, or we made a mistake."""
    again = delivery.next_attempt_at(context.now(), entry.attempts + 1, jitter)
    session.execute(
        update(Entry)
        .where(Entry.envelope_id == entry.envelope_id, Entry.state == "received")
        .values(attempts=entry.attempts + 1, error_code=code, next_attempt_at=again)
    )


def forget_refused(session: Session, context: Context) -> None:
    """Erase what was set aside, once its sender no longer keeps it either."""
    before = context.now() - limits.ENVELOPE_DEADLINE_S_MAX
    session.execute(
        update(Entry)
        .where(Entry.state == "refused", Entry.handled_at < before, Entry.envelope.is_not(None))
        .values(envelope=None)
    )


def _settle(
    session: Session, context: Context, entry: Waiting, statement: Update, **values: object
) -> bool:
    """End the row's waiting, once, and note the exchange; on PostgreSQL the first worker wins."""
    settled = session.connection().execute(
        statement,
        {"id": entry.envelope_id, "now": context.now(), "tries": entry.attempts + 1, **values},
    )
    if settled.rowcount == 0:
        return False
    exchanged = (entry.digest, exchange.receipt_digest(entry.receipt))
    exchange.append(session, entry.sender, [exchanged])
    return True
