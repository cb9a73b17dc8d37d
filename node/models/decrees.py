"""Decrees: drafts of the next charter, who said what of them, our seat, and the proofs.  LEDGER 5.

Signed documents are stored whole; the columns beside them are an index only.
"""

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from node.models.schema import Model


class Draft(Model):
    """A draft of the version after `epoch`, with the signatures that we have seen on it so far."""

    __tablename__ = "drafts"
    __table_args__ = (
        # A draft follows a charter, and the first is version 1.
        CheckConstraint("epoch >= 1", name="epoch_from_one"),
    )

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    epoch: Mapped[int]
    document: Mapped[bytes]
    received_at: Mapped[int]


class DraftWord(Model):
    """A member's last word on a draft: it approves, or no longer does."""

    __tablename__ = "draft_words"
    __table_args__ = (
        # Words are counted from one; the higher is the later.
        CheckConstraint("number >= 1", name="number_from_one"),
    )

    # The primary key is the rule: of one member only the last word counts.
    draft: Mapped[bytes] = mapped_column(ForeignKey("drafts.digest"), primary_key=True)
    member: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]
    approves: Mapped[bool]
    document: Mapped[bytes]
    received_at: Mapped[int]


class DecreeSeat(Model):
    """What we may never forget about the decree that ends an epoch; it is never undone."""

    __tablename__ = "decree_seats"
    __table_args__ = (
        # Ballots are counted from one; zero has promised nothing.
        CheckConstraint("promised >= 0", name="promised_not_negative"),
    )

    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    promised: Mapped[int]
    # Whether orders of this epoch are still voted for; everybody's order asks.
    stopped: Mapped[bool]
    document: Mapped[bytes]
    changed_at: Mapped[int]


class Decree(Model):
    """A decree as it is handed on: with the orders that its cut carried.

    Until `enacted_at` it waits for orders within its cut that are not applied here.
    """

    __tablename__ = "decrees"
    __table_args__ = (
        # Version 1 is the founding, which nobody decreed.
        CheckConstraint("version >= 2", name="version_from_two"),
    )

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    document: Mapped[bytes]
    received_at: Mapped[int]
    enacted_at: Mapped[int | None] = mapped_column(default=None)
