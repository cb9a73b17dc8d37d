"""Create the tables of consents."""

import sqlalchemy as sa
from alembic import op

from node.migrations import DowngradeRefused

revision = "0008"
down_revision = "0007"

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create them, parents first."""
    _consents()
    _index_consents()
    _consent_choices()
    _consent_resumes()
    _contact_codes()
    _index_contact_codes()


def downgrade() -> None:
    """Refuse: the schema only goes forwards."""
    raise DowngradeRefused


def _consents() -> None:
    op.create_table(
        "consents",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("applicant_id", sa.Text(), nullable=False),
        sa.Column("link_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sealed_blob", sa.LargeBinary(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("page_hash", sa.LargeBinary(), nullable=True),
        sa.Column("status_token_hash", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.Column("verified_at", INTEGER, nullable=True),
        sa.Column("given_at", INTEGER, nullable=True),
        sa.Column("withdrawn_at", INTEGER, nullable=True),
        sa.CheckConstraint(
            "state = 'draft' OR state = 'verified' OR state = 'given' OR state = 'withdrawn'",
            name=op.f("ck_consents_state_known"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('given', 'withdrawn') OR (given_at IS NOT NULL AND page_hash IS "
            "NOT NULL)",
            name=op.f("ck_consents_given_is_proven"),
        ),
        sa.ForeignKeyConstraint(
            ["applicant_id"], ["applicants.id"], name=op.f("fk_consents_applicant_id")
        ),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name=op.f("fk_consents_link_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
        sa.UniqueConstraint("link_id", name=op.f("uq_consents_one_a_link")),
        sa.UniqueConstraint("status_token_hash", name=op.f("uq_consents_token_opens_one")),
    )


def _index_consents() -> None:
    op.create_index(op.f("ix_consents_applicant_id"), "consents", ["applicant_id"], unique=False)
    op.create_index(
        op.f("ix_consents_state_given_at_id"), "consents", ["state", "given_at", "id"], unique=False
    )


def _consent_choices() -> None:
    op.create_table(
        "consent_choices",
        sa.Column("consent_id", sa.Text(), nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("profile_at_once", sa.Boolean(), nullable=False),
        sa.Column("withdrawn_at", INTEGER, nullable=True),
        sa.ForeignKeyConstraint(
            ["consent_id"],
            ["consents.id"],
            name=op.f("fk_consent_choices_consent_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("consent_id", "member", name=op.f("pk_consent_choices")),
    )


def _consent_resumes() -> None:
    op.create_table(
        "consent_resumes",
        sa.Column("consent_id", sa.Text(), nullable=False),
        sa.Column("content_blob", sa.LargeBinary(), nullable=False),
        sa.Column("size", INTEGER, nullable=False),
        sa.Column("pages", INTEGER, nullable=False),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.CheckConstraint("size > 0", name=op.f("ck_consent_resumes_has_content")),
        sa.ForeignKeyConstraint(
            ["consent_id"],
            ["consents.id"],
            name=op.f("fk_consent_resumes_consent_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("consent_id", name=op.f("pk_consent_resumes")),
    )


def _contact_codes() -> None:
    op.create_table(
        "contact_codes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("link_id", sa.Text(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.Column("expires_at", INTEGER, nullable=False),
        sa.Column("attempts", INTEGER, nullable=False),
        sa.Column("used_at", INTEGER, nullable=True),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_contact_codes_attempts_counted")),
        sa.ForeignKeyConstraint(
            ["link_id"], ["links.id"], name=op.f("fk_contact_codes_link_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_codes")),
    )


def _index_contact_codes() -> None:
    op.create_index(
        op.f("ix_contact_codes_link_id_expires_at"),
        "contact_codes",
        ["link_id", "expires_at"],
        unique=False,
    )
