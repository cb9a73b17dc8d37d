"""The ledger: accounts, locks, certificates, entries, and what this member still owes.

LEDGER 3.  Signed documents are stored whole; the columns beside them are an index only.
Tables that are read by their key alone keep no second tree on SQLite (WITHOUT ROWID).
"""

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from node.models.schema import Model, one_of

ENTRY_KINDS = ("referral", "free_hire", "refund", "correction")


class LedgerAccount(Model):
    """A member's line: how far it is applied here, and what it adds up to."""

    __tablename__ = "ledger_accounts"
    __table_args__ = (
        # Sequence 0 is the empty account; orders begin at 1.
        CheckConstraint("sequence >= 0", name="sequence_not_negative"),
        # Both sums only grow; the balance is their difference.
        CheckConstraint("debits >= 0 AND credits >= 0", name="sums_not_negative"),
    )

    account: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(default=0)
    digest: Mapped[bytes]  # of the last applied order
    debits: Mapped[int] = mapped_column(default=0)
    credits: Mapped[int] = mapped_column(default=0)


class LedgerLock(Model):
    """The one order this member voted for in a place, until the place is settled.

    The row of our own account is our open order.
    """

    __tablename__ = "ledger_locks"
    __table_args__ = (
        # Orders begin at 1.
        CheckConstraint("sequence >= 1", name="sequence_from_one"),
        {"sqlite_with_rowid": False},
    )

    # The primary key is the rule: a second vote for one place and incarnation cannot be stored.
    account: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    incarnation: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[int]
    digest: Mapped[bytes]
    document: Mapped[bytes]
    locked_at: Mapped[int]
    # What allowed it, in a later incarnation; a promise that reports it passes it on.
    warrant: Mapped[bytes | None] = mapped_column(default=None)


class LedgerCertificate(Model):
    """A certificate that is applied here."""

    __tablename__ = "ledger_certificates"
    __table_args__ = (
        # Orders begin at 1.
        CheckConstraint("sequence >= 1", name="sequence_from_one"),
        # A peer that lacks certificates gets them in the order in which they were applied here.
        Index(None, "position"),
    )

    # The primary key is the rule: one certificate for one place, whatever its incarnation.
    account: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[int]
    incarnation: Mapped[int]
    digest: Mapped[bytes]
    document: Mapped[bytes]
    # Greater than that of everything it builds on; two that know nothing of each other may share.
    position: Mapped[int]
    applied_at: Mapped[int]


class HeldCertificate(Model):
    """A certificate that is verified, and waits until everything in its `seen` is applied."""

    __tablename__ = "ledger_held"

    account: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    document: Mapped[bytes]


class LedgerEntry(Model):
    """Where an applied entry stands: in which of its account's orders. It is read from there.

    One narrow row and one tree, since this is written for every entry at every member; ids grow
    with time, so that rows are put beside each other.
    """

    __tablename__ = "ledger_entries"
    __table_args__ = (
        # Orders begin at 1.
        CheckConstraint("sequence >= 1", name="sequence_from_one"),
        {"sqlite_with_rowid": False},
    )

    # The primary key is the rule: an entry id is new for its account.
    account: Mapped[str] = mapped_column(primary_key=True)
    entry_id: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int]


class LedgerCredit(Model):
    """What one order paid to one member: it tells what an account had within a vector.

    A statement finds by it which orders paid whom, and when.
    """

    __tablename__ = "ledger_credits"
    __table_args__ = (
        # A sum of positive points, which move from payer to payee and never back.
        CheckConstraint("points > 0", name="points_positive"),
        # Nobody pays to themselves.
        CheckConstraint("payee <> payer", name="not_to_oneself"),
        # A statement merges the two: what we were paid and what we paid, by time.
        Index("ix_ledger_credits_payee", "payee", "applied_at", "payer", "sequence"),
        Index("ix_ledger_credits_payer", "payer", "applied_at", "sequence"),
        {"sqlite_with_rowid": False},
    )

    payee: Mapped[str] = mapped_column(primary_key=True)
    payer: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    points: Mapped[int]
    applied_at: Mapped[int]


class PendingEntry(Model):
    """An entry this member owes; it goes when the order that carries it is applied."""

    __tablename__ = "pending_entries"
    __table_args__ = (
        # Points move from payer to recipient, never backwards.
        CheckConstraint("points > 0", name="points_positive"),
        one_of("kind_known", "kind", ENTRY_KINDS),
        {"sqlite_with_rowid": False},
    )

    # The next order takes the lowest: ids grow with time.
    entry_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    recipient: Mapped[str]
    points: Mapped[int]
    reference: Mapped[bytes]
    created_at: Mapped[int]
