"""Delivery: which envelopes leave now, and what becomes of each after an attempt.  PEER 3.

The worker claims a batch of one peer's queue by lease, sends without a transaction open, and
records the outcomes in one. What an answer means is decided by `protocol.delivery`. Peers are
independent: what one of them does never delays what goes to another.

What concerns the peer (it is away, asks for time, our clock is wrong) is kept on the peer's row
and holds its whole queue, so that envelopes keep their order; what concerns one envelope is kept
on that envelope's row.
"""

from collections import ChainMap
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, exists, or_, select, update
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services import audit, breakers, exchange, measures, outbox
from node.services import charter as charters
from protocol import (
    Keys,
    ProtocolError,
    SignedDocument,
    delivery,
    envelope,
    errors,
    limits,
    problems,
)

Entry, Peer = models.OutboxEntry, models.Peer
Action = delivery.Action

# An attempt takes 13 s at most (connect and read), and a batch starts none after 10 s.
LEASE_S = 30
# Two nodes take a decree into force within a moment of each other, or when the later one is back.
UPDATE_S = 5
# What a worker holds in memory for one peer, and what one commit records.
BATCH_MAX = 64


@dataclass(frozen=True, slots=True)
class Parcel:
    """One envelope that this worker has leased."""

    id: str
    subject: str
    kind: str
    envelope: bytes
    attempts: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt: a proven receipt, a proven refusal, or no provable answer."""

    parcel: Parcel
    receipt: bytes | None = None
    refusal: problems.Problem | None = None
    failure: str = ""


def due(session: Session, context: Context) -> list[str]:
    """The peers to which something may be sent now."""
    now = context.now()
    waiting = exists(_waiting(now).where(Entry.recipient == Peer.member))
    rows = session.scalars(
        select(Peer.member)
        .where(Peer.stopped_code.is_(None), Peer.next_attempt_at <= now, waiting)
        .order_by(Peer.member)
    )
    held = measures.held(session, context)
    return [each for each in rows if each not in held and outbox.reaches(session, context, each)]


def reachable(session: Session, context: Context) -> list[str]:
    """The peers that may be called now, whether or not something waits for them."""
    us, charter = context.member_id, context.charter(session)
    resting = select(Peer.member).where(
        or_(Peer.stopped_code.is_not(None), Peer.next_attempt_at > context.now())
    )
    left_alone = set(session.scalars(resting))
    return [m.id for m in charter.members if m.id != us and m.id not in left_alone]


def _waiting(now: int) -> Select[str]:
    return select(Entry.id).where(
        Entry.state == "queued",
        Entry.next_attempt_at <= now,
        or_(Entry.lease_until.is_(None), Entry.lease_until <= now),
    )


def claim(session: Session, context: Context, recipient: str, lease: str) -> list[Parcel]:
    """Lease the next envelopes for a peer; one only, when it is to be found out if it is there."""
    now = context.now()
    if not outbox.reaches(session, context, recipient) or recipient in measures.held(
        session, context
    ):
        return []
    peer = breakers.row_of(session, recipient)
    breaker = breakers.breaker_of(peer)
    if peer.stopped_code is not None or peer.next_attempt_at > now:
        return []
    _expire(session, recipient, now)
    begun = delivery.begin_attempt(breaker, now)
    probing = begun.state is not delivery.BreakerState.CLOSED
    if begun != breaker:
        breakers.store(peer, begun)

    taken = (
        _waiting(now)
        .where(Entry.recipient == recipient)
        .order_by(Entry.created_at, Entry.id)
        .limit(1 if probing else BATCH_MAX)
        .with_for_update(skip_locked=True)
    )
    claimed = session.execute(
        update(Entry)
        .where(Entry.id.in_(taken.scalar_subquery()))
        .values(lease=lease, lease_until=now + LEASE_S)
        .returning(
            Entry.created_at,
            Entry.id,
            Entry.subject_id,
            Entry.kind,
            Entry.envelope,
            Entry.attempts,
            Entry.epoch,
        )
        .execution_options(synchronize_session=False)
    )
    rows = sorted(claimed.all(), key=lambda row: (row[0], row[1]))
    return [Parcel(row[1], row[2] or "", *row[3:]) for row in rows]


def _expire(session: Session, recipient: str, now: int) -> None:
    session.execute(
        update(Entry)
        .where(Entry.recipient == recipient, Entry.state == "queued", Entry.deadline <= now)
        .values(state="expired", lease=None, lease_until=None)
        .execution_options(synchronize_session=False)
    )


def release_all(session: Session) -> None:
    """Free every lease: at the start of a node's only worker, nobody else can hold one."""
    session.execute(
        update(Entry)
        .where(Entry.state == "queued", Entry.lease.is_not(None))
        .values(lease=None, lease_until=None)
        .execution_options(synchronize_session=False)
    )


def receipt_keys(session: Session, context: Context, parcels: Sequence[Parcel]) -> Keys:
    """The keys with which receipts for these may be signed: those of every version since.

    A recipient that gave its receipt before it changed its keys gives the same one again.
    """
    oldest = min(parcel.epoch for parcel in parcels)
    epochs = range(oldest, context.charter(session).epoch + 1)
    return ChainMap(*(dict(charters.of_epoch(session, epoch).keys) for epoch in epochs))


def read_receipt(parcel: Parcel, body: bytes, keys: Keys) -> bytes:
    """The receipt in an answer, proven to be for exactly this envelope; raise otherwise."""
    document = SignedDocument.parse(body, bytes_max=limits.RECEIPT_BYTES_MAX)
    envelope.verify_receipt(document, envelope.parse(parcel.envelope), keys)
    return body


def outcome_of(parcel: Parcel, status: int, body: bytes, keys: Keys) -> Outcome:
    """What a proven answer says. One that makes no sense counts as no answer."""
    try:
        if status == 200:
            return Outcome(parcel, receipt=read_receipt(parcel, body, keys))
        return Outcome(parcel, refusal=problems.parse_problem(body))
    except ProtocolError as error:
        return Outcome(parcel, failure=error.code or errors.UnprovenResponse.code)


def record(
    session: Session,
    context: Context,
    recipient: str,
    lease: str,
    claimed: Sequence[Parcel],
    outcomes: Sequence[Outcome],
    *,
    jitter: float,
) -> None:
    """Write down what came of a batch, free what was not tried, and judge the peer.

    Guarded by the lease: what another worker has taken over is that worker's to record.
    """
    peer = breakers.row_of(session, recipient)
    held = _held(session, lease, claimed)
    tried = [each for each in outcomes if each.parcel.id in held]
    _record_delivered(session, context, recipient, [each for each in tried if each.receipt])
    for outcome in tried:
        if outcome.refusal is not None:
            _record_refusal(session, context, peer, outcome, outcome.refusal, jitter)
        elif outcome.receipt is None:
            _update(session, outcome, error_code=outcome.failure)
    left = held - {each.parcel.id for each in tried}
    if left:
        session.execute(
            update(Entry).where(Entry.id.in_(left)).values(lease=None, lease_until=None)
        )
    _judge_peer(context, peer, outcomes, jitter)


def _held(session: Session, lease: str, claimed: Sequence[Parcel]) -> set[str]:
    ids = [parcel.id for parcel in claimed]
    mine = select(Entry.id).where(Entry.id.in_(ids), Entry.lease == lease, Entry.state == "queued")
    return set(session.scalars(mine.with_for_update()))


def _record_delivered(
    session: Session, context: Context, recipient: str, outcomes: Sequence[Outcome]
) -> None:
    if not outcomes:
        return
    now, known = context.now(), _receipted(session, outcomes)
    session.execute(
        update(Entry),
        [
            {
                "id": each.parcel.id,
                "state": "delivered",
                "receipt": known.get(each.parcel.id, each.receipt),
                "delivered_at": now,
                "attempts": each.parcel.attempts + 1,
                "error_code": None,
                "lease": None,
                "lease_until": None,
            }
            for each in outcomes
        ],
    )
    exchange.append(
        session,
        recipient,
        [
            (envelope.parse(each.parcel.envelope).digest, exchange.receipt_digest(each.receipt))
            for each in outcomes
            if each.receipt is not None and each.receipt != known.get(each.parcel.id)
        ],
    )


def _receipted(session: Session, outcomes: Sequence[Outcome]) -> dict[str, bytes]:
    """Receipts that these had before their recipient was restored, and that still count."""
    ids = [each.parcel.id for each in outcomes]
    held = select(Entry.id, Entry.receipt).where(Entry.id.in_(ids), Entry.receipt.is_not(None))
    return {id_: receipt for id_, receipt in session.execute(held) if receipt is not None}


def _record_refusal(
    session: Session,
    context: Context,
    peer: models.Peer,
    outcome: Outcome,
    refusal: problems.Problem,
    jitter: float,
) -> None:
    """Do with the envelope what the refusal's code asks for; the peer is judged afterwards."""
    parcel, now = outcome.parcel, context.now()
    verdict = delivery.judge_refusal(refusal, parcel.attempts + 1)
    if verdict.alarm and peer.last_error_code != refusal.code:
        audit.record(
            session,
            context,
            actor="worker",
            action="delivery.refused",
            subject=peer.member,
            detail=f"{refusal.code} {parcel.kind} {refusal.request_id}",
        )
    if verdict.action is Action.GIVE_UP:
        _update(session, outcome, error_code=refusal.code, state="refused")
    elif verdict.action is Action.RETRY:
        again = delivery.next_attempt_at(now, parcel.attempts + 1, jitter)
        _update(session, outcome, error_code=refusal.code, next_attempt_at=again)
        _hold_back(session, parcel, again)
    elif verdict.action is Action.HOLD:
        # The letters wait, and not the peer: its books and votes are asked for as before.
        _update(session, outcome, error_code=refusal.code)
        outbox.hold(session, peer.member, delivery.held_until(refusal, now))
    else:
        _update(session, outcome, error_code=refusal.code)


def _update(session: Session, outcome: Outcome, **values: object) -> None:
    parcel = outcome.parcel
    session.execute(
        update(Entry)
        .where(Entry.id == parcel.id)
        .values(attempts=parcel.attempts + 1, lease=None, lease_until=None, **values)
    )


def _hold_back(session: Session, parcel: Parcel, until: int) -> None:
    """What follows on the same subject waits as well: a profile never overtakes its referral."""
    if parcel.subject:
        session.execute(
            update(Entry)
            .where(Entry.subject_id == parcel.subject, Entry.state == "queued")
            .where(Entry.id > parcel.id, Entry.next_attempt_at < until)
            .values(next_attempt_at=until)
        )


# --- The peer's row. ---


def _judge_peer(
    context: Context, peer: models.Peer, outcomes: Sequence[Outcome], jitter: float
) -> None:
    now = context.now()
    for outcome in outcomes:
        if outcome.receipt is not None:
            breakers.answered(peer, now)
    for outcome in outcomes:
        if outcome.refusal is not None:
            _heed(peer, outcome, outcome.refusal, now, jitter)
    failures = [each.failure for each in outcomes if each.failure]
    if failures:
        # Attempts of one batch run side by side: together they are one failure of the peer.
        breakers.failed(peer, failures[0], now, jitter)


def _heed(
    peer: models.Peer, outcome: Outcome, refusal: problems.Problem, now: int, jitter: float
) -> None:
    """A refusal proves that the peer is there; some of them still hold the whole queue."""
    action = delivery.judge_refusal(refusal, outcome.parcel.attempts + 1).action
    skew = refusal.facts.get("skew_seconds")
    if isinstance(skew, int):
        # Theirs minus ours, as everywhere on the peer's row; they measured ours minus theirs.
        peer.skew_s = -skew
    if action is Action.WAIT:
        breakers.failed(peer, refusal.code, now, jitter, delivery.retry_after_s(refusal))
        return
    breakers.store(peer, delivery.record_answer(breakers.breaker_of(peer)))
    if action is Action.STOP:
        peer.stopped_code = refusal.code
    elif action is Action.UPDATE:
        peer.next_attempt_at = now + UPDATE_S
    elif action is Action.RETRY_SLOWLY:
        peer.next_attempt_at = now + limits.RETRY_SLOWLY_S
    peer.last_error_code, peer.last_error_at = refusal.code, now
