"""Create the tables of delivery."""

import sqlalchemy as sa
from alembic import op

from node.migrations import DowngradeRefused

revision = "0003"
down_revision = "0002"

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create them, parents first."""
    _outbox()
    _index_outbox()
    _inbox()
    _index_inbox()
    _nonces()
    _index_nonces()
    _exchange_chain()
    _evidence()
    _index_evidence()
    _mails()
    _index_mails()


def downgrade() -> None:
    """Refuse: the schema only goes forwards."""
    raise DowngradeRefused


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=True),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("epoch", INTEGER, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", INTEGER, nullable=False),
        sa.Column("next_attempt_at", INTEGER, nullable=False),
        sa.Column("lease", sa.Text(), nullable=True),
        sa.Column("lease_until", INTEGER, nullable=True),
        sa.Column("deadline", INTEGER, nullable=False),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("receipt", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.Column("delivered_at", INTEGER, nullable=True),
        sa.CheckConstraint(
            "state <> 'delivered' OR receipt IS NOT NULL", name=op.f("ck_outbox_receipt_proves")
        ),
        sa.CheckConstraint(
            "state = 'queued' OR state = 'delivered' OR state = 'refused' OR "
            "state = 'expired' OR state = 'cancelled'",
            name=op.f("ck_outbox_state_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )


def _index_outbox() -> None:
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["recipient", "created_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        op.f("ix_outbox_recipient_created_at_id"),
        "outbox",
        ["recipient", "created_at", "id"],
        unique=False,
    )
    op.create_index(op.f("ix_outbox_subject_id"), "outbox", ["subject_id"], unique=False)


def _inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("envelope_id", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=True),
        sa.Column("receipt", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("attempts", INTEGER, nullable=False),
        sa.Column("next_attempt_at", INTEGER, nullable=False),
        sa.Column("received_at", INTEGER, nullable=False),
        sa.Column("handled_at", INTEGER, nullable=True),
        sa.CheckConstraint(
            "state <> 'received' OR envelope IS NOT NULL", name=op.f("ck_inbox_kept_until_handled")
        ),
        sa.CheckConstraint(
            "state = 'received' OR state = 'handled' OR state = 'refused'",
            name=op.f("ck_inbox_state_known"),
        ),
        sa.PrimaryKeyConstraint("envelope_id", name=op.f("pk_inbox")),
    )


def _index_inbox() -> None:
    op.create_index(
        "ix_inbox_due",
        "inbox",
        ["received_at", "envelope_id"],
        unique=False,
        sqlite_where=sa.text("state = 'received'"),
        postgresql_where=sa.text("state = 'received'"),
    )
    op.create_index(
        op.f("ix_inbox_sender_received_at_envelope_id"),
        "inbox",
        ["sender", "received_at", "envelope_id"],
        unique=False,
    )


def _nonces() -> None:
    op.create_table(
        "nonces",
        sa.Column("keyid", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("expires_at", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("keyid", "nonce", name=op.f("pk_nonces")),
        sqlite_with_rowid=False,
    )


def _index_nonces() -> None:
    op.create_index(op.f("ix_nonces_expires_at"), "nonces", ["expires_at"], unique=False)


def _exchange_chain() -> None:
    op.create_table(
        "exchange_chain",
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("position", INTEGER, autoincrement=False, nullable=False),
        sa.Column("envelope_digest", sa.LargeBinary(), nullable=False),
        sa.Column("receipt_digest", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("position >= 1", name=op.f("ck_exchange_chain_position_from_one")),
        sa.PrimaryKeyConstraint("peer", "position", name=op.f("pk_exchange_chain")),
    )


def _evidence() -> None:
    op.create_table(
        "evidence",
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("at", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("peer", "code", "subject", name=op.f("pk_evidence")),
    )


def _index_evidence() -> None:
    op.create_index(op.f("ix_evidence_at"), "evidence", ["at"], unique=False)


def _mails() -> None:
    op.create_table(
        "mails",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=True),
        sa.Column("message_blob", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", INTEGER, nullable=False),
        sa.Column("next_attempt_at", INTEGER, nullable=False),
        sa.Column("lease", sa.Text(), nullable=True),
        sa.Column("lease_until", INTEGER, nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.Column("sent_at", INTEGER, nullable=True),
        sa.CheckConstraint(
            "state <> 'queued' OR message_blob IS NOT NULL", name=op.f("ck_mails_kept_until_sent")
        ),
        sa.CheckConstraint(
            "state = 'queued' OR state = 'sent' OR state = 'failed' OR state = 'cancelled'",
            name=op.f("ck_mails_state_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
    )


def _index_mails() -> None:
    op.create_index(
        "ix_mails_due",
        "mails",
        ["next_attempt_at", "created_at"],
        unique=False,
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(op.f("ix_mails_sent_at"), "mails", ["sent_at"], unique=False)
