"""Create the table of suspensions."""

import sqlalchemy as sa
from alembic import op

from node.migrations import DowngradeRefused

revision = "0018"
down_revision = "0017"

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create it."""
    op.create_table(
        "suspensions",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("epoch", INTEGER, nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("since", INTEGER, nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", INTEGER, nullable=False),
        sa.CheckConstraint("epoch >= 1", name=op.f("ck_suspensions_epoch_from_one")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_suspensions")),
    )


def downgrade() -> None:
    """Refuse: the schema only goes forwards."""
    raise DowngradeRefused
