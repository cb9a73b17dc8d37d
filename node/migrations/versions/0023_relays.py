"""Create the table of people who were referred to us and are handed on."""

import sqlalchemy as sa
from alembic import op

from node.migrations import DowngradeRefused

revision = "0023"
down_revision = "0022"

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create it; nobody has been handed on yet."""
    op.create_table(
        "relays",
        sa.Column("referral_in_id", sa.Text(), nullable=False),
        sa.Column("applicant_id", sa.Text(), nullable=False),
        sa.Column("handed_by", sa.Text(), nullable=False),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.ForeignKeyConstraint(
            ["referral_in_id"],
            ["referrals_in.id"],
            name=op.f("fk_relays_referral_in_id"),
        ),
        sa.ForeignKeyConstraint(
            ["applicant_id"], ["applicants.id"], name=op.f("fk_relays_applicant_id")
        ),
        sa.PrimaryKeyConstraint("referral_in_id", name=op.f("pk_relays")),
        sa.UniqueConstraint("applicant_id", name=op.f("uq_relays_one_referral_each")),
    )


def downgrade() -> None:
    """Refuse: the schema only goes forwards."""
    raise DowngradeRefused
