"""What every table shares: naming, column types, and how a row is made.  STYLE 29-30.

Times are whole Unix seconds.  Ids are text given by the services.  A column that ends in
`_blob` is encrypted by the keyring, one that ends in `_index` is a blind index, and one that
ends in `_document` holds the bytes of a signed document, whole.
"""

from collections.abc import Iterable
from typing import Any, ClassVar, dataclass_transform

from sqlalchemy import BigInteger, CheckConstraint, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.orm import DeclarativeBase, MappedAsDataclass, mapped_column

# Every constraint has a name, so that a migration can speak of it.
NAMING = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(constraint_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}
METADATA = MetaData(naming_convention=NAMING)

# 64 bits on PostgreSQL, for seconds after 2038; on SQLite INTEGER, which alone can number rows.
LargeInteger = BigInteger().with_variant(Integer, "sqlite")


# For the type checker: what the keywords below tell SQLAlchemy about every subclass.
@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(mapped_column,))
class Model(MappedAsDataclass, DeclarativeBase, kw_only=True, eq=False, repr=False):
    """A table.  Rows are made with keywords, are told apart by identity, and never print."""

    metadata = METADATA
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        int: LargeInteger,
        str: Text(),
        bytes: LargeBinary(),
    }


def table_of(model: type[Model]) -> Table:
    """Return the table itself, for statements that are built once and run past the models."""
    table = model.__table__
    assert isinstance(table, Table)
    return table


def one_of(name: str, column: str, values: Iterable[str]) -> CheckConstraint:
    """Return the rule that `column` holds one of `values`.

    Spelled out, since SQLite builds the list of an `IN` anew for every row: a third of the cost of
    storing a ledger entry.
    """
    return CheckConstraint(" OR ".join(f"{column} = '{value}'" for value in values), name=name)
