"""Create the tables of membership."""

import sqlalchemy as sa
from alembic import op

from node.migrations import DowngradeRefused

revision = "0001"
down_revision = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create them, parents first."""
    _charters()
    _peers()
    _incarnations()


def downgrade() -> None:
    """Refuse: the schema only goes forwards."""
    raise DowngradeRefused


def _charters() -> None:
    op.create_table(
        "charters",
        sa.Column("version", INTEGER, autoincrement=False, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("adopted_at", INTEGER, nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_charters_version_from_one")),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_charters")),
        sa.UniqueConstraint("digest", name=op.f("uq_charters_one_version_a_digest")),
    )


def _peers() -> None:
    op.create_table(
        "peers",
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("blocked", sa.Boolean(), nullable=False),
        sa.Column("stopped_code", sa.Text(), nullable=True),
        sa.Column("failures", INTEGER, nullable=False),
        sa.Column("next_attempt_at", INTEGER, nullable=False),
        sa.Column("last_success_at", INTEGER, nullable=True),
        sa.Column("last_error_code", sa.Text(), nullable=True),
        sa.Column("last_error_at", INTEGER, nullable=True),
        sa.Column("skew_s", INTEGER, nullable=True),
        sa.Column("incarnation", INTEGER, nullable=True),
        sa.Column("head_digest", sa.LargeBinary(), nullable=True),
        sa.Column("vector", sa.Text(), nullable=True),
        sa.Column("seen_at", INTEGER, nullable=True),
        sa.CheckConstraint(
            "state = 'closed' OR state = 'half' OR state = 'open'",
            name=op.f("ck_peers_state_known"),
        ),
        sa.CheckConstraint("failures >= 0", name=op.f("ck_peers_failures_counted")),
        sa.PrimaryKeyConstraint("member", name=op.f("pk_peers")),
    )


def _incarnations() -> None:
    op.create_table(
        "incarnations",
        sa.Column("number", INTEGER, autoincrement=False, nullable=False),
        sa.Column("began_at", INTEGER, nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_incarnations_number_from_one")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_incarnations")),
    )
