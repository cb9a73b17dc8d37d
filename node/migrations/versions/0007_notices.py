"""Create the tables of notices."""

import sqlalchemy as sa
from alembic import op

from node.migrations import DowngradeRefused

revision = "0007"
down_revision = "0006"

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create them, parents first."""
    _templates()
    _template_versions()
    _notice_batches()
    _index_notice_batches()
    _links()
    _index_links()
    _notices()
    _index_notices()


def downgrade() -> None:
    """Refuse: the schema only goes forwards."""
    raise DowngradeRefused


def _templates() -> None:
    op.create_table(
        "templates",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("current_version", INTEGER, nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_templates")),
    )


def _template_versions() -> None:
    op.create_table(
        "template_versions",
        sa.Column("template_id", sa.Text(), nullable=False),
        sa.Column("version", INTEGER, autoincrement=False, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_template_versions_created_by")
        ),
        sa.ForeignKeyConstraint(
            ["template_id"], ["templates.id"], name=op.f("fk_template_versions_template_id")
        ),
        sa.PrimaryKeyConstraint("template_id", "version", name=op.f("pk_template_versions")),
    )


def _notice_batches() -> None:
    op.create_table(
        "notice_batches",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("template_id", sa.Text(), nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approved_at", INTEGER, nullable=True),
        sa.Column("wished_at", INTEGER, nullable=True),
        sa.Column("scheduled_at", INTEGER, nullable=True),
        sa.Column("sender_name", sa.Text(), nullable=False),
        sa.Column("sender_department", sa.Text(), nullable=False),
        sa.Column("sender_phone", sa.Text(), nullable=False),
        sa.Column("sender_email", sa.Text(), nullable=False),
        sa.Column("excluded_get", sa.Text(), nullable=False),
        sa.Column("total", INTEGER, nullable=False),
        sa.Column("sent", INTEGER, nullable=False),
        sa.Column("failed", INTEGER, nullable=False),
        sa.Column("cancelled", INTEGER, nullable=False),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.Column("requested_at", INTEGER, nullable=True),
        sa.Column("cancelled_by", sa.Text(), nullable=True),
        sa.Column("cancelled_at", INTEGER, nullable=True),
        sa.CheckConstraint(
            "excluded_get = 'plain' OR excluded_get = 'nothing'",
            name=op.f("ck_notice_batches_excluded_get_known"),
        ),
        sa.CheckConstraint(
            "state = 'draft' OR state = 'waiting_approval' OR state = 'approved' OR "
            "state = 'sending' OR state = 'sent' OR state = 'cancelled'",
            name=op.f("ck_notice_batches_state_known"),
        ),
        sa.CheckConstraint(
            "approved_by IS NULL OR approved_by <> requested_by",
            name=op.f("ck_notice_batches_four_eyes"),
        ),
        sa.ForeignKeyConstraint(
            ["approved_by"], ["users.id"], name=op.f("fk_notice_batches_approved_by")
        ),
        sa.ForeignKeyConstraint(
            ["cancelled_by"], ["users.id"], name=op.f("fk_notice_batches_cancelled_by")
        ),
        sa.ForeignKeyConstraint(
            ["requested_by"], ["users.id"], name=op.f("fk_notice_batches_requested_by")
        ),
        sa.ForeignKeyConstraint(
            ["template_id", "version"],
            ["template_versions.template_id", "template_versions.version"],
            name=op.f("fk_notice_batches_template_id_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_batches")),
    )


def _index_notice_batches() -> None:
    op.create_index(
        op.f("ix_notice_batches_created_at_id"),
        "notice_batches",
        ["created_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_notice_batches_state_scheduled_at"),
        "notice_batches",
        ["state", "scheduled_at"],
        unique=False,
    )


def _links() -> None:
    op.create_table(
        "links",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("applicant_id", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.Column("expires_at", INTEGER, nullable=False),
        sa.Column("opened_at", INTEGER, nullable=True),
        sa.Column("used_at", INTEGER, nullable=True),
        sa.Column("revoked_at", INTEGER, nullable=True),
        sa.ForeignKeyConstraint(
            ["applicant_id"], ["applicants.id"], name=op.f("fk_links_applicant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_links_token_opens_one")),
    )


def _index_links() -> None:
    op.create_index(op.f("ix_links_applicant_id"), "links", ["applicant_id"], unique=False)


def _notices() -> None:
    op.create_table(
        "notices",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("applicant_id", sa.Text(), nullable=False),
        sa.Column("link_id", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("exclusion", sa.Text(), nullable=True),
        sa.Column("attempts", INTEGER, nullable=False),
        sa.Column("next_attempt_at", INTEGER, nullable=False),
        sa.Column("lease", sa.Text(), nullable=True),
        sa.Column("lease_until", INTEGER, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("sent_at", INTEGER, nullable=True),
        sa.CheckConstraint(
            "state = 'draft' OR state = 'waiting' OR state = 'queued' OR state = 'sent' OR "
            "state = 'failed' OR state = 'cancelled'",
            name=op.f("ck_notices_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["applicant_id"], ["applicants.id"], name=op.f("fk_notices_applicant_id")
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["notice_batches.id"], name=op.f("fk_notices_batch_id")
        ),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name=op.f("fk_notices_link_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
    )


def _index_notices() -> None:
    op.create_index(
        op.f("ix_notices_batch_id_state_id"), "notices", ["batch_id", "state", "id"], unique=False
    )
    op.create_index(
        "ix_notices_due",
        "notices",
        ["next_attempt_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(op.f("ix_notices_sent_at"), "notices", ["sent_at"], unique=False)
    op.create_index(
        "uq_notices_told_once",
        "notices",
        ["applicant_id", "kind"],
        unique=True,
        sqlite_where=sa.text("state NOT IN ('draft', 'cancelled')"),
        postgresql_where=sa.text("state NOT IN ('draft', 'cancelled')"),
    )
