"""Reports: what an import is about to do, and what it did; numbers and codes, never a value.

A report is stored with its import as JSON.  It names rows by their number, as Excel shows it, so
that the file itself can be deleted and the report still says where to look.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields

from node.services.applicants.columns import ColumnMapping
from node.services.applicants.table_files import Table
from node.services.applicants.workbooks import Sheet

# Enough rows to see what is wrong; the error file has them all.
SHOWN_ROWS = 20


@dataclass(slots=True)
class Finding:
    """How often something was found, and the first rows it was found in."""

    count: int = 0
    rows: list[int] = field(default_factory=list)

    def add(self, row: int) -> None:
        """Count one more row."""
        self.count += 1
        if len(self.rows) < SHOWN_ROWS:
            self.rows.append(row)


@dataclass(slots=True)
class Report:
    """Everything an import needs to know between two steps, and tells when it is done."""

    encoding: str
    delimiter: str
    headers: list[str]
    chosen_encoding: str = "auto"
    sheet: str = ""  # of a workbook: the one that was read
    other_sheets: int = 0
    fields: list[str | None] = field(default_factory=list)
    accept_broken: bool = False
    by_command: bool = False  # read from a file of its own, by the command that began it
    rows: int = 0
    handled: int = 0
    row: int = 0  # the number of the last row handled
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    problems: dict[str, Finding] = field(default_factory=dict)
    warnings: dict[str, Finding] = field(default_factory=dict)

    @classmethod
    def begin(cls, table: Table, chosen_encoding: str, sheet: Sheet | None = None) -> "Report":
        """Return the report of a file of which only the shape is known."""
        return cls(
            encoding=table.encoding,
            delimiter=table.delimiter,
            headers=list(table.headers),
            chosen_encoding=chosen_encoding,
            rows=table.rows,
            sheet=sheet.name if sheet else "",
            other_sheets=sheet.others if sheet else 0,
        )

    @property
    def table(self) -> Table:
        """Return how to read the file."""
        return Table(self.encoding, self.delimiter, tuple(self.headers), self.rows)

    @property
    def mapping(self) -> ColumnMapping:
        """Return what its columns mean."""
        return ColumnMapping(tuple(self.fields))

    def restart(self) -> None:
        """Forget what was counted: the file is read again from its beginning."""
        self.handled = self.row = self.created = self.updated = self.unchanged = self.failed = 0
        self.statuses, self.problems, self.warnings = {}, {}, {}

    def warn(self, code: str, row: int) -> None:
        """Note that a row is odd."""
        self.warnings.setdefault(code, Finding()).add(row)

    def fail(self, code: str, row: int) -> None:
        """Note that a row cannot be imported."""
        self.problems.setdefault(code, Finding()).add(row)

    def encode(self) -> str:
        """Return the report as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def parse(cls, text: str) -> "Report":
        """Return the report that was stored."""
        stored = json.loads(text)
        known = {each.name: stored[each.name] for each in fields(cls) if each.name in stored}
        for name in ("problems", "warnings"):
            known[name] = _findings(known.get(name, {}))
        return cls(**known)


def _findings(stored: Mapping[str, Mapping[str, object]]) -> dict[str, Finding]:
    return {code: Finding(**one) for code, one in stored.items()}  # type: ignore[arg-type]
