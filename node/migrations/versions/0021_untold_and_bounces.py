"""Find those who wait for their result quickly, and note what came back of their notices."""

import sqlalchemy as sa
from alembic import op

from node.migrations import DowngradeRefused

revision = "0021"
down_revision = "0020"

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UNTOLD = sa.text("status = 'rejected' AND notified_at IS NULL AND length(person_blob) > 0")


def upgrade() -> None:
    """Index the untold by the day of their rejection, and give each notice room for a bounce."""
    op.create_index(
        "ix_applicants_untold",
        "applicants",
        ["status", "rejected_on", "id"],
        unique=False,
        sqlite_where=UNTOLD,
        postgresql_where=UNTOLD,
    )
    op.add_column("notices", sa.Column("bounced_at", INTEGER, nullable=True))
    op.add_column("notices", sa.Column("bounce_status", sa.Text(), nullable=True))
    op.add_column("notices", sa.Column("bounce_print", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Refuse: the schema only goes forwards."""
    raise DowngradeRefused
