"""Correcting: a person mends what was sent, and every company that holds it gets it again.

個人情報保護法 34. What still waits here is replaced; what was released is released once more,
against the same acceptance, and takes the place of the profile that the receiver has.
"""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.keyring import PersonCipher
from node.services import outbox
from node.services.referrals.refusals import CorrectedTooOften
from node.services.referrals.sending import PROFILE_COLUMN, send_profile
from protocol import PROFILE, Profile, SignedDocument

DAY_S = 86_400
# Each is a letter to every company, and a record for three years.
A_DAY_MAX = 5

Out = models.ReferralOut


def correct(
    session: Session, context: Context, consent_id: str, profile: Profile, cipher: PersonCipher
) -> int:
    """Put `profile` in the place of the one that was consented to; how many companies get it now.

    Whoever declined, or has to erase, gets nothing; whoever hired the person is asked directly.
    """
    rows = session.scalars(
        select(Out).where(Out.consent_id == consent_id).order_by(Out.id).with_for_update()
    ).all()
    told = [row for row in rows if row.state == "released" and row.acceptance is not None]
    told = [row for row in told if outbox.reaches(session, context, row.recipient)]
    for row in rows:
        if row.profile_blob is not None:
            row.profile_blob = cipher.encrypt(PROFILE_COLUMN, row.id, profile.encode())
    for row in told:
        _send_again(session, context, row, profile)
    return len(told)


def _send_again(session: Session, context: Context, row: Out, profile: Profile) -> None:
    table = models.OutboxEntry
    lately = select(func.count()).where(
        table.subject_id == row.id,
        table.kind == PROFILE,
        table.created_at > context.now() - DAY_S,
    )
    if (session.scalar(lately) or 0) > A_DAY_MAX:
        raise CorrectedTooOften
    assert row.acceptance is not None, "a released referral was accepted"
    send_profile(session, context, row, SignedDocument.parse(row.acceptance), profile)
    row.updated_at = context.now()
