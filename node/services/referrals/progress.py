"""Progress: what a receiver tells of its selection, and where it offers to begin.  DOMAIN 6.4.

Only codes are told, and only where the person allowed that; what was not allowed is not kept.
"""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services import outbox
from node.services.letters import Letter
from node.services.referrals.refusals import LetterUnexpected
from node.services.referrals.sending import may_be_accepted, referral_of
from node.services.referrals.stages import STARTS
from protocol import Progress

# A selection has a dozen steps; a peer that tells more of them fills our pages.
STEPS_TOLD_MAX = 50


def receive_progress(
    session: Session, context: Context, letter: Letter
) -> models.ReferralOut | None:
    """The receiver moved the referral on; kept as far as the person allowed it to be told.

    Where to begin comes beside the acceptance. The referral comes back when it was accepted before
    and its person is to be told of that offer.
    """
    progress = Progress.parse(letter.document.payload)
    row = referral_of(session, letter, progress.referral)
    if row.state == "withdrawn":
        return None
    told, latest = _steps_told(session, row)
    waits, is_of_answer = may_be_accepted(row), progress.changed_at == row.answered_at
    is_start = told == 0 and progress.stage in STARTS and (waits or is_of_answer)
    if row.state not in ("accepted", "released", "hired") and not waits:
        raise LetterUnexpected(f"the referral is {row.state}")
    if row.state not in ("released", "hired") and not is_start:
        raise LetterUnexpected(f"the referral is {row.state}")
    if not row.shares_progress:
        # The receiver should not have told it, and we do not keep it.
        return None
    if told >= STEPS_TOLD_MAX:
        raise LetterUnexpected(f"{told} steps of this referral were told")
    if progress.changed_at >= latest and not waits:
        row.stage_code, row.updated_at = progress.stage, context.now()
    session.add(
        models.StageChange(
            id=outbox.new_id(context),
            direction="out",
            referral_id=row.id,
            stage_code=progress.stage,
            changed_at=progress.changed_at,
        )
    )
    return row if is_start and row.state in ("accepted", "released") else None


def _steps_told(session: Session, row: models.ReferralOut) -> tuple[int, int]:
    """How many steps of a referral were told to us, and when the last one was taken."""
    table = models.StageChange
    told, latest = session.execute(
        select(func.count(), func.coalesce(func.max(table.changed_at), 0)).where(
            table.direction == "out", table.referral_id == row.id
        )
    ).one()
    return told, latest
