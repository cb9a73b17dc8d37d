"""Retention: what is kept how long, what goes next, and the job that destroys it.  DOMAIN 3.10.

個人情報保護法 22: what is no longer needed is erased without delay. Applicants go with their key,
so that every copy becomes unreadable; the records of Articles 29 and 30 have their own clock.
Nothing here looks at a person: only states and times decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services import audit, records, referrals, rights
from node.services.referrals import ENDS

DAY_S = 86_400
# How far ahead the page looks.
SOON_S = 30 * DAY_S
# What one transaction destroys.
BATCH_MAX = 100

KINDS = ("applicants", "profiles", "provided", "received")

_person, _applicant = models.PersonKey, models.Applicant
_out, _in, _consent = models.ReferralOut, models.ReferralIn, models.Consent
_relay = models.Relay


@dataclass(frozen=True, slots=True)
class Review:
    """One kind of data: how long it is kept, how much there is, and how much of it goes when."""

    kind: str
    days: int
    held: int
    due: int
    soon: int


def review(session: Session, context: Context) -> list[Review]:
    """What is kept and what will go; a dry run, nothing is changed."""
    now = context.now()
    return [
        Review(
            kind=kind,
            days=_days(session, context, kind),
            held=_count(session, _held(kind)),
            due=_count(session, _due(session, context, kind, now)),
            soon=_count(session, _due(session, context, kind, now + SOON_S)),
        )
        for kind in KINDS
    ]


def destroy_due(session: Session, context: Context) -> Mapping[str, int]:
    """Destroy what is due, at most a batch of each kind; how many of each went."""
    people = _first(session, _due(session, context, "applicants", context.now()))
    for person_id in people:
        rights.destroy(session, context, person_id)
    profiles = _first(session, _due(session, context, "profiles", context.now()))
    for referral_id in profiles:
        referrals.forget(session, context, referrals.received(session, referral_id))
    gone = {"applicants": len(people), "profiles": len(profiles)}
    for kind, count in gone.items():
        if count:
            detail = f"rows={count}"
            audit.record(
                session,
                context,
                actor="worker",
                action="retention.destroyed",
                subject=kind,
                detail=detail,
            )
    return gone | {"records": records.purge(session, context)}


def _days(session: Session, context: Context, kind: str) -> int:
    if kind == "applicants":
        return context.settings.applicant_days
    if kind == "profiles":
        return context.charter(session).policy.retention_days
    return records.KEPT_YEARS * 365


def _held(kind: str) -> Select[str]:
    if kind == "applicants":
        return _people().where(_applicant.status.in_(("rejected", "withdrawn")))
    if kind == "profiles":
        return select(_in.id).where(_in.profile_blob.is_not(None), _in.state != "hired")
    return select(records.REGISTERS[kind].id)


def _due(session: Session, context: Context, kind: str, now: int) -> Select[str]:
    before = now - _days(session, context, kind) * DAY_S
    if kind == "applicants":
        # Whoever applied twice goes once both applications are over.
        kept = func.max(case((_is_over(before), 0), else_=1))
        return _people().having(kept == 0).order_by(_applicant.person_id)
    if kind == "profiles":
        ended = or_(
            _in.state == "already_known",
            and_(_in.state == "profile_received", _in.stage_code.in_(ENDS)),
        )
        held = select(_in.id).where(_in.profile_blob.is_not(None), ended, _in.updated_at < before)
        return held.order_by(_in.updated_at)
    table = records.REGISTERS[kind]
    return select(table.id).where(table.kept_until <= now)


def _people() -> Select[str]:
    """People of our own list whose key is there, once each."""
    return (
        select(_applicant.person_id)
        .join(_person, _person.person_id == _applicant.person_id)
        .where(_person.wrapped.is_not(None))
        .group_by(_applicant.person_id)
    )


def _is_over(before: int) -> ColumnElement[bool]:
    """Whether an application ended before that second, and nothing that it led to is younger."""
    sent = exists().where(
        _out.applicant_id == _applicant.id,
        or_(_out.updated_at >= before, _out.state.in_(("sent", "accepted"))),
    )
    given = exists().where(_consent.applicant_id == _applicant.id, _consent.given_at >= before)
    told = and_(_applicant.status == "rejected", _applicant.notified_at < before)
    went = and_(_applicant.status == "withdrawn", _applicant.updated_at < before)
    # Somebody who was handed on and never told: the copy must not stay for want of a notice.
    handed = exists().where(_relay.applicant_id == _applicant.id, _relay.created_at < before)
    untold = and_(_applicant.notified_at.is_(None), handed)
    return and_(or_(told, went, untold), ~sent, ~given)


def _count(session: Session, query: Select[str]) -> int:
    counted = select(func.count()).select_from(query.order_by(None).subquery())
    return session.scalar(counted) or 0


def _first(session: Session, query: Select[str]) -> list[str]:
    return list(session.scalars(query.limit(BATCH_MAX)))
