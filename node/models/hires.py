"""Hires: referrals that ended well, with a fee or with a slot."""

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from node.models.schema import Model, one_of

DIRECTIONS = ("in", "out")


class Hire(Model):
    """A hire registered here ("in"), or reported by the member that hired ("out")."""

    __tablename__ = "hires"
    __table_args__ = (
        # A referral ends in one hire at most.
        UniqueConstraint("referral_id", name="one_a_referral"),
        one_of("direction_known", "direction", DIRECTIONS),
        # Fees are whole yen; a refund is a document of its own.
        CheckConstraint("fee >= 0", name="fee_not_negative"),
        # What a slot pays for costs nothing else, and its entry stands in the ledger.
        CheckConstraint("NOT with_slot OR (fee = 0 AND entry_id IS NOT NULL)", name="slot_is_free"),
        Index(None, "at", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    referral_id: Mapped[str]
    direction: Mapped[str]
    joined_on: Mapped[int]  # the first second of that day in the node's time zone
    annual_pay_blob: Mapped[bytes | None] = mapped_column(default=None)
    with_slot: Mapped[bool]
    fee: Mapped[int]
    entry_id: Mapped[str | None] = mapped_column(default=None)
    registered_by: Mapped[str]
    at: Mapped[int]
