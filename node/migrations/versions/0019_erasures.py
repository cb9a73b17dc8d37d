"""Create the table of erasures; referrals may be withdrawn, or stay without an answer."""

import sqlalchemy as sa
from alembic import op

from node.migrations import DowngradeRefused

revision = "0019"
down_revision = "0018"

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
STATES = {
    "referrals_out": (
        *("sent", "accepted", "released", "declined", "already_known", "hired", "expired"),
        "withdrawn",
    ),
    "referrals_in": (
        *("received", "accepted", "profile_received", "declined", "already_known", "hired"),
        *("expired", "withdrawn"),
    ),
}


def upgrade() -> None:
    """Create it, and widen the states."""
    op.create_table(
        "erasures",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("referral_id", sa.Text(), nullable=False),
        sa.Column("withdrawal", sa.LargeBinary(), nullable=False),
        sa.Column("envelope_id", sa.Text(), nullable=True),
        sa.Column("withdrawn_at", INTEGER, nullable=False),
        sa.Column("erase_by", INTEGER, nullable=False),
        sa.Column("receipt", sa.LargeBinary(), nullable=True),
        sa.Column("erased_at", INTEGER, nullable=True),
        sa.Column("kept", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "direction = 'in' OR direction = 'out'", name=op.f("ck_erasures_direction_known")
        ),
        sa.CheckConstraint(
            "(receipt IS NULL) = (erased_at IS NULL)", name=op.f("ck_erasures_erased_is_proven")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
        sa.UniqueConstraint(
            "direction", "peer", "referral_id", name=op.f("uq_erasures_once_a_referral")
        ),
    )
    op.create_index(
        op.f("ix_erasures_direction_erased_at_erase_by"),
        "erasures",
        ["direction", "erased_at", "erase_by"],
    )
    op.create_index(
        op.f("ix_erasures_direction_withdrawn_at_id"),
        "erasures",
        ["direction", "withdrawn_at", "id"],
    )
    for table, states in STATES.items():
        known = op.f(f"ck_{table}_state_known")
        with op.batch_alter_table(table) as batch:
            batch.drop_constraint(known, type_="check")
            batch.create_check_constraint(known, " OR ".join(f"state = '{s}'" for s in states))


def downgrade() -> None:
    """Refuse: the schema only goes forwards."""
    raise DowngradeRefused
