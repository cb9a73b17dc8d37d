"""Create the tables of hires."""

import sqlalchemy as sa
from alembic import op

from node.migrations import DowngradeRefused

revision = "0010"
down_revision = "0009"

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create them, parents first."""
    _hires()
    _index_hires()


def downgrade() -> None:
    """Refuse: the schema only goes forwards."""
    raise DowngradeRefused


def _hires() -> None:
    op.create_table(
        "hires",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("referral_id", sa.Text(), nullable=False),
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("joins_on", sa.Text(), nullable=False),
        sa.Column("points", INTEGER, nullable=False),
        sa.Column("fee_yen", INTEGER, nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=True),
        sa.Column("annual_pay_blob", sa.LargeBinary(), nullable=True),
        sa.Column("registered_by", sa.Text(), nullable=True),
        sa.Column("registered_at", INTEGER, nullable=False),
        sa.CheckConstraint(
            "direction = 'in' OR direction = 'out'", name=op.f("ck_hires_direction_known")
        ),
        sa.CheckConstraint(
            "fee_yen >= 0 AND points >= 0", name=op.f("ck_hires_amounts_not_negative")
        ),
        sa.CheckConstraint(
            "points = 0 OR (fee_yen = 0 AND entry_id IS NOT NULL)",
            name=op.f("ck_hires_slot_is_free"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hires")),
        sa.UniqueConstraint("direction", "referral_id", name=op.f("uq_hires_one_a_referral")),
    )


def _index_hires() -> None:
    op.create_index(
        op.f("ix_hires_registered_at_id"), "hires", ["registered_at", "id"], unique=False
    )
