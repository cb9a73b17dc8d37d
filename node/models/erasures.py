"""Erasures: what a person took back, what was destroyed for it, and the receipt that proves it.

The rows name referrals, never people: they stay when the person's data is gone.
"""

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from node.models.schema import Model, one_of

DIRECTIONS = ("in", "out")


class Erasure(Model):
    """One withdrawal that we sent ("out") or carried out ("in"), by the referral's own id."""

    __tablename__ = "erasures"
    __table_args__ = (
        # A referral is taken back once; ids of two members may be alike.
        UniqueConstraint("direction", "peer", "referral_id", name="once_a_referral"),
        one_of("direction_known", "direction", DIRECTIONS),
        # What is proven has a time, and what has a time is proven.
        CheckConstraint("(receipt IS NULL) = (erased_at IS NULL)", name="erased_is_proven"),
        Index(None, "direction", "erased_at", "erase_by"),
        Index(None, "direction", "withdrawn_at", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    direction: Mapped[str]
    peer: Mapped[str]
    referral_id: Mapped[str]  # as the referrer calls it
    # SHA-256 of the withdrawal, which its receipt names.
    withdrawal: Mapped[bytes]
    # The letter that asked ("out"), or that answered ("in"); None where none could be written.
    envelope_id: Mapped[str | None] = mapped_column(default=None)
    withdrawn_at: Mapped[int]
    erase_by: Mapped[int]
    # The receiver's signed receipt.
    receipt: Mapped[bytes | None] = mapped_column(default=None)
    erased_at: Mapped[int | None] = mapped_column(default=None)
    kept: Mapped[str] = mapped_column(default="")  # comma-separated, as in the receipt
