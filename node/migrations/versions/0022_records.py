"""Create the records of provision and of receipt, whose rows the database lets nobody change.

Referrals of before get no record: their profiles have been released, and were destroyed here.
"""

import sqlalchemy as sa
from alembic import op

from node.migrations import DowngradeRefused

revision = "0022"
down_revision = "0021"

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLES = ("provision_records", "receipt_records")
SQLITE_TRIGGER = """
CREATE TRIGGER {table}_append_only BEFORE UPDATE ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END
"""
# Replaced rather than made: functions of a database outlive its tables.
POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$
"""
POSTGRESQL_TRIGGER = """
CREATE TRIGGER {table}_append_only BEFORE UPDATE ON {table}
FOR EACH ROW EXECUTE FUNCTION append_only()
"""


def upgrade() -> None:
    """Create the two tables and what guards them."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    if not is_sqlite:
        op.execute(POSTGRESQL_FUNCTION)
    for table in TABLES:
        _create(table)
        op.execute((SQLITE_TRIGGER if is_sqlite else POSTGRESQL_TRIGGER).format(table=table))


def _create(table: str) -> None:
    how = [sa.Column("acquired", sa.Text(), nullable=False)] if table == "receipt_records" else []
    op.create_table(
        table,
        *how,
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("envelope_id", sa.Text(), nullable=False),
        sa.Column("referral_id", sa.Text(), nullable=False),
        sa.Column("consent_id", sa.Text(), nullable=False),
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("peer_name", sa.Text(), nullable=False),
        sa.Column("peer_address", sa.Text(), nullable=False),
        sa.Column("peer_representative", sa.Text(), nullable=False),
        sa.Column("charter_version", INTEGER, nullable=False),
        sa.Column("name_blob", sa.LargeBinary(), nullable=False),
        sa.Column("items_blob", sa.LargeBinary(), nullable=False),
        sa.Column("name_index", sa.LargeBinary(), nullable=True),
        sa.Column("kana_index", sa.LargeBinary(), nullable=True),
        sa.Column("medium", sa.Text(), nullable=False),
        sa.Column("provided_at", INTEGER, nullable=False),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.Column("kept_until", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("peer", "envelope_id", name=op.f(f"uq_{table}_one_an_envelope")),
    )
    for columns in (
        ("provided_at", "id"),
        ("peer", "provided_at", "id"),
        ("name_index",),
        ("kana_index",),
        ("kept_until",),
    ):
        op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))


def downgrade() -> None:
    """Refuse: the schema only goes forwards."""
    raise DowngradeRefused
