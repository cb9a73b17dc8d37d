"""What a member holds to when an owner, or the member itself, was restored.  LEDGER 4."""

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from node.models.schema import Model

UNTOLD = text("told_at IS NULL")


class LedgerGuard(Model):
    """What this member holds to for one account; `protocol`'s Guard, field by field."""

    __tablename__ = "ledger_guards"
    __table_args__ = (
        # Every account begins in its first incarnation.
        CheckConstraint("incarnation >= 1 AND certified >= 1", name="incarnations_from_one"),
    )

    account: Mapped[str] = mapped_column(primary_key=True)
    incarnation: Mapped[int]
    certified: Mapped[int]
    fence: Mapped[bytes]
    answer: Mapped[bytes]
    abstains_to: Mapped[int]


class LedgerTenure(Model):
    """Our hold on our own account; no row: the first incarnation, which nothing has to allow.

    `superseded_at`: another machine with our key has taken the account over. This one signs no
    orders until it is started again.
    """

    __tablename__ = "ledger_tenures"
    __table_args__ = (
        # Every account begins in its first incarnation.
        CheckConstraint("incarnation >= 1", name="incarnation_from_one"),
    )

    account: Mapped[str] = mapped_column(primary_key=True)
    incarnation: Mapped[int]
    warrant: Mapped[bytes]
    fence: Mapped[bytes]
    began_at: Mapped[int]
    superseded_at: Mapped[int | None] = mapped_column(default=None)


class LedgerEvidence(Model):
    """Two orders that one owner signed for one place: it proves itself to whoever reads it.

    `told_at`: every other member has answered that it has it too.
    """

    __tablename__ = "ledger_evidence"
    __table_args__ = (
        # Orders begin at 1.
        CheckConstraint("sequence >= 1", name="sequence_from_one"),
        Index(
            "ix_ledger_evidence_untold", "found_at", sqlite_where=UNTOLD, postgresql_where=UNTOLD
        ),
    )

    account: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    incarnation: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    document: Mapped[bytes]
    found_at: Mapped[int]
    told_at: Mapped[int | None] = mapped_column(default=None)
