"""Restores of this node from a backup, and which peers it has caught up with since.  PEER 4."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from node.models.schema import Model

OPEN = text("rejoined_at IS NULL")


class Restore(Model):
    """One restore: the incarnation that it began. Until `rejoined_at` the node is recovering."""

    __tablename__ = "restores"
    __table_args__ = (
        # A restored node has lived before.
        CheckConstraint("incarnation >= 2", name="incarnation_from_two"),
        Index("ix_restores_open", "incarnation", sqlite_where=OPEN, postgresql_where=OPEN),
    )

    incarnation: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    backup_made_at: Mapped[int]
    restored_at: Mapped[int]
    rejoined_at: Mapped[int | None] = mapped_column(default=None)


class RestoreAnswer(Model):
    """A peer that told a recovering node where it stands, and has nothing more that we lack."""

    __tablename__ = "restore_answers"

    # An answer belongs to the restore it was given after.
    incarnation: Mapped[int] = mapped_column(
        ForeignKey("restores.incarnation"), primary_key=True, autoincrement=False
    )
    member: Mapped[str] = mapped_column(primary_key=True)
    heard_at: Mapped[int]


class RestoreStanding(Model):
    """What a peer showed a recovering node: of its own account, and of everybody's fences."""

    __tablename__ = "restore_standings"

    incarnation: Mapped[int] = mapped_column(
        ForeignKey("restores.incarnation"), primary_key=True, autoincrement=False
    )
    member: Mapped[str] = mapped_column(primary_key=True)
    standing: Mapped[bytes]
