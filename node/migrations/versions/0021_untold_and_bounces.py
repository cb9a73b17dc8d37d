"""Find those who wait for their result without looking at everybody."""

import sqlalchemy as sa
from alembic import op

from node.migrations import DowngradeRefused

revision = "0021"
down_revision = "0018"

UNTOLD = sa.text("status = 'rejected' AND notified_at IS NULL AND length(person_blob) > 0")


def upgrade() -> None:
    """Index them by the day of their rejection."""
    op.create_index(
        "ix_applicants_untold",
        "applicants",
        ["status", "rejected_on", "id"],
        unique=False,
        sqlite_where=UNTOLD,
        postgresql_where=UNTOLD,
    )


def downgrade() -> None:
    """Refuse: the schema only goes forwards."""
    raise DowngradeRefused
