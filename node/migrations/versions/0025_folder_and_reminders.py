"""Imports know their header row and their file of the watched folder; users can be reminded."""

import hashlib
import json

import sqlalchemy as sa
from alembic import op

from node.migrations import DowngradeRefused

revision = "0025"
down_revision = "0024"

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the columns, and write down the header rows of what was imported so far."""
    op.add_column("users", sa.Column("email_blob", sa.LargeBinary(), nullable=True))
    op.add_column("users", sa.Column("reminded_at", INTEGER, nullable=True))
    op.add_column("imports", sa.Column("headers_digest", sa.LargeBinary(), nullable=True))
    op.add_column("imports", sa.Column("folder_index", sa.LargeBinary(), nullable=True))
    imports = sa.table(
        "imports",
        sa.column("id", sa.Text()),
        sa.column("report", sa.Text()),
        sa.column("headers_digest", sa.LargeBinary()),
    )
    connection = op.get_bind()
    for import_id, report in connection.execute(sa.select(imports.c.id, imports.c.report)).all():
        headers = json.loads(report).get("headers")
        if headers is not None:
            # As `importing.digest_of` has it, today.
            digest = hashlib.sha256(json.dumps(headers).encode()).digest()
            changed = sa.update(imports).where(imports.c.id == import_id)
            connection.execute(changed.values(headers_digest=digest))
    op.create_index("uq_imports_from_folder_once", "imports", ["folder_index"], unique=True)
    op.create_index(
        "ix_imports_headers_digest_created_at",
        "imports",
        ["headers_digest", "created_at"],
        unique=False,
    )


def downgrade() -> None:
    """Refuse: the schema only goes forwards."""
    raise DowngradeRefused
