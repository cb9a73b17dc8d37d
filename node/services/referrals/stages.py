"""Stages: how a selection goes on here, in this member's own words.  DOMAIN 2.2 V5, 6.4.

Each stage has a name of our own and one of the common codes; only the code leaves this node, and
only where the person allowed that. Whoever has set up no stages works with the codes themselves.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services import audit, outbox
from node.services.referrals.offers import grounds_of, require_not_handed_on, tell
from node.services.referrals.refusals import (
    ReferralNotAccepted,
    StageInUse,
    StagesInvalid,
    StageUnknown,
)
from protocol import PROGRESS, STAGES, Progress

# These two end every selection, whatever the stages are called.
ENDS = ("declined_by_company", "withdrawn_by_candidate")
# A hire is registered, and an answer is an answer: neither is a stage that HR moves to.
CODES = tuple(c for c in STAGES if c not in ("applied", "hired", "left", "no_answer", *ENDS))
STAGES_MAX = 20
NAME_CHARS_MAX = 30
# Where a selection may begin: whoever starts later skips what stands before.  DOMAIN 2.2 V6.
STARTS = tuple(c for c in CODES if c not in ("offer", "accepted"))
# What a board can show; whoever has more in selection at once works with the list.
BOARD_MAX = 500

Row = models.SelectionStage
In = models.ReferralIn


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of our selection; without a name of its own it is called as its code is."""

    id: str
    code: str
    name: str = ""


WITHDRAWN = Stage("withdrawn_by_candidate", "withdrawn_by_candidate")


def course(session: Session) -> tuple[Stage, ...]:
    """The stages in their order; the common codes while nobody has set up any."""
    rows = _rows(session)
    return tuple(Stage(row.id, row.code, row.name) for row in rows) or tuple(
        Stage(code, code) for code in CODES
    )


def starts(session: Session) -> tuple[Stage, ...]:
    """Where a person whom we accept may begin: our first stage, and those before any offer."""
    first, *later = course(session)
    return first, *(each for each in later if each.code in STARTS)


def start_of(session: Session, row: models.ReferralOut) -> str | None:
    """The stage that the receiver offered to begin at when it accepted; None for the first."""
    table = models.StageChange
    return session.scalar(
        select(table.stage_code)
        .where(table.direction == "out", table.referral_id == row.id)
        .where(table.changed_at == row.answered_at, table.stage_code.in_(STARTS))
        .order_by(table.id)
        .limit(1)
    )


def names(session: Session) -> dict[str, str]:
    """What each stage is called, those of before included: the history names them still."""
    return {row.id: row.name for row in session.scalars(select(Row))}


def write_course(
    session: Session, context: Context, stages: Sequence[Stage], *, user_id: str
) -> None:
    """Set the stages anew; an empty `id` is a new one, and none at all means the common codes.

    A stage that somebody stands at cannot go.
    """
    _check(stages)
    kept = {row.id: row for row in _rows(session)}
    if not {each.id for each in stages if each.id} <= kept.keys():
        raise StageUnknown
    gone = kept.keys() - {each.id for each in stages}
    # Who stands at a common code belongs to the first stage that has it.
    codes = {each.code for each in stages} or set(CODES)
    bare = and_(In.stage_id.is_(None), In.stage_code.not_in((*codes, *ENDS)))
    nowhere = or_(In.stage_id.in_(gone), bare)
    if session.scalar(select(In.id).where(In.state == "profile_received", nowhere).limit(1)):
        raise StageInUse
    for id_ in gone:
        kept[id_].retired_at = context.now()
    for position, each in enumerate(stages):
        row = kept.get(each.id)
        if row is None:
            row = Row(id=secrets.token_hex(8), name="", code="", position=0)
            session.add(row)
        row.name, row.code, row.position = each.name, each.code, position
    session.flush()
    audit.record(session, context, actor=user_id, action="stages.written", subject="course")


def _check(stages: Sequence[Stage]) -> None:
    called = [each.name for each in stages]
    if len(stages) > STAGES_MAX or len(set(called)) != len(called):
        raise StagesInvalid
    for each in stages:
        if not 0 < len(each.name) <= NAME_CHARS_MAX or each.code not in CODES:
            raise StagesInvalid


def _rows(session: Session) -> Sequence[Row]:
    return session.scalars(select(Row).where(Row.retired_at.is_(None)).order_by(Row.position)).all()


def place_of(row: In, stages: Sequence[Stage]) -> str:
    """Which stage a referral stands at: its own, or the first of its code; "" for none of them."""
    if row.stage_id in {each.id for each in stages}:
        return str(row.stage_id)
    return next((each.id for each in stages if each.code == row.stage_code), "")


def move(session: Session, context: Context, referral_id: str, stage: str, *, user_id: str) -> None:
    """Move a referral to one of our stages, or to an end; the referrer is told the code."""
    found = {each.id: each for each in course(session)} | {end: Stage(end, end) for end in ENDS}
    if stage not in found:
        raise StageUnknown(stage)
    row = session.get(In, referral_id, with_for_update=True)
    if row is None or row.state != "profile_received":
        raise ReferralNotAccepted("" if row is None else row.state)
    require_not_handed_on(session, row)
    to = found[stage]
    if (row.stage_code, row.stage_id) != (to.code, own_id(to)):
        change_stage(session, context, row, to, user_id=user_id)


def own_id(stage: Stage) -> str | None:
    """The id that a row keeps; none for a stage that is only a common code."""
    return stage.id if stage.id != stage.code else None


def change_stage(
    session: Session,
    context: Context,
    row: In,
    stage: Stage,
    *,
    user_id: str,
    starts_at: int | None = None,
) -> None:
    """Record a stage, and send its code if the person allowed that; the caller checked the rest.

    `starts_at` is the second of our acceptance: what is told of it offers to begin at that stage,
    so every other step is of a later second.
    """
    now = starts_at or max(context.now(), (row.answered_at or 0) + 1)
    was, row.updated_at = row.stage_code, context.now()
    row.stage_code, row.stage_id = stage.code, own_id(stage)
    session.add(
        models.StageChange(
            id=outbox.new_id(context),
            direction="in",
            referral_id=row.id,
            stage_code=stage.code,
            stage_id=own_id(stage),
            changed_at=now,
            changed_by=user_id,
        )
    )
    # Two of our stages may have one code: outside, nothing has changed.
    if stage.code != was and PROGRESS in grounds_of(row).items:
        told = Progress(row.referral_id, stage.code, now)
        tell(session, context, row, PROGRESS, told.encode())
    audit.record(
        session, context, actor=user_id, action="referral.moved", subject=row.id, detail=stage.code
    )


def board(session: Session) -> tuple[list[In], int]:
    """What is in selection, the newest change first, and how many there are in all."""
    where = In.state == "profile_received"
    rows = session.scalars(
        select(In).where(where).order_by(In.updated_at.desc(), In.id).limit(BOARD_MAX)
    ).all()
    return list(rows), session.scalar(select(func.count()).where(where)) or 0
