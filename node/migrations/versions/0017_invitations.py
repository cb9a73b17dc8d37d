"""Create the table of invitations."""

import sqlalchemy as sa
from alembic import op

from node.migrations import DowngradeRefused

revision = "0017"
down_revision = "0016"

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create it."""
    op.create_table(
        "invitations",
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("expires_at", INTEGER, nullable=False),
        sa.Column("secret_digest", sa.LargeBinary(), nullable=False),
        sa.Column("invited_at", INTEGER, nullable=False),
        sa.Column("card", sa.LargeBinary(), nullable=True),
        sa.Column("answered_at", INTEGER, nullable=True),
        sa.Column("draft", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "draft IS NULL OR card IS NOT NULL", name=op.f("ck_invitations_drafted_with_a_card")
        ),
        sa.PrimaryKeyConstraint("member", name=op.f("pk_invitations")),
        sa.UniqueConstraint("secret_digest", name=op.f("uq_invitations_one_invitation_a_secret")),
    )


def downgrade() -> None:
    """Refuse: the schema only goes forwards."""
    raise DowngradeRefused
