"""Our account as people see it: what we owe, and where we stand.  DOMAIN 2.1 R11."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services import charter as charters
from node.services.ledger.applied import is_certified
from node.services.ledger.books import SQLBooks
from protocol import state_digest


@dataclass(frozen=True, slots=True)
class Position:
    """Where our account stands, in points; `owed` is promised by us and not certified yet."""

    balance: int
    owed: int
    credit_limit: int
    points_per_slot: int

    @property
    def available(self) -> int:
        """What a free hire may still spend: owed points are as good as paid."""
        return self.balance - self.owed

    @property
    def slots(self) -> int:
        return max(0, self.available) // self.points_per_slot

    @property
    def towards_next_slot(self) -> int:
        """Points of the slot that is being filled, 0 to points_per_slot - 1."""
        return max(0, self.available) % self.points_per_slot


def new_entry_id(now: int) -> str:
    """A fresh id for an entry: the second, and 96 random bits.

    Ids that grow with time stand beside each other in the index; wholly random ones would touch a
    page of it each, at every member.
    """
    return f"{now:08x}{secrets.token_hex(12)}"


def pay(
    session: Session,
    context: Context,
    *,
    entry_id: str,
    kind: str,
    to: str,
    points: int,
    reference: bytes,
) -> None:
    """Owe an entry; the worker puts it into our next order. The same id again changes nothing."""
    if session.get(models.PendingEntry, entry_id) or is_certified(
        session, context.member_id, entry_id
    ):
        return
    session.add(
        models.PendingEntry(
            entry_id=entry_id,
            kind=kind,
            recipient=to,
            points=points,
            reference=reference,
            created_at=context.now(),
        )
    )
    session.flush()


def hold(session: Session, context: Context) -> None:
    """Let nobody else spend from our account until we commit: look at its position after this."""
    SQLBooks(session).hold(context.charter(session).accounts)


def position(session: Session, context: Context) -> Position:
    """Where our account stands."""
    charter = context.charter(session)
    entry = models.PendingEntry
    # What was promised to an account that is closed since can never be paid.
    payable = entry.recipient.in_(charter.accounts)
    owed = session.scalar(select(func.coalesce(func.sum(entry.points), 0)).where(payable))
    return Position(
        balance=SQLBooks(session).head(context.member_id).balance,
        owed=int(owed or 0),
        credit_limit=charters.describing(session, context.member_id).credit_limit,
        points_per_slot=charter.policy.points_per_free_hire,
    )


def state(session: Session) -> tuple[Mapping[str, int], bytes]:
    """Our vector and the digest of the whole state, to compare with every peer's."""
    books = SQLBooks(session)
    return books.vector(), state_digest(books.heads())
