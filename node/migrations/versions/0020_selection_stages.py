"""Create the table of our own stages; a referral and a step may name one."""

import sqlalchemy as sa
from alembic import op

from node.migrations import DowngradeRefused

revision = "0020"
down_revision = "0019"

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create it, and add the columns."""
    op.create_table(
        "selection_stages",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("position", INTEGER, nullable=False),
        sa.Column("retired_at", INTEGER, nullable=True),
        sa.CheckConstraint("position >= 0", name=op.f("ck_selection_stages_in_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_selection_stages")),
    )
    op.add_column("referrals_in", sa.Column("stage_id", sa.Text(), nullable=True))
    op.add_column("stage_changes", sa.Column("stage_id", sa.Text(), nullable=True))


def downgrade() -> None:
    """Refuse: the schema only goes forwards."""
    raise DowngradeRefused
