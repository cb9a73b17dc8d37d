"""Ownership: of several referrals of one person, the first delivered counts.  DOMAIN 2.8.

Several members may refer one person to us, each with the person's consent. For the days that the
charter names, the first that reached us and was not turned down is the one that counts: a later
one is answered "already known" with the day of the first, and its point comes back. Whether two
profiles are one person is for a human to judge; without one, only a proven mailbox decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, or_, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context

DAY_S = 86_400
# More referrals with one contact than these are a shared address, and nobody looks at more.
OTHERS_MAX = 20
# A referral that ended without a promise, or that the person took back, holds nobody.
GOOD = ("received", "accepted", "profile_received", "hired")

In = models.ReferralIn


@dataclass(frozen=True, slots=True)
class Other:
    """Another referral to us of what may be the same person, and what is alike in both."""

    row: In
    alike: tuple[str, ...]
    # It reached us first, within the window, and still holds.
    counts: bool


def others_of(session: Session, context: Context, row: In) -> list[Other]:
    """The other referrals of what may be the same person, the first delivered on top."""
    pairs = {"email": In.email_index, "phone": In.phone_index, "kana": In.name_index}
    known = {name: getattr(row, column.key) for name, column in pairs.items()}
    same = [pairs[name] == index for name, index in known.items() if index is not None]
    if not same:
        return []
    opens = _window(session, context, row)
    found = session.scalars(
        select(In)
        .where(In.id != row.id, or_(*same))
        # Those that can count come first, so that no crowd of others hides them.
        .order_by(case((_counting(row, opens), 0), else_=1), In.created_at, In.id)
        .limit(OTHERS_MAX)
    ).all()
    return [
        Other(
            each,
            tuple(
                name
                for name, index in known.items()
                if index is not None and getattr(each, pairs[name].key) == index
            ),
            _holds(each, row, opens),
        )
        for each in found
    ]


def first_of(others: Sequence[Other]) -> In | None:
    """The referral that counts in the place of a later one; None: the later one counts itself."""
    return next((each.row for each in others if each.counts), None)


def is_proven_twin(session: Session, context: Context, row: In) -> bool:
    """Whether a new referral is of a mailbox that was referred before, so no rule pays twice."""
    if row.email_index is None:
        return False
    opens = _window(session, context, row)
    twin = select(In.id).where(In.id != row.id, _counting(row, opens))
    return session.scalar(twin.limit(1)) is not None


def _counting(row: In, opens: int) -> ColumnElement[bool]:
    """Of the very same mailbox, within the window, and not turned down."""
    same = In.email_index == row.email_index
    return and_(same, In.created_at >= opens, In.state.in_(GOOD))


def _window(session: Session, context: Context, row: In) -> int:
    return row.created_at - context.charter(session).policy.ownership_days * DAY_S


def _holds(earlier: In, row: In, opens: int) -> bool:
    came_first = (earlier.created_at, earlier.id) < (row.created_at, row.id)
    return came_first and earlier.created_at >= opens and earlier.state in GOOD
