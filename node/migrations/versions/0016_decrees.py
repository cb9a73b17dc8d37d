"""Create the tables of decrees."""

import sqlalchemy as sa
from alembic import op

from node.migrations import DowngradeRefused

revision = "0016"
down_revision = "0015"

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create them, parents first."""
    _drafts()
    _draft_words()
    _decree_seats()
    _decrees()


def downgrade() -> None:
    """Refuse: the schema only goes forwards."""
    raise DowngradeRefused


def _drafts() -> None:
    op.create_table(
        "drafts",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("epoch", INTEGER, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", INTEGER, nullable=False),
        sa.CheckConstraint("epoch >= 1", name=op.f("ck_drafts_epoch_from_one")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_drafts")),
    )


def _draft_words() -> None:
    op.create_table(
        "draft_words",
        sa.Column("draft", sa.LargeBinary(), nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("number", INTEGER, nullable=False),
        sa.Column("approves", sa.Boolean(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", INTEGER, nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_draft_words_number_from_one")),
        sa.ForeignKeyConstraint(["draft"], ["drafts.digest"], name=op.f("fk_draft_words_draft")),
        sa.PrimaryKeyConstraint("draft", "member", name=op.f("pk_draft_words")),
    )


def _decree_seats() -> None:
    op.create_table(
        "decree_seats",
        sa.Column("epoch", INTEGER, autoincrement=False, nullable=False),
        sa.Column("promised", INTEGER, nullable=False),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at", INTEGER, nullable=False),
        sa.CheckConstraint("promised >= 0", name=op.f("ck_decree_seats_promised_not_negative")),
        sa.PrimaryKeyConstraint("epoch", name=op.f("pk_decree_seats")),
    )


def _decrees() -> None:
    op.create_table(
        "decrees",
        sa.Column("version", INTEGER, autoincrement=False, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", INTEGER, nullable=False),
        sa.Column("enacted_at", INTEGER, nullable=True),
        sa.CheckConstraint("version >= 2", name=op.f("ck_decrees_version_from_two")),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_decrees")),
    )
