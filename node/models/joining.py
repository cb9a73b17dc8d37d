"""Invitations that we gave out, and what came of each.  PEER 4."""

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from node.models.schema import Model


class Invitation(Model):
    """Our invitation to one member to be; of its secret only the digest is kept."""

    __tablename__ = "invitations"
    __table_args__ = (
        # A secret opens one invitation.
        UniqueConstraint("secret_digest", name="one_invitation_a_secret"),
        # The voice on the telephone is held against a key that has come, and the draft follows it.
        CheckConstraint("draft IS NULL OR card IS NOT NULL", name="drafted_with_a_card"),
    )

    member: Mapped[str] = mapped_column(primary_key=True)
    domain: Mapped[str]
    expires_at: Mapped[int]
    secret_digest: Mapped[bytes]
    invited_at: Mapped[int]
    # Who answered, as it describes itself: its member card.
    card: Mapped[bytes | None] = mapped_column(default=None)
    answered_at: Mapped[int | None] = mapped_column(default=None)
    # The digest of the draft that we wrote once the fingerprint was heard.
    draft: Mapped[bytes | None] = mapped_column(default=None)
