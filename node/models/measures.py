"""Suspensions: signed by one member so far, or by two and in force.  SPEC Decrees.

Signed documents are stored whole; the columns beside them are an index only.
"""

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from node.models.schema import Model


class Suspension(Model):
    """A suspension of one epoch, with the signatures that we have seen on it so far."""

    __tablename__ = "suspensions"
    __table_args__ = (
        # A suspension belongs to an epoch, and the first is version 1's.
        CheckConstraint("epoch >= 1", name="epoch_from_one"),
    )

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    epoch: Mapped[int]
    member: Mapped[str]
    since: Mapped[int]
    # Two members have signed it: it is in force from `since` on, for its 72 hours.
    complete: Mapped[bool]
    document: Mapped[bytes]
    received_at: Mapped[int]
