"""What a member holds to when an owner, or the member itself, was restored.  LEDGER 4."""

import sqlalchemy as sa
from alembic import op

from node.migrations import DowngradeRefused

revision = "0015"
down_revision = "0014"

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables, and a column for what allowed a locked order.

    Orders that are locked in this moment are of the first incarnation: nothing had to allow them.
    """
    _guards()
    _tenures()
    _evidence()
    _standings()
    op.add_column("ledger_locks", sa.Column("warrant", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Refuse: the schema only goes forwards."""
    raise DowngradeRefused


def _guards() -> None:
    op.create_table(
        "ledger_guards",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("incarnation", INTEGER, nullable=False),
        sa.Column("certified", INTEGER, nullable=False),
        sa.Column("fence", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("abstains_to", INTEGER, nullable=False),
        sa.CheckConstraint(
            "incarnation >= 1 AND certified >= 1",
            name=op.f("ck_ledger_guards_incarnations_from_one"),
        ),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_ledger_guards")),
    )


def _tenures() -> None:
    op.create_table(
        "ledger_tenures",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("incarnation", INTEGER, nullable=False),
        sa.Column("warrant", sa.LargeBinary(), nullable=False),
        sa.Column("fence", sa.LargeBinary(), nullable=False),
        sa.Column("began_at", INTEGER, nullable=False),
        sa.Column("superseded_at", INTEGER, nullable=True),
        sa.CheckConstraint("incarnation >= 1", name=op.f("ck_ledger_tenures_incarnation_from_one")),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_ledger_tenures")),
    )


def _standings() -> None:
    op.create_table(
        "restore_standings",
        sa.Column("incarnation", INTEGER, autoincrement=False, nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("standing", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incarnation"],
            ["restores.incarnation"],
            name=op.f("fk_restore_standings_incarnation"),
        ),
        sa.PrimaryKeyConstraint("incarnation", "member", name=op.f("pk_restore_standings")),
    )


def _evidence() -> None:
    op.create_table(
        "ledger_evidence",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("sequence", INTEGER, autoincrement=False, nullable=False),
        sa.Column("incarnation", INTEGER, autoincrement=False, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("found_at", INTEGER, nullable=False),
        sa.Column("told_at", INTEGER, nullable=True),
        sa.CheckConstraint("sequence >= 1", name=op.f("ck_ledger_evidence_sequence_from_one")),
        sa.PrimaryKeyConstraint(
            "account", "sequence", "incarnation", name=op.f("pk_ledger_evidence")
        ),
    )
    is_untold = sa.text("told_at IS NULL")
    op.create_index(
        "ix_ledger_evidence_untold",
        "ledger_evidence",
        ["found_at"],
        unique=False,
        sqlite_where=is_untold,
        postgresql_where=is_untold,
    )
