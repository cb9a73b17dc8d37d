"""Find what a member's letters fill here without going through all that it ever sent."""

import sqlalchemy as sa
from alembic import op

from node.migrations import DowngradeRefused

revision = "0013"
down_revision = "0012"

KEPT = sa.text("envelope IS NOT NULL")


def upgrade() -> None:
    """Add one index over the few letters whose content is still here."""
    op.create_index(
        "ix_inbox_kept",
        "inbox",
        ["sender"],
        unique=False,
        sqlite_where=KEPT,
        postgresql_where=KEPT,
    )


def downgrade() -> None:
    """Refuse: the schema only goes forwards."""
    raise DowngradeRefused
