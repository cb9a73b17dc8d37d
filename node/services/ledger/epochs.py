"""The end of an epoch in the books: what a decree put into its places.  LEDGER 5."""

from sqlalchemy import delete
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services.ledger.books import SQLBooks
from node.services.ledger.votes import forget_owed
from protocol import FIRST_INCARNATION, decree


def settle(
    session: Session, context: Context, books: SQLBooks, activation: decree.Activation
) -> None:
    """Apply what the decree decided, and drop every lock and everything that waited.

    Entries of an own order that the cut left out are still owed, and go into a new order.
    """
    ended = activation.charter.epoch - 1
    for changes in activation.placed:
        books.commit(changes, ended, FIRST_INCARNATION, context.now())
    for changes in activation.amended:
        books.amend(changes, context.now())
    for changes in (*activation.placed, *activation.amended):
        if changes.account == context.member_id:
            forget_owed(session, (entry.id for entry in changes.entries))
    session.execute(delete(models.LedgerLock))
    session.execute(delete(models.HeldCertificate))
