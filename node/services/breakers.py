"""Breakers: whether a peer's node answers, and when it is asked again.  PEER 3."""

from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from protocol import delivery

Peer = models.Peer


def record_call(
    session: Session, context: Context, peer_id: str, error: str, jitter: float
) -> None:
    """Note a call that carried no envelope, such as a hello: "" when it was answered."""
    peer, now = row_of(session, peer_id), context.now()
    if not error:
        answered(peer, now)
    else:
        failed(peer, error, now, jitter)


def answered(peer: models.Peer, now: int) -> None:
    """Note a proven answer: whatever kept the peer waiting is over."""
    store(peer, delivery.record_answer(breaker_of(peer)))
    peer.last_success_at = now
    peer.last_error_code = None


def failed(
    peer: models.Peer, code: str, now: int, jitter: float, wait_s: int | None = None
) -> None:
    """Note a failure of the peer, and when it may be asked again."""
    breaker = delivery.record_failure(breaker_of(peer), now, jitter, retry_after_s=wait_s)
    if breaker.state is delivery.BreakerState.CLOSED:
        # Not away yet, but not to be asked again in the same moment either.
        due_at = delivery.next_attempt_at(now, breaker.failures, jitter, retry_after_s=wait_s)
        breaker = replace(breaker, next_attempt_at=due_at)
    store(peer, breaker)
    peer.last_error_code, peer.last_error_at = code, now


def row_of(session: Session, member: str) -> models.Peer:
    """The row, held until commit; `membership` made one for every other member."""
    row = session.scalars(select(Peer).where(Peer.member == member).with_for_update()).one_or_none()
    if row is None:
        row = Peer(member=member)
        session.add(row)
        session.flush()
    return row


def breaker_of(peer: models.Peer) -> delivery.Breaker:
    """The peer's breaker, as `protocol.delivery` judges it."""
    return delivery.Breaker(delivery.BreakerState(peer.state), peer.failures, peer.next_attempt_at)


def store(peer: models.Peer, breaker: delivery.Breaker) -> None:
    """Write the breaker back."""
    peer.state = breaker.state.value
    peer.failures, peer.next_attempt_at = breaker.failures, breaker.next_attempt_at
