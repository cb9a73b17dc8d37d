"""Contact codes: six digits by mail, which prove that the mailbox is the person's own.

A code lives ten minutes and bears five tries. It is stored as a keyed hash: a plain one could be
turned round by trying a million. How many may be asked for is limited too, so that guessing gets
at most 100 of 1,000,000 a day.  ASVS 6.4.1, 2.4.1.
"""

from __future__ import annotations

import hmac
import secrets
import uuid
from enum import Enum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services.consents import refusals

DIGITS = 6
LIFE_S = 600
TRIES_MAX = 5
RESEND_S = 60
HOUR_S, A_HOUR_MAX = 3600, 6
DAY_S, A_DAY_MAX = 86_400, 20


class Outcome(Enum):
    """What a typed code turned out to be. No exception: the count of tries must be kept."""

    RIGHT = "right"
    WRONG = "wrong"
    TRIED_TOO_OFTEN = "tried-too-often"
    EXPIRED = "expired"
    NONE_SENT = "none-sent"


def make(session: Session, context: Context, link_id: str) -> str:
    """A new code for this link, to be mailed at once; it replaces the one before."""
    # Whoever taps twice at the same moment gets one code, not two.
    session.scalar(select(models.Link.id).where(models.Link.id == link_id).with_for_update())
    now, code_row = context.clock.now(), models.ContactCode
    last = session.scalar(
        select(func.max(code_row.created_at)).where(
            # One that was entered is on its way no more.
            code_row.link_id == link_id,
            code_row.used_at.is_(None),
        )
    )
    if last is not None and now - last < RESEND_S:
        raise refusals.CodeTooSoon(wait_s=RESEND_S - (now - last))
    for window_s, most in ((HOUR_S, A_HOUR_MAX), (DAY_S, A_DAY_MAX)):
        made = session.scalar(
            select(func.count())
            .select_from(code_row)
            .where(code_row.link_id == link_id, code_row.created_at > now - window_s)
        )
        if (made or 0) >= most:
            raise refusals.CodeTooMany

    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    code_id = uuid.uuid4().hex
    session.add(
        models.ContactCode(
            id=code_id,
            link_id=link_id,
            code_hash=_hash(context, code_id, code),
            created_at=now,
            expires_at=now + LIFE_S,
        )
    )
    session.flush()
    return code


def check(session: Session, context: Context, link_id: str, typed: str) -> tuple[Outcome, int]:
    """What became of a typed code, and how many tries are left. Commit it, whatever it says."""
    row = _newest(session, link_id, lock=True)
    now = context.clock.now()
    if row is None:
        return Outcome.NONE_SENT, 0
    if row.used_at is not None or now >= row.expires_at:
        return Outcome.EXPIRED, 0
    if row.attempts >= TRIES_MAX:
        return Outcome.TRIED_TOO_OFTEN, 0

    row.attempts += 1
    left = TRIES_MAX - row.attempts
    # The same time for every wrong code; and of a keyed hash, no first half can be found out.
    if not hmac.compare_digest(row.code_hash, _hash(context, row.id, typed)):
        return (Outcome.WRONG, left) if left else (Outcome.TRIED_TOO_OFTEN, 0)
    row.used_at = now
    return Outcome.RIGHT, left


def is_under_way(session: Session, context: Context, link_id: str) -> bool:
    """Whether a code was sent that may still be entered."""
    row = _newest(session, link_id)
    return (
        row is not None
        and row.used_at is None
        and row.attempts < TRIES_MAX
        and context.clock.now() < row.expires_at
    )


def _newest(session: Session, link_id: str, *, lock: bool = False) -> models.ContactCode | None:
    rows = (
        select(models.ContactCode)
        .where(models.ContactCode.link_id == link_id)
        .order_by(models.ContactCode.created_at.desc(), models.ContactCode.id)
        .limit(1)
    )
    # Held, so that five tries at the same moment count as five.
    return session.scalar(rows.with_for_update() if lock else rows)


def _hash(context: Context, code_id: str, code: str) -> bytes:
    return context.keyring.blind("contact_codes.code", f"{code_id}:{code}")
