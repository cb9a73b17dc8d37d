"""Statements that go to the database's driver as they are: compiled once, when the node starts.

SQLAlchemy makes the statements and owns connections and transactions; it is left out only while
they run. That saves two thirds of the cost of a small one, and a ledger order takes a dozen.
Errors are SQLAlchemy's own, as everywhere else.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Connection, TableValuedAlias, Text, bindparam, exc, func
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import ClauseElement

Row: TypeAlias = tuple[Any, ...]
Values: TypeAlias = Mapping[str, object]

_DIALECTS: dict[str, Dialect] = {
    "sqlite": sqlite.dialect(paramstyle="named"),
    "postgresql": postgresql.psycopg.dialect(),  # type: ignore[no-untyped-call]
}


class Prepared:
    """One statement; where the two databases need different ones, one for each."""

    def __init__(self, statement: ClauseElement | Mapping[str, ClauseElement]) -> None:
        self._by_dialect = {
            name: _compiled(
                statement if isinstance(statement, ClauseElement) else statement[name], dialect
            )
            for name, dialect in _DIALECTS.items()
        }

    def filled(self, dialect: str, values: Values) -> tuple[str, Values]:
        """The text, and the values with those that stand in the statement itself."""
        text, own = self._by_dialect[dialect]
        return text, {**own, **values} if own else values

    def text(self, dialect: str) -> str:
        """The text of a statement to which values are given for each parameter."""
        text, own = self._by_dialect[dialect]
        assert not own
        return text


def _compiled(statement: ClauseElement, dialect: Dialect) -> tuple[str, Values]:
    compiled = statement.compile(dialect=dialect)
    own = {name: value for name, value in compiled.params.items() if value is not None}
    return str(compiled), own


def listed(name: str) -> dict[str, TableValuedAlias]:
    """Texts in one parameter, as rows with a `value`; the parameter is made by `Driver.list`.

    A list of parameters would be written into the statement anew for each length.
    """
    text, texts = bindparam(name, type_=Text), bindparam(name, type_=postgresql.ARRAY(Text))
    return {
        "sqlite": func.json_each(text).table_valued("value"),
        # PostgreSQL is told the name of the column, SQLite has it so.
        "postgresql": func.unnest(texts).table_valued("value").render_derived(),
    }


class Driver:
    """The driver's cursor within the transaction that is open on a connection."""

    def __init__(self, connection: Connection) -> None:
        self.dialect = connection.dialect.name
        self._connection = connection
        self._cursor = connection.connection.cursor()

    def run(self, statement: Prepared, values: Values) -> int:
        """Run it; the number of rows that it touched."""
        self._execute(statement, values)
        return self._cursor.rowcount

    def run_each(self, statement: Prepared, rows: Sequence[Values]) -> int:
        """Run it once for each of the rows; the number of rows that it touched in all."""
        try:
            self._cursor.executemany(statement.text(self.dialect), rows)
        except self._error as error:
            raise self._as_everywhere(error) from error
        return self._cursor.rowcount

    def first(self, statement: Prepared, values: Values) -> Row | None:
        """The first row that it finds, if there is one."""
        self._execute(statement, values)
        return self._cursor.fetchone()

    def all(self, statement: Prepared, values: Values) -> Sequence[Row]:
        """Every row that it finds; for statements that cannot find many."""
        self._execute(statement, values)
        return self._cursor.fetchall()

    def list(self, texts: Iterable[str]) -> object:
        """The value of a parameter that was made by `listed`."""
        return json.dumps([*texts]) if self.dialect == "sqlite" else [*texts]

    def _execute(self, statement: Prepared, values: Values) -> None:
        try:
            self._cursor.execute(*statement.filled(self.dialect, values))
        except self._error as error:
            raise self._as_everywhere(error) from error

    @property
    def _error(self) -> type[Exception]:
        return self._connection.dialect.loaded_dbapi.Error

    def _as_everywhere(self, error: Exception) -> exc.DBAPIError:
        wrapped = exc.DBAPIError.instance(
            None, None, error, self._error, hide_parameters=True, dialect=self._connection.dialect
        )
        assert isinstance(wrapped, exc.DBAPIError)
        return wrapped
