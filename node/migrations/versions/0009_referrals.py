"""Create the tables of referrals."""

import sqlalchemy as sa
from alembic import op

from node.migrations import DowngradeRefused

revision = "0009"
down_revision = "0008"

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create them, parents first."""
    _referrals_out()
    _index_referrals_out()
    _referrals_in()
    _index_referrals_in()
    _resume_chunks()
    _acceptance_rules()
    _stage_changes()
    _index_stage_changes()


def downgrade() -> None:
    """Refuse: the schema only goes forwards."""
    raise DowngradeRefused


def _referrals_out() -> None:
    op.create_table(
        "referrals_out",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("consent_id", sa.Text(), nullable=False),
        sa.Column("applicant_id", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("envelope_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("stage_code", sa.Text(), nullable=True),
        sa.Column("shares_progress", sa.Boolean(), nullable=False),
        sa.Column("profile_blob", sa.LargeBinary(), nullable=True),
        sa.Column("resume_blob", sa.LargeBinary(), nullable=True),
        sa.Column("acceptance", sa.LargeBinary(), nullable=True),
        sa.Column("entry_id", sa.Text(), nullable=True),
        sa.Column("points", INTEGER, nullable=False),
        sa.Column("answer_by", INTEGER, nullable=False),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.Column("answered_at", INTEGER, nullable=True),
        sa.Column("released_at", INTEGER, nullable=True),
        sa.Column("updated_at", INTEGER, nullable=False),
        sa.CheckConstraint(
            "state = 'sent' OR state = 'accepted' OR state = 'released' OR "
            "state = 'declined' OR state = 'already_known' OR state = 'hired' OR "
            "state = 'expired'",
            name=op.f("ck_referrals_out_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["applicant_id"], ["applicants.id"], name=op.f("fk_referrals_out_applicant_id")
        ),
        sa.ForeignKeyConstraint(
            ["consent_id"], ["consents.id"], name=op.f("fk_referrals_out_consent_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referrals_out")),
        sa.UniqueConstraint("consent_id", "recipient", name=op.f("uq_referrals_out_offered_once")),
    )


def _index_referrals_out() -> None:
    op.create_index(
        op.f("ix_referrals_out_applicant_id"), "referrals_out", ["applicant_id"], unique=False
    )
    op.create_index(
        op.f("ix_referrals_out_created_at_id"), "referrals_out", ["created_at", "id"], unique=False
    )
    op.create_index(
        op.f("ix_referrals_out_recipient_created_at_id"),
        "referrals_out",
        ["recipient", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_referrals_out_state_created_at_id"),
        "referrals_out",
        ["state", "created_at", "id"],
        unique=False,
    )


def _referrals_in() -> None:
    op.create_table(
        "referrals_in",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("referral_id", sa.Text(), nullable=False),
        sa.Column("envelope_id", sa.Text(), nullable=False),
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("grounds", sa.Text(), nullable=False),
        sa.Column("receipt_digest", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("stage_code", sa.Text(), nullable=True),
        sa.Column("profile_blob", sa.LargeBinary(), nullable=True),
        sa.Column("resume_blob", sa.LargeBinary(), nullable=True),
        sa.Column("email_index", sa.LargeBinary(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("name_index", sa.LargeBinary(), nullable=True),
        sa.Column("acceptance", sa.LargeBinary(), nullable=True),
        sa.Column("entry_id", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("due_at", INTEGER, nullable=False),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.Column("answered_at", INTEGER, nullable=True),
        sa.Column("updated_at", INTEGER, nullable=False),
        sa.CheckConstraint(
            "state = 'received' OR state = 'accepted' OR state = 'profile_received' OR "
            "state = 'declined' OR state = 'already_known' OR state = 'hired'",
            name=op.f("ck_referrals_in_state_known"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('accepted', 'profile_received', 'hired') OR acceptance IS NOT NULL",
            name=op.f("ck_referrals_in_acceptance_promises"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referrals_in")),
        sa.UniqueConstraint("sender", "referral_id", name=op.f("uq_referrals_in_once_a_sender")),
    )


def _index_referrals_in() -> None:
    op.create_index(
        op.f("ix_referrals_in_created_at_id"), "referrals_in", ["created_at", "id"], unique=False
    )
    op.create_index(
        op.f("ix_referrals_in_email_index"), "referrals_in", ["email_index"], unique=False
    )
    op.create_index(
        op.f("ix_referrals_in_name_index"), "referrals_in", ["name_index"], unique=False
    )
    op.create_index(
        op.f("ix_referrals_in_phone_index"), "referrals_in", ["phone_index"], unique=False
    )
    op.create_index(
        op.f("ix_referrals_in_sender_created_at_id"),
        "referrals_in",
        ["sender", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_referrals_in_state_created_at_id"),
        "referrals_in",
        ["state", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_referrals_in_state_due_at"), "referrals_in", ["state", "due_at"], unique=False
    )


def _resume_chunks() -> None:
    op.create_table(
        "resume_chunks",
        sa.Column("referral_in_id", sa.Text(), nullable=False),
        sa.Column("position", INTEGER, autoincrement=False, nullable=False),
        sa.Column("total", INTEGER, nullable=False),
        sa.Column("content_blob", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["referral_in_id"], ["referrals_in.id"], name=op.f("fk_resume_chunks_referral_in_id")
        ),
        sa.PrimaryKeyConstraint("referral_in_id", "position", name=op.f("pk_resume_chunks")),
    )


def _acceptance_rules() -> None:
    op.create_table(
        "acceptance_rules",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("monthly_cap", INTEGER, nullable=False),
        sa.Column("applicant_types", sa.Text(), nullable=False),
        sa.Column("regions", sa.Text(), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.Column("updated_at", INTEGER, nullable=False),
        sa.CheckConstraint(
            "monthly_cap BETWEEN 1 AND 1000", name=op.f("ck_acceptance_rules_cap_bounded")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acceptance_rules")),
    )


def _stage_changes() -> None:
    op.create_table(
        "stage_changes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("referral_id", sa.Text(), nullable=False),
        sa.Column("stage_code", sa.Text(), nullable=False),
        sa.Column("changed_at", INTEGER, nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "direction = 'in' OR direction = 'out'", name=op.f("ck_stage_changes_direction_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stage_changes")),
    )


def _index_stage_changes() -> None:
    op.create_index(
        op.f("ix_stage_changes_direction_referral_id_changed_at"),
        "stage_changes",
        ["direction", "referral_id", "changed_at"],
        unique=False,
    )
