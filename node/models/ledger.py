"""The ledger: accounts, locks, certificates, entries, and what this member still owes.

LEDGER 3.  Signed documents are stored whole; the columns beside them are an index only.
Tables that are read by their key alone keep no second tree on SQLite (WITHOUT ROWID).
"""

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from node.models.schema import Model, one_of

ENTRY_KINDS = ("referral", "free_hire", "refund", "correction")


class LedgerAccount(Model):
    """A member's line: how far it is applied here, and what it adds up to."""

    __tablename__ = "ledger_accounts"
    __table_args__ = (
        # Sequence 0 is the empty account; orders begin at 1.
        CheckConstraint("sequence >= 0", name="sequence_not_negative"),
        # Debits only grow; a refund is another member's debit.
        CheckConstraint("debits >= 0", name="debits_not_negative"),
        # The balance cannot fall below what was paid out.
        CheckConstraint("balance + debits >= 0", name="credits_not_negative"),
    )

    account: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(default=0)
    digest: Mapped[bytes | None] = mapped_column(default=None)  # of the last applied order
    balance: Mapped[int] = mapped_column(default=0)
    debits: Mapped[int] = mapped_column(default=0)
    incarnation: Mapped[int] = mapped_column(default=1)  # never vote below it


class LedgerOrder(Model):
    """A lock: the one order this member voted for in a slot, and its vote."""

    __tablename__ = "ledger_orders"
    __table_args__ = (
        # Orders begin at 1.
        CheckConstraint("sequence >= 1", name="sequence_from_one"),
        {"sqlite_with_rowid": False},
    )

    # The primary key is the rule: a second vote for one slot and incarnation cannot be stored.
    account: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    incarnation: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[int]
    digest: Mapped[bytes]
    document: Mapped[bytes]
    vote: Mapped[bytes | None] = mapped_column(default=None)
    locked_at: Mapped[int]


class LedgerCertificate(Model):
    """A certificate that is applied here."""

    __tablename__ = "ledger_certificates"
    __table_args__ = (
        # Orders begin at 1.
        CheckConstraint("sequence >= 1", name="sequence_from_one"),
    )

    # The primary key is the rule: one certificate for one slot, whatever its incarnation.
    account: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    digest: Mapped[bytes]
    epoch: Mapped[int]
    incarnation: Mapped[int] = mapped_column(default=1)
    document: Mapped[bytes]
    applied_at: Mapped[int]


class HeldCertificate(Model):
    """A certificate that is verified, and waits until everything in its `seen` is applied."""

    __tablename__ = "ledger_held"

    account: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    document: Mapped[bytes]


class LedgerEntry(Model):
    """One applied entry.  Statements page by `(applied_at, account, sequence, position)`."""

    __tablename__ = "ledger_entries"
    __table_args__ = (
        # An entry id is new for its account; this also finds the entry of a referral.
        UniqueConstraint("account", "entry_id", name="entry_id_new_for_account"),
        # Points move from payer to recipient, never backwards.
        CheckConstraint("points > 0", name="points_positive"),
        # Nobody pays to themselves.
        CheckConstraint("account <> recipient", name="not_to_oneself"),
        one_of("kind_known", "kind", ENTRY_KINDS),
        Index(None, "account", "applied_at", "sequence", "position"),
        Index(None, "recipient", "applied_at", "account", "sequence", "position"),
        {"sqlite_with_rowid": False},
    )

    account: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entry_id: Mapped[str]
    kind: Mapped[str]
    recipient: Mapped[str]
    points: Mapped[int]
    reference: Mapped[str]
    applied_at: Mapped[int]


class LedgerCredit(Model):
    """All that `payer` had paid to `payee` up to the payer's `sequence`: credit within `seen`."""

    __tablename__ = "ledger_credits"
    __table_args__ = (
        # A sum of positive points.
        CheckConstraint("total > 0", name="total_positive"),
        {"sqlite_with_rowid": False},
    )

    payer: Mapped[str] = mapped_column(primary_key=True)
    payee: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    total: Mapped[int]


class PendingEntry(Model):
    """An entry this member promised, with the salt of its commitment, until it is certified."""

    __tablename__ = "pending_entries"
    __table_args__ = (
        # Points move from payer to recipient, never backwards.
        CheckConstraint("points > 0", name="points_positive"),
        one_of("kind_known", "kind", ENTRY_KINDS),
        # The next order takes the oldest that stand in none.
        Index(None, "sequence", "created_at", "entry_id"),
    )

    entry_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    recipient: Mapped[str]
    points: Mapped[int]
    reference: Mapped[str]
    salt: Mapped[bytes]
    created_at: Mapped[int]
    sequence: Mapped[int | None] = mapped_column(default=None)  # of our order that carries it


class OwnOrder(Model):
    """An order of this member, committed before it is sent; one is open at a time."""

    __tablename__ = "own_orders"
    __table_args__ = (
        # Orders begin at 1.
        CheckConstraint("sequence >= 1", name="sequence_from_one"),
    )

    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    incarnation: Mapped[int] = mapped_column(default=1)
    epoch: Mapped[int]
    digest: Mapped[bytes]
    document: Mapped[bytes]
    created_at: Mapped[int]
    certified_at: Mapped[int | None] = mapped_column(default=None)


class OwnVote(Model):
    """A member's vote for one of our orders; a member counts once."""

    __tablename__ = "own_votes"

    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    voter: Mapped[str] = mapped_column(primary_key=True)
    keyid: Mapped[str]
    signature: Mapped[bytes]
