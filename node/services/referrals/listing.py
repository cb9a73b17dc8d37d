"""The two boards: what we sent and what we received, page by page.  DOMAIN 2.1 R9, 2.2 V2."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.models.referrals import IN_STATES
from node.services.applicants import Person, persons_of
from node.services.pages import Cursor, Page, page_of
from node.services.referrals.refusals import ReferralUnknown

COUNTED_MAX = 1_000


def list_in(
    session: Session,
    *,
    state: str = "",
    sender: str = "",
    cursor: Cursor | None = None,
    backwards: bool = False,
    limit: int,
) -> Page[models.ReferralIn]:
    """What we received; by state and sender if they are given."""
    table = models.ReferralIn
    query = select(table)
    if state:
        query = query.where(table.state == state)
    if sender:
        query = query.where(table.sender == sender)
    columns = (table.created_at, table.id)
    return page_of(session, query, columns, _key, cursor=cursor, backwards=backwards, limit=limit)


def list_out(
    session: Session,
    *,
    state: str = "",
    recipient: str = "",
    cursor: Cursor | None = None,
    backwards: bool = False,
    limit: int,
) -> Page[models.ReferralOut]:
    """What we sent; by state (as `state_shown` names it) and recipient if they are given."""
    table = models.ReferralOut
    query = select(table)
    if state:
        query = query.where(_in_state(state))
    if recipient:
        query = query.where(table.recipient == recipient)
    columns = (table.created_at, table.id)
    return page_of(session, query, columns, _key, cursor=cursor, backwards=backwards, limit=limit)


def _key(row: models.ReferralIn | models.ReferralOut) -> Cursor:
    return row.created_at, row.id


def state_shown(row: models.ReferralOut) -> str:
    """The state as HR may see it: how it ended only where the person shares it.  DOMAIN 2.1 R9."""
    return "released" if row.state == "hired" and not row.shares_progress else row.state


def _in_state(state: str) -> ColumnElement[bool]:
    table = models.ReferralOut
    hidden = and_(table.state == "hired", ~table.shares_progress)
    if state == "released":
        # Two states look like one, so no index has them in order: the newest are looked through.
        return case((hidden, "released"), else_=table.state) == state
    return and_(table.state == state, ~hidden)


def people_of(
    session: Session, context: Context, rows: Sequence[models.ReferralOut]
) -> Mapping[str, Person]:
    """Referral id -> the person of our own list that was referred; erased ones are left out."""
    table = models.Applicant
    wanted = {row.applicant_id for row in rows}
    found = session.scalars(select(table).where(table.id.in_(wanted))).all()
    persons = persons_of(session, context, found)
    return {row.id: persons[row.applicant_id] for row in rows if row.applicant_id in persons}


def sent_of(session: Session, referral_id: str) -> models.ReferralOut:
    """One referral that we sent; ReferralUnknown when there is none."""
    row = session.get(models.ReferralOut, referral_id)
    if row is None:
        raise ReferralUnknown(referral_id)
    return row


def offered(session: Session, referral_id: str) -> models.ReferralIn:
    """One referral that we received, to look at; ReferralUnknown when there is none."""
    row = session.get(models.ReferralIn, referral_id)
    if row is None:
        raise ReferralUnknown(referral_id)
    return row


def sharing(session: Session, referral_ids: Iterable[str]) -> set[str]:
    """Those of the sent referrals whose course the person lets us see."""
    table = models.ReferralOut
    wanted = select(table.id).where(table.id.in_(list(referral_ids)), table.shares_progress)
    return set(session.scalars(wanted))


def of_consent(session: Session, consent_id: str) -> Sequence[models.ReferralOut]:
    """The referrals that one consent led to, for the person's status page."""
    table = models.ReferralOut
    query = select(table).where(table.consent_id == consent_id).order_by(table.recipient)
    return session.scalars(query).all()


def stages_of(session: Session, direction: str, referral_id: str) -> Sequence[models.StageChange]:
    """The steps of one referral, oldest first; `direction` is "in" or "out"."""
    table = models.StageChange
    query = select(table).where(table.direction == direction, table.referral_id == referral_id)
    return session.scalars(query.order_by(table.changed_at, table.id)).all()


def counts(session: Session) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """How many referrals stand in each state: sent, received."""
    sent, received = models.ReferralOut, models.ReferralIn
    return (
        dict(session.execute(_by_state(sent)).all()),
        dict(session.execute(_by_state(received)).all()),
    )


def counts_shown(session: Session) -> Mapping[str, int]:
    """How many that we received stand in each state; counted to COUNTED_MAX, as a page needs it."""
    table = models.ReferralIn
    found = {}
    for state in IN_STATES:
        some = select(table.id).where(table.state == state).limit(COUNTED_MAX).subquery()
        found[state] = session.scalar(select(func.count()).select_from(some)) or 0
    return found


def _by_state(table: type[models.ReferralIn | models.ReferralOut]) -> Select[str, int]:
    return select(table.state, func.count()).group_by(table.state)
