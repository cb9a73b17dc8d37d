"""Rejoining: when a restored node has heard enough to sign again.  LEDGER 4, PEER 4.

Two things of each of enough peers: its whole ledger, applied here, and what it shows of our account
and of everybody's fences. Then, in one transaction, what we may have forgotten is provided for: we
abstain where we may have voted, hold to the fences that we may have promised, and fence our own
account, so that no number is used twice. The fence is sent behind it, by the worker.
"""

from collections.abc import Iterator, Mapping

from sqlalchemy.orm import Session

from node.context import Context
from node.services import restores
from node.services.ledger import tenure
from node.services.ledger.books import SQLBooks
from node.services.ledger.guards import SQLGuards
from protocol import (
    FIRST_INCARNATION,
    Charter,
    Fence,
    ProtocolError,
    Signed,
    Standing,
    reports_needed,
    restored_guards,
    verify_fence,
)


def note_vector(session: Session, context: Context, member: str, theirs: Mapping[str, int]) -> None:
    """A peer told where it stands: its ledger is read once all that it has is applied here."""
    if not restores.is_recovering(session):
        return
    ours = SQLBooks(session).vector()
    if all(ours.get(account, 0) >= at for account, at in theirs.items()):
        restores.note_read(session, context, member)
        _rejoin(session, context)


def note_standing(session: Session, context: Context, member: str, standing: Standing) -> None:
    """A peer showed what it holds of our account."""
    if restores.is_recovering(session):
        restores.keep_standing(session, member, standing.encode())
        _rejoin(session, context)


def _rejoin(session: Session, context: Context) -> None:
    heard = restores.heard(session)
    charter, us = context.charter(session), context.member_id
    if len(heard) < reports_needed(charter):
        return
    standings = [Standing.parse(each) for each in heard.values()]
    books, guards = SQLBooks(session), SQLGuards(session)
    books.hold(charter.accounts)
    fences = [each for standing in standings for each in _proven(standing, charter)]
    guards.keep_all(restored_guards(us, charter, books, guards, fences))
    shown = [tenure.shown_by(session, context, standing) for standing in standings]
    if us in charter.accounts:
        known = max(each or FIRST_INCARNATION for each in shown)
        tenure.fence(session, context, known, "restored")
    restores.finish(session, context, len(heard))


def _proven(standing: Standing, charter: Charter) -> Iterator[Signed[Fence]]:
    for document in standing.fences:
        try:
            yield verify_fence(document, charter)
        except ProtocolError:
            # Of a closed epoch, or of nobody: it says nothing.
            continue
