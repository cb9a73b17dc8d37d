"""The overview: what waits for somebody, and how things stand; counts only, nobody's data."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services import charter as charters
from node.services import ledger, measures, membership, outbox, referrals
from node.services.notices import untold

RECENT_S = 30 * 24 * 3600  # "lately" on the front page: thirty days


@dataclass(frozen=True, slots=True)
class Waiting:
    """What somebody should do next."""

    to_notify: int
    to_approve: int
    to_answer: int
    overdue: int
    untold: int  # for a week, and not counted beyond a thousand
    untold_more: bool


@dataclass(frozen=True, slots=True)
class Lately:
    """The way from notice to acceptance, in the last thirty days."""

    sent: int
    opened: int
    consented: int
    accepted: int


@dataclass(frozen=True, slots=True)
class PeerState:
    """How a member's node was when we last spoke; `seen_at` is None before the first word."""

    member: str
    state: str  # as `membership.connection` has it
    seen_at: int | None
    error_code: str | None


def waiting(session: Session, context: Context) -> Waiting:
    """Count what waits for a person of this member."""
    applicant, referral = models.Applicant, models.ReferralIn
    due = (referral.state == "received", referral.due_at <= context.clock.now())
    silent, silent_more = untold.count(session, context)
    return Waiting(
        to_notify=_count(
            session,
            applicant.status == "rejected",
            applicant.notified_at.is_(None),
            applicant.exclusion.is_(None),
        ),
        to_approve=_count(session, models.NoticeBatch.state == "waiting_approval"),
        to_answer=_count(session, referral.state == "received"),
        overdue=_count(session, *due),
        untold=silent,
        untold_more=silent_more,
    )


def lately(session: Session, context: Context) -> Lately:
    """Count the last thirty days."""
    since = context.clock.now() - RECENT_S
    return Lately(
        sent=_count(session, models.Notice.sent_at >= since),
        opened=_count(session, models.Link.opened_at >= since),
        consented=_count(session, models.Consent.given_at >= since),
        accepted=_count(
            session,
            models.ReferralOut.answered_at >= since,
            models.ReferralOut.acceptance.is_not(None),
        ),
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """Where our account stands, and what other members have promised to pay us."""

    position: ledger.Position
    promised: int


def standing(session: Session, context: Context) -> Standing | None:
    """Our account, also a closed one; None before the founding, and for a witness, without one."""
    charter = charters.if_any(session)
    if charter is None or context.member_id not in {*charter.accounts, *charter.closed}:
        return None
    return Standing(ledger.position(session, context), referrals.promised(session, context))


def departures(
    session: Session, context: Context
) -> tuple[list[charters.Departure], dict[str, int]]:
    """Who left in the last thirty days, and how many letters to each were cancelled for it."""
    since = context.clock.now() - RECENT_S
    gone = [each for each in charters.departures(session).values() if each.at >= since]
    return gone, outbox.abandoned(session) if gone else {}


def peers(session: Session, context: Context, members: list[str]) -> list[PeerState]:
    """The state of each of `members`, in their order."""
    known = {peer.member: peer for peer in session.scalars(select(models.Peer))}
    suspended = {each.member for each in measures.in_force(session, context)}
    return [
        _peer_state(member, known.get(member), is_suspended=member in suspended)
        for member in members
    ]


def suspended_until(session: Session, context: Context) -> int | None:
    """Until when two other members hold our letters back; None when nobody does."""
    return measures.held(session, context).get(context.member_id)


def _peer_state(member: str, peer: models.Peer | None, *, is_suspended: bool) -> PeerState:
    row = peer or models.Peer(member=member)
    state = membership.connection(row, is_suspended=is_suspended)
    contact_at = max(filter(None, (row.last_success_at, row.seen_at)), default=None)
    return PeerState(member, state, contact_at, row.last_error_code)


def _count(session: Session, *conditions: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).where(*conditions)) or 0
