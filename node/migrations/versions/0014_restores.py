"""Create the tables of restores."""

import sqlalchemy as sa
from alembic import op

from node.migrations import DowngradeRefused

revision = "0014"
down_revision = "0013"

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create them, parents first."""
    _restores()
    _restore_answers()


def downgrade() -> None:
    """Refuse: the schema only goes forwards."""
    raise DowngradeRefused


def _restores() -> None:
    op.create_table(
        "restores",
        sa.Column("incarnation", INTEGER, autoincrement=False, nullable=False),
        sa.Column("backup_made_at", INTEGER, nullable=False),
        sa.Column("restored_at", INTEGER, nullable=False),
        sa.Column("rejoined_at", INTEGER, nullable=True),
        sa.CheckConstraint("incarnation >= 2", name=op.f("ck_restores_incarnation_from_two")),
        sa.PrimaryKeyConstraint("incarnation", name=op.f("pk_restores")),
    )
    is_open = sa.text("rejoined_at IS NULL")
    op.create_index(
        "ix_restores_open",
        "restores",
        ["incarnation"],
        unique=False,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )


def _restore_answers() -> None:
    op.create_table(
        "restore_answers",
        sa.Column("incarnation", INTEGER, autoincrement=False, nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("heard_at", INTEGER, nullable=False),
        sa.ForeignKeyConstraint(
            ["incarnation"],
            ["restores.incarnation"],
            name=op.f("fk_restore_answers_incarnation"),
        ),
        sa.PrimaryKeyConstraint("incarnation", "member", name=op.f("pk_restore_answers")),
    )
