"""Relays: people referred to us whom we did not hire, and who became applicants of our own."""

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from node.models.schema import Model


class Relay(Model):
    """One person handed on: from which referral, and as which applicant of our own list."""

    __tablename__ = "relays"
    __table_args__ = (
        # An applicant comes of one referral.
        UniqueConstraint("applicant_id", name="one_referral_each"),
    )

    # A referral is handed on once; who gave it stands there.
    referral_in_id: Mapped[str] = mapped_column(ForeignKey("referrals_in.id"), primary_key=True)
    # Whom the notice, the private link and the fresh consent are about.
    applicant_id: Mapped[str] = mapped_column(ForeignKey("applicants.id"))
    handed_by: Mapped[str]
    created_at: Mapped[int]
