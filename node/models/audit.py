"""The audit log: who did what to which subject, chained by hash; no personal data."""

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from node.models.schema import Model


class AuditEntry(Model):
    """One act of a user, a peer, the worker or a command."""

    __tablename__ = "audit"
    __table_args__ = (
        # Each entry follows one other: two with one predecessor would be two histories.
        UniqueConstraint("previous_hash", name="one_history"),
        # The hash names the entry.
        UniqueConstraint("hash", name="hash_names_one"),
        Index(None, "subject", "id"),
        Index(None, "at", "id"),
        # A deleted last number is never given again.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    at: Mapped[int]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[str] = mapped_column(default="")
    previous_hash: Mapped[bytes]
    hash: Mapped[bytes]
