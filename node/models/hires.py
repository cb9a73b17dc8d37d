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
        UniqueConstraint("direction", "referral_id", name="one_a_referral"),
        one_of("direction_known", "direction", DIRECTIONS),
        # Fees are whole yen; a refund is a document of its own.
        CheckConstraint("fee_yen >= 0 AND points >= 0", name="amounts_not_negative"),
        # What a slot pays for costs nothing else, and its entry has a name in the ledger.
        CheckConstraint(
            "points = 0 OR (fee_yen = 0 AND entry_id IS NOT NULL)", name="slot_is_free"
        ),
        Index(None, "registered_at", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    direction: Mapped[str]
    referral_id: Mapped[str]  # the id of our own row
    peer: Mapped[str]
    joins_on: Mapped[str]  # YYYY-MM-DD
    points: Mapped[int]  # 0 for a hire with a fee
    fee_yen: Mapped[int]
    entry_id: Mapped[str | None] = mapped_column(default=None)
    # 理論年収 under the keyring; nobody's business but HR's.
    annual_pay_blob: Mapped[bytes | None] = mapped_column(default=None)
    # None for a hire that a peer reported.
    registered_by: Mapped[str | None] = mapped_column(default=None)
    registered_at: Mapped[int]
