"""Let a referral ask its person first: whether, until when, and what became of its point."""

import sqlalchemy as sa
from alembic import op

from node.migrations import DowngradeRefused

revision = "0024"
down_revision = "0023"

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the columns; nobody asked to be asked before this."""
    op.add_column(
        "referrals_out",
        sa.Column("asks_first", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("referrals_out", sa.Column("decide_by", INTEGER, nullable=True))
    op.add_column("referrals_out", sa.Column("point_settled_at", INTEGER, nullable=True))


def downgrade() -> None:
    """Refuse: the schema only goes forwards."""
    raise DowngradeRefused
