"""Origins: how the profile of an applicant of ours came to us, and who else has it already."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services import charter as charters
from node.services import persons, referrals
from protocol import Member, Profile

# How we came to the data, in the words of the next receiver's record (個人情報保護法 30). By whom
# is left out: the person may have wished it hidden, and the law asks for the kind of source.
ACQUIRED = "他社からの紹介（本人の同意に基づく提供）により取得し、本人が内容を確認"

In = models.ReferralIn
Out = models.ReferralOut
Row = models.Relay


@dataclass(frozen=True, slots=True)
class Chain:
    """How a profile came to us, as far as we know: whoever gave it, when, by which consent."""

    giver: Member
    consented_at: int
    given_at: int
    # The giver had it from another company, whose name it did not tell.
    had_it_from_another: bool


def of_referral(session: Session, referral_id: str) -> Row | None:
    """How a referral that we received was handed on; None if it was not."""
    return session.get(Row, referral_id)


def of_applicant(session: Session, applicant_id: str) -> Row | None:
    """Of which referral an applicant was made; None for those who applied to us themselves."""
    return session.scalar(select(Row).where(Row.applicant_id == applicant_id))


def handed_on(session: Session, applicant_ids: Collection[str]) -> frozenset[str]:
    """Which of these applicants never applied to us, but were made of a referral."""
    found = select(Row.applicant_id).where(Row.applicant_id.in_(applicant_ids))
    return frozenset(session.scalars(found))


def chain_of(session: Session, applicant_id: str) -> Chain | None:
    """How the profile of this applicant came to us, for the person's own pages."""
    relay = of_applicant(session, applicant_id)
    if relay is None:
        return None
    row = referrals.offered(session, relay.referral_in_id)
    grounds = referrals.grounds_of(row)
    return Chain(
        giver=charters.describing(session, row.sender),
        consented_at=grounds.given_at,
        given_at=row.created_at,
        had_it_from_another=grounds.acquired == ACQUIRED,
    )


def profile_of(session: Session, context: Context, applicant: models.Applicant) -> Profile | None:
    """The profile that an applicant was made of, for the person's own pages; None once it went.

    Neither is one that was changed to another mailbox since: it may be another person's.
    """
    row = _origin_of(session, applicant.id)
    if row is None or row.profile_blob is None or row.email_index != applicant.email_index:
        return None
    return opened(session, context, row)


def has_resume(session: Session, applicant_id: str) -> bool:
    """Whether the PDF that came with the profile is held still."""
    row = _origin_of(session, applicant_id)
    return row is not None and row.resume_blob is not None


def _origin_of(session: Session, applicant_id: str) -> In | None:
    relay = of_applicant(session, applicant_id)
    return None if relay is None else referrals.offered(session, relay.referral_in_id)


def opened(session: Session, context: Context, row: In) -> Profile:
    """The profile of a referral, which has one, for the person's sake."""
    assert row.profile_blob is not None, "it was looked at before"
    cipher = persons.cipher(session, context, row.id)
    return Profile.parse(cipher.decrypt(referrals.PROFILE_COLUMN, row.id, row.profile_blob))


def acquainted(session: Session, applicant: models.Applicant) -> frozenset[str]:
    """The members that have this person already, as far as we know, and so are not offered.

    Whoever referred the person to us, and whom we referred him or her to by another application.
    """
    relay = of_applicant(session, applicant.id)
    # Whoever was erased meanwhile has no mailbox here, and nothing to choose any more.
    if relay is None or applicant.email_index is None:
        return frozenset()
    table, mailbox = models.Applicant, applicant.email_index
    known = In.id == relay.referral_in_id
    senders = session.scalars(select(In.sender).where(or_(known, In.email_index == mailbox)))
    recipients = session.scalars(
        select(Out.recipient)
        .join(table, table.id == Out.applicant_id)
        .where(table.id != applicant.id, table.email_index == mailbox, Out.state != "withdrawn")
    )
    return frozenset((*senders, *recipients))
