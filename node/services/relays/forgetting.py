"""Forgetting: what is destroyed of a person who was referred to us, as asked."""

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services import referrals
from node.services.relays.origins import of_referral

In = models.ReferralIn
Row = models.Relay


def made_of(session: Session, sender: str, referral_id: str) -> models.Applicant | None:
    """The applicant made of a member's referral, for its erasure.

    The referral is held until the end of the transaction: nobody hands it on meanwhile.
    """
    row = session.scalar(
        select(In).where(In.sender == sender, In.referral_id == referral_id).with_for_update()
    )
    relay = of_referral(session, row.id) if row is not None else None
    return session.get(models.Applicant, relay.applicant_id) if relay is not None else None


def hold_received(session: Session, person_id: str) -> Sequence[In]:
    """Every referral to us of a person in our list, held until the end of the transaction.

    The one that an applicant was made of, and whatever other members sent of the same mailbox,
    which the person has proven. Where two readings differ it is a family's mailbox, and the other
    person has not asked. What we hired by stays: it is no applicant's any more.
    """
    table = models.Applicant
    theirs = session.scalars(select(table).where(table.person_id == person_id)).all()
    made = select(Row.referral_in_id).where(Row.applicant_id.in_([each.id for each in theirs]))
    mailboxes = {each.email_index for each in theirs if each.email_index is not None}
    readings = {each.kana_index for each in theirs if each.kana_index is not None}
    found = session.scalars(
        select(In)
        .where(or_(In.id.in_(made), In.email_index.in_(mailboxes)), In.state != "hired")
        .order_by(In.id)
        .with_for_update()
    ).all()
    origins = set(session.scalars(made))
    return [
        row
        for row in found
        if row.id in origins or row.name_index is None or not readings or row.name_index in readings
    ]


def forget_received(session: Session, context: Context, rows: Sequence[In]) -> None:
    """Destroy what these referrals brought; a selection that goes on ends as the person's wish."""
    for row in rows:
        referrals.close(session, context, row, user_id="applicant")
        referrals.forget(session, context, row)
