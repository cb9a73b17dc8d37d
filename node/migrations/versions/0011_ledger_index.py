"""Make the tables beside the certificates an index, and no second copy of every entry.

An entry's row says where it stands; what it pays is read from the signed order. A statement finds
its orders by the credits, which learn when they were applied.
"""

import sqlalchemy as sa
from alembic import op

from node.migrations import DowngradeRefused

revision = "0011"
down_revision = "0010"

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Rebuild the three tables with what they held."""
    # Beside them, not renamed: on PostgreSQL the names of their keys would be taken.
    op.execute(
        "CREATE TABLE kept_credits AS "
        "SELECT c.payee, c.payer, c.sequence, c.points, o.applied_at FROM ledger_credits c "
        "JOIN ledger_certificates o ON o.account = c.payer AND o.sequence = c.sequence"
    )
    op.drop_table("ledger_credits")
    _ledger_credits()
    op.execute("INSERT INTO ledger_credits SELECT * FROM kept_credits")
    op.drop_table("kept_credits")
    _index_ledger_credits()

    op.execute(
        "CREATE TABLE kept_entries AS SELECT account, entry_id, sequence FROM ledger_entries"
    )
    op.drop_table("ledger_entries")
    _ledger_entries()
    op.execute("INSERT INTO ledger_entries SELECT * FROM kept_entries")
    op.drop_table("kept_entries")

    op.execute("CREATE TABLE kept_pending AS SELECT * FROM pending_entries")
    op.drop_table("pending_entries")
    _pending_entries()
    op.execute("INSERT INTO pending_entries SELECT * FROM kept_pending")
    op.drop_table("kept_pending")


def downgrade() -> None:
    """Refuse: the schema only goes forwards."""
    raise DowngradeRefused


def _ledger_credits() -> None:
    op.create_table(
        "ledger_credits",
        sa.Column("payee", sa.Text(), nullable=False),
        sa.Column("payer", sa.Text(), nullable=False),
        sa.Column("sequence", INTEGER, autoincrement=False, nullable=False),
        sa.Column("points", INTEGER, nullable=False),
        sa.Column("applied_at", INTEGER, nullable=False),
        sa.CheckConstraint("points > 0", name=op.f("ck_ledger_credits_points_positive")),
        sa.CheckConstraint("payee <> payer", name=op.f("ck_ledger_credits_not_to_oneself")),
        sa.PrimaryKeyConstraint("payee", "payer", "sequence", name=op.f("pk_ledger_credits")),
        sqlite_with_rowid=False,
    )


def _index_ledger_credits() -> None:
    op.create_index(
        "ix_ledger_credits_payee",
        "ledger_credits",
        ["payee", "applied_at", "payer", "sequence"],
        unique=False,
    )
    op.create_index(
        "ix_ledger_credits_payer",
        "ledger_credits",
        ["payer", "applied_at", "sequence"],
        unique=False,
    )


def _ledger_entries() -> None:
    op.create_table(
        "ledger_entries",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("sequence", INTEGER, nullable=False),
        sa.CheckConstraint("sequence >= 1", name=op.f("ck_ledger_entries_sequence_from_one")),
        sa.PrimaryKeyConstraint("account", "entry_id", name=op.f("pk_ledger_entries")),
        sqlite_with_rowid=False,
    )


def _pending_entries() -> None:
    op.create_table(
        "pending_entries",
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("points", INTEGER, nullable=False),
        sa.Column("reference", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.CheckConstraint(
            "kind = 'referral' OR kind = 'free_hire' OR kind = 'refund' OR kind = 'correction'",
            name=op.f("ck_pending_entries_kind_known"),
        ),
        sa.CheckConstraint("points > 0", name=op.f("ck_pending_entries_points_positive")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_pending_entries")),
        sqlite_with_rowid=False,
    )
