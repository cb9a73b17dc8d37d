"""${message}."""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
from node.migrations import DowngradeRefused

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """${message}."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Refuse: the schema only goes forwards."""
    raise DowngradeRefused
