"""The settlement with a member that has gone: what the two paid each other, up to the cut.  PEER 4.

Its account is closed where the cut left it, so that nothing is added to this afterwards. What was
promised and not certified by then is no payment: it is told apart, for the two to talk about.
"""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.refusals import NotThere
from node.services import charter as charters
from node.services.charter import Departure
from protocol import Charter, Member


@dataclass(frozen=True, slots=True)
class Settlement:
    """One of the two has left: by which version, and what the pair's payments add up to."""

    member: Member
    charter: Charter
    closed_at: int
    received: int
    paid: int
    # Owed by us, and certified by nobody before the account was closed.
    lapsed: int

    @property
    def balance(self) -> int:
        """Points that we were paid, less those that we paid."""
        return self.received - self.paid

    @property
    def cut_digest(self) -> bytes:
        """The digest of every account's state that the version opened on."""
        assert self.charter.cut is not None, "who left was in a version before"
        return self.charter.cut.state


def settlement(session: Session, context: Context, member: str) -> Settlement:
    """The settlement with one member; NotThere while both belong, and for who never did."""
    found = [each for each in settlements(session, context) if each.member.id == member]
    if not found:
        raise NotThere(member)
    return found[0]


def settlements(session: Session, context: Context) -> list[Settlement]:
    """With everybody who has left; with everybody, once we have."""
    gone = charters.departures(session)
    ours = gone.get(context.member_id)
    ends = {each.member.id: each for each in gone.values() if each is not ours}
    if ours is not None:
        before = charters.of_epoch(session, ours.last_version)
        for member in before.members:
            theirs = ends.get(member.id)
            if member.id != context.member_id and (
                theirs is None or theirs.charter.version > ours.charter.version
            ):
                ends[member.id] = Departure(member, ours.charter, ours.at)
    return [_settlement(session, context, each) for each in ends.values()]


def _settlement(session: Session, context: Context, end: Departure) -> Settlement:
    us, them, owed = context.member_id, end.member.id, models.PendingEntry
    lapsed = session.scalar(select(func.sum(owed.points)).where(owed.recipient == them))
    return Settlement(
        member=end.member,
        charter=end.charter,
        closed_at=end.at,
        received=_paid(session, them, us),
        paid=_paid(session, us, them),
        lapsed=int(lapsed or 0),
    )


def _paid(session: Session, payer: str, payee: str) -> int:
    credit = models.LedgerCredit
    total = select(func.sum(credit.points)).where(credit.payer == payer, credit.payee == payee)
    return int(session.scalar(total) or 0)
