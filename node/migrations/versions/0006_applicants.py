"""Create the tables of applicants."""

import sqlalchemy as sa
from alembic import op

from node.migrations import DowngradeRefused

revision = "0006"
down_revision = "0005"

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create them, parents first."""
    _person_keys()
    _applicants()
    _index_applicants()
    _import_mappings()
    _imports()
    _index_imports()
    _suppressions()


def downgrade() -> None:
    """Refuse: the schema only goes forwards."""
    raise DowngradeRefused


def _person_keys() -> None:
    op.create_table(
        "person_keys",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.Column("erased_at", INTEGER, nullable=True),
        sa.CheckConstraint(
            "(wrapped IS NULL) = (erased_at IS NOT NULL)",
            name=op.f("ck_person_keys_key_or_erasure"),
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_person_keys")),
    )


def _applicants() -> None:
    op.create_table(
        "applicants",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("ats_id_index", sa.LargeBinary(), nullable=True),
        sa.Column("dedupe_index", sa.LargeBinary(), nullable=True),
        sa.Column("person_blob", sa.LargeBinary(), nullable=False),
        sa.Column("email_index", sa.LargeBinary(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("name_index", sa.LargeBinary(), nullable=True),
        sa.Column("kana_index", sa.LargeBinary(), nullable=True),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("stage_code", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("applicant_type", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("applied_on", INTEGER, nullable=True),
        sa.Column("rejected_on", INTEGER, nullable=True),
        sa.Column("exclusion", sa.Text(), nullable=True),
        sa.Column("notified_at", INTEGER, nullable=True),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.Column("updated_at", INTEGER, nullable=False),
        sa.CheckConstraint(
            "applicant_type = 'newgrad' OR applicant_type = 'midcareer' OR "
            "applicant_type = 'parttime'",
            name=op.f("ck_applicants_type_known"),
        ),
        sa.CheckConstraint(
            "status = 'active' OR status = 'rejected' OR status = 'withdrawn' OR status = 'hired'",
            name=op.f("ck_applicants_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person_keys.person_id"], name=op.f("fk_applicants_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_applicants")),
        sa.UniqueConstraint("ats_id_index", name=op.f("uq_applicants_ats_id_belongs_to_one")),
        sa.UniqueConstraint("dedupe_index", name=op.f("uq_applicants_imported_once")),
    )


def _index_applicants() -> None:
    op.create_index(
        op.f("ix_applicants_applied_on_id"), "applicants", ["applied_on", "id"], unique=False
    )
    op.create_index(
        op.f("ix_applicants_created_at_id"), "applicants", ["created_at", "id"], unique=False
    )
    op.create_index(op.f("ix_applicants_email_index"), "applicants", ["email_index"], unique=False)
    op.create_index(
        op.f("ix_applicants_job_created_at_id"),
        "applicants",
        ["job", "created_at", "id"],
        unique=False,
    )
    op.create_index(op.f("ix_applicants_kana_index"), "applicants", ["kana_index"], unique=False)
    op.create_index(op.f("ix_applicants_name_index"), "applicants", ["name_index"], unique=False)
    op.create_index(op.f("ix_applicants_person_id"), "applicants", ["person_id"], unique=False)
    op.create_index(op.f("ix_applicants_phone_index"), "applicants", ["phone_index"], unique=False)
    op.create_index(
        op.f("ix_applicants_rejected_on_id"), "applicants", ["rejected_on", "id"], unique=False
    )
    op.create_index(
        op.f("ix_applicants_stage_code_created_at_id"),
        "applicants",
        ["stage_code", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_applicants_stage_created_at_id"),
        "applicants",
        ["stage", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_applicants_status_created_at_id"),
        "applicants",
        ["status", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_applicants_status_rejected_on_id"),
        "applicants",
        ["status", "rejected_on", "id"],
        unique=False,
    )


def _import_mappings() -> None:
    op.create_table(
        "import_mappings",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("mapping", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_mappings")),
        sa.UniqueConstraint("name", name=op.f("uq_import_mappings_name_chooses_one")),
    )


def _imports() -> None:
    op.create_table(
        "imports",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("rows", INTEGER, nullable=False),
        sa.Column("imported", INTEGER, nullable=False),
        sa.Column("updated", INTEGER, nullable=False),
        sa.Column("skipped", INTEGER, nullable=False),
        sa.Column("failed", INTEGER, nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.CheckConstraint(
            "state = 'uploaded' OR state = 'checking' OR state = 'checked' OR "
            "state = 'running' OR state = 'done' OR state = 'failed'",
            name=op.f("ck_imports_state_known"),
        ),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_imports_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
    )


def _index_imports() -> None:
    op.create_index(op.f("ix_imports_created_at_id"), "imports", ["created_at", "id"], unique=False)


def _suppressions() -> None:
    op.create_table(
        "suppressions",
        sa.Column("contact_index", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("contact_index", name=op.f("pk_suppressions")),
    )
