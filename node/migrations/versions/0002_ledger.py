"""Create the tables of ledger."""

import sqlalchemy as sa
from alembic import op

from node.migrations import DowngradeRefused

revision = "0002"
down_revision = "0001"

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create them, parents first."""
    _ledger_accounts()
    _ledger_locks()
    _ledger_certificates()
    _index_ledger_certificates()
    _ledger_held()
    _ledger_entries()
    _index_ledger_entries()
    _ledger_credits()
    _pending_entries()
    _index_pending_entries()


def downgrade() -> None:
    """Refuse: the schema only goes forwards."""
    raise DowngradeRefused


def _ledger_accounts() -> None:
    op.create_table(
        "ledger_accounts",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("sequence", INTEGER, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("debits", INTEGER, nullable=False),
        sa.Column("credits", INTEGER, nullable=False),
        sa.CheckConstraint(
            "debits >= 0 AND credits >= 0", name=op.f("ck_ledger_accounts_sums_not_negative")
        ),
        sa.CheckConstraint("sequence >= 0", name=op.f("ck_ledger_accounts_sequence_not_negative")),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_ledger_accounts")),
    )


def _ledger_locks() -> None:
    op.create_table(
        "ledger_locks",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("sequence", INTEGER, autoincrement=False, nullable=False),
        sa.Column("incarnation", INTEGER, autoincrement=False, nullable=False),
        sa.Column("epoch", INTEGER, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("locked_at", INTEGER, nullable=False),
        sa.CheckConstraint("sequence >= 1", name=op.f("ck_ledger_locks_sequence_from_one")),
        sa.PrimaryKeyConstraint("account", "sequence", "incarnation", name=op.f("pk_ledger_locks")),
        sqlite_with_rowid=False,
    )


def _ledger_certificates() -> None:
    op.create_table(
        "ledger_certificates",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("sequence", INTEGER, autoincrement=False, nullable=False),
        sa.Column("epoch", INTEGER, nullable=False),
        sa.Column("incarnation", INTEGER, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("position", INTEGER, nullable=False),
        sa.Column("applied_at", INTEGER, nullable=False),
        sa.CheckConstraint("sequence >= 1", name=op.f("ck_ledger_certificates_sequence_from_one")),
        sa.PrimaryKeyConstraint("account", "sequence", name=op.f("pk_ledger_certificates")),
    )


def _index_ledger_certificates() -> None:
    op.create_index(
        op.f("ix_ledger_certificates_position"), "ledger_certificates", ["position"], unique=False
    )


def _ledger_held() -> None:
    op.create_table(
        "ledger_held",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("sequence", INTEGER, autoincrement=False, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("account", "sequence", name=op.f("pk_ledger_held")),
    )


def _ledger_entries() -> None:
    op.create_table(
        "ledger_entries",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("sequence", INTEGER, autoincrement=False, nullable=False),
        sa.Column("position", INTEGER, autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("points", INTEGER, nullable=False),
        sa.Column("reference", sa.LargeBinary(), nullable=False),
        sa.Column("applied_at", INTEGER, nullable=False),
        sa.CheckConstraint(
            "kind = 'referral' OR kind = 'free_hire' OR kind = 'refund' OR kind = 'correction'",
            name=op.f("ck_ledger_entries_kind_known"),
        ),
        sa.CheckConstraint("account <> recipient", name=op.f("ck_ledger_entries_not_to_oneself")),
        sa.CheckConstraint("points > 0", name=op.f("ck_ledger_entries_points_positive")),
        sa.PrimaryKeyConstraint("account", "sequence", "position", name=op.f("pk_ledger_entries")),
        sa.UniqueConstraint(
            "account", "entry_id", name=op.f("uq_ledger_entries_entry_id_new_for_account")
        ),
        sqlite_with_rowid=False,
    )


def _index_ledger_entries() -> None:
    op.create_index(
        "ix_ledger_entries_recipient",
        "ledger_entries",
        ["recipient", "applied_at", "account", "sequence", "position"],
        unique=False,
    )


def _ledger_credits() -> None:
    op.create_table(
        "ledger_credits",
        sa.Column("payee", sa.Text(), nullable=False),
        sa.Column("payer", sa.Text(), nullable=False),
        sa.Column("sequence", INTEGER, autoincrement=False, nullable=False),
        sa.Column("points", INTEGER, nullable=False),
        sa.CheckConstraint("points > 0", name=op.f("ck_ledger_credits_points_positive")),
        sa.PrimaryKeyConstraint("payee", "payer", "sequence", name=op.f("pk_ledger_credits")),
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
    )


def _index_pending_entries() -> None:
    op.create_index(
        op.f("ix_pending_entries_created_at_entry_id"),
        "pending_entries",
        ["created_at", "entry_id"],
        unique=False,
    )
