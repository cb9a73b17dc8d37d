"""Our seat: whether we still vote in this epoch, and what we said about its end.  LEDGER 5.

A fence is never undone. The seat is read and kept in one transaction that holds the ledger's lines,
so that an order that we voted for is either in our report or was never voted for.
"""

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.driver import Driver, Prepared
from protocol import Charter, decree, errors

_seats = models.table_of(models.DecreeSeat)
# Everybody's order asks.
_STOPPED = Prepared(select(_seats.c.stopped).where(_seats.c.epoch == bindparam("of")))


def seat(session: Session, charter: Charter) -> decree.Seat:
    """Our seat in the charter's epoch; a new one where nothing was said yet."""
    row = session.get(models.DecreeSeat, charter.epoch)
    return decree.Seat(charter.epoch) if row is None else decree.Seat.parse(row.document)


def keep(session: Session, context: Context, kept: decree.Seat) -> None:
    """Write the seat down, in the transaction after which its answer may leave."""
    row = session.get(models.DecreeSeat, kept.epoch)
    if row is None:
        row = models.DecreeSeat(
            epoch=kept.epoch, promised=0, stopped=False, document=b"", changed_at=0
        )
        session.add(row)
    assert kept.promised >= row.promised, "a promise is never taken back"
    assert kept.is_stopped or not row.stopped, "a fence is never undone"
    row.promised, row.stopped = kept.promised, kept.is_stopped
    row.document, row.changed_at = kept.encode(), context.now()
    session.flush()


def is_stopped(session: Session, charter: Charter) -> bool:
    """Whether we have stopped voting for orders in this epoch; ask with the lines held."""
    row = Driver(session.connection()).first(_STOPPED, {"of": charter.epoch})
    return row is not None and bool(row[0])


def require_voting(session: Session, charter: Charter) -> None:
    """Raise EpochStopped unless orders of this epoch may still be voted for here."""
    if is_stopped(session, charter):
        raise errors.EpochStopped(f"epoch {charter.epoch} is stopped", epoch=charter.epoch)
