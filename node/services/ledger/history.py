"""The balance over time: one figure a day, for the chart on the page of points."""

from datetime import date, datetime, time, timedelta

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services.ledger.books import SQLBooks

DAY_S = 86_400


def balances(session: Session, context: Context, *, days: int) -> list[tuple[int, int]]:
    """(the first second of a day, our balance at its end) for the last `days` days, oldest first.

    Added up by the database day by day, and counted back from the balance of today.
    """
    us, zone, table = context.member_id, context.settings.time_zone, models.LedgerCredit
    today = datetime.fromtimestamp(context.now(), zone).date()
    begins = [_second(context, today - timedelta(days=ago)) for ago in range(days - 1, -1, -1)]
    # Days have 24 hours where HR works; one hour more or less would only move a step by a day.
    number = (table.applied_at - begins[0]) // DAY_S
    points = case((table.payer == us, -table.points), else_=table.points)
    moved = session.execute(
        select(number, func.sum(points))
        .where(or_(table.payer == us, table.payee == us), table.applied_at >= begins[0])
        .group_by(number)
    )
    by_day = {int(day): int(sum_) for day, sum_ in moved}
    balance, found = SQLBooks(session).head(us).balance, []
    for at in range(days - 1, -1, -1):
        found.append((begins[at], balance))
        balance -= by_day.get(at, 0)
    return found[::-1]


def _second(context: Context, day: date) -> int:
    return int(datetime.combine(day, time(0), context.settings.time_zone).timestamp())
