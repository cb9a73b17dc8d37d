"""Notices remember what of their person was approved, so that nothing else is sent.

What waits for its time in this moment was approved without it, and leaves as before.
"""

import sqlalchemy as sa
from alembic import op

from node.migrations import DowngradeRefused

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add one column."""
    op.add_column("notices", sa.Column("approved_as", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Refuse: the schema only goes forwards."""
    raise DowngradeRefused
