"""`tasuki import`: the rules of the pages, for scripts; a refusal ends with 1, nothing changed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select

from node import keyring_file, models
from node.cli import main
from node.clock import FixedClock
from node.config import parse
from node.installation import Node
from node.keyring import NodeKeys
from node.opening import open_node
from node.services.applicants import columns, importing, mappings
from node.worker.applicants import drive_imports
from protocol import SigningKey
from tests.equipment import workbook_files
from tests.equipment.applicants_office import HEADERS, line, table
from tests.equipment.workbook_files import Sheet

PASSPHRASE = "a passphrase for tests"


@dataclass
class Terminal:
    """A shell on a machine with one node."""

    folder: Path
    environment: dict[str, str]
    node: Node

    def file(self, data: bytes, name: str = "a.csv") -> str:
        path = self.folder / name
        path.write_bytes(data)
        return str(path)

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(main, ["import", *words], env=self.environment)

    def applicants(self) -> int:
        with self.node.database.reading() as session:
            return session.scalar(select(func.count()).select_from(models.Applicant)) or 0

    def imports(self) -> list[models.ApplicantImport]:
        with self.node.database.reading() as session:
            return importing.recent(session)


@pytest.fixture
def terminal(tmp_path: Path, database_url: str) -> Iterator[Terminal]:
    environment = {
        "TASUKI_DATA_DIR": str(tmp_path / "data"),
        "TASUKI_DATABASE_URL": database_url,
        "TASUKI_MEMBER_ID": "aoba",
        "TASUKI_PASSPHRASE": PASSPHRASE,
        "TASUKI_UNSAFE_DATABASE": "1",
    }
    settings = parse(environment)
    keys = NodeKeys.generate(SigningKey.generate().verify_key)
    keyring_file.create(settings.key_file, PASSPHRASE, keys)
    node = open_node(settings, FixedClock())
    with node.database.transaction() as session:
        session.add(
            models.User(
                id="u-admin",
                login="admin",
                name="山田",
                role="admin",
                password_hash="none",
                created_at=1,
            )
        )
    yield Terminal(tmp_path, environment, node)
    node.close()


def test_a_file_is_imported_once(terminal: Terminal) -> None:
    path = terminal.file(table(line(1), line(2)))
    first = terminal.run(path, "--json")
    assert first.exit_code == 0, first.output
    assert json.loads(first.output) == {
        "changed": 0,
        "dry_run": False,
        "failed": 0,
        "new": 2,
        "problems": {},
        "results": {"rejected": 2},
        "rows": 2,
        "sheet": None,
        "unchanged": 0,
        "warnings": {},
    }
    again = terminal.run(path)
    assert "2 rows: 0 new, 0 changed, 2 as before, 0 not imported" in again.output
    assert terminal.applicants() == 2
    assert [each.state for each in terminal.imports()] == ["done", "done"]


def test_a_dry_run_changes_nothing(terminal: Terminal) -> None:
    result = terminal.run(terminal.file(table(line(1), line(2, email="x"))), "--dry-run")
    assert result.exit_code == 0
    assert "2 rows: 1 would be new" in result.output
    assert "Rows 3" in result.output
    assert terminal.applicants() == 0
    assert terminal.imports() == []


def test_broken_rows_end_with_1_and_change_nothing(terminal: Terminal) -> None:
    result = terminal.run(terminal.file(table(line(1), line(2, email="x"))))
    assert result.exit_code == 1
    assert "import-rows-broken" in result.output
    assert terminal.applicants() == 0
    assert terminal.imports() == []


def test_broken_rows_are_written_where_errors_says(terminal: Terminal) -> None:
    errors = terminal.folder / "errors.csv"
    path = terminal.file(table(line(1), line(2, email="x")))
    result = terminal.run(path, "--errors", str(errors), "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["failed"] == 1
    assert terminal.applicants() == 1
    assert "A-000002" in errors.read_bytes().decode("cp932")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (table(line(1)) + b"\xff\xff", "import-encoding-unknown"),
        (table(line(1, name='"山田')), "import-quote-unclosed"),
        (b"ID,name,email,status\n" + b"1,A,a@example.jp,NG\n" * 200_000, "import-too-many-rows"),
        (table("山田,営業", headers="氏名,求人名"), "import-columns-missing"),
        (b"", "import-file-empty"),
    ],
    ids=["encoding", "quotation", "200000-rows", "column", "empty"],
)
def test_a_file_that_cannot_be_ends_with_1_and_its_code(
    terminal: Terminal, data: bytes, code: str
) -> None:
    result = terminal.run(terminal.file(data))
    assert result.exit_code == 1
    assert code in result.output
    assert terminal.applicants() == 0
    assert terminal.imports() == []


def test_saved_columns_are_used_by_name(terminal: Terminal) -> None:
    titles = ["だれ", "あて", "どう"]
    with terminal.node.database.transaction() as session:
        chosen = columns.choose(titles, ["name", "email", "status"])
        mappings.save(session, "媒体A", titles, chosen)
    path = terminal.file(table("山田 太郎,a@example.jp,不採用", headers=",".join(titles)))
    assert terminal.run(path).exit_code == 1
    assert terminal.run(path, "--mapping", "媒体A").exit_code == 0
    assert terminal.run(path, "--mapping", "ない").exit_code == 1
    assert terminal.applicants() == 1


def test_the_worker_leaves_a_commands_import_to_the_command(terminal: Terminal) -> None:
    rows = importing.INLINE_ROWS_MAX + 1
    path = terminal.file(table(*(line(n) for n in range(rows))))
    assert terminal.run(path).exit_code == 0
    with terminal.node.database.transaction() as session:
        stored = session.scalars(select(models.ApplicantImport)).one()
        stored.state = "running"  # as if the command were in the midst of it
    drive_imports(terminal.node)
    assert terminal.imports()[0].state == "running"


def test_an_unknown_user_is_refused(terminal: Terminal) -> None:
    result = terminal.run(terminal.file(table(line(1))), "--user", "nobody")
    assert result.exit_code == 1
    assert terminal.imports() == []


def test_nothing_personal_is_logged(terminal: Terminal) -> None:
    path = terminal.file(
        table(line(1, name="金糸雀", email="canary@example.jp"), line(2, email="x"))
    )
    result = terminal.run(path, "--errors", str(terminal.folder / "errors.csv"))
    assert result.exit_code == 0
    for canary in ("金糸雀", "canary", "A-000001"):
        assert canary not in result.output


def test_a_workbook_is_imported_and_its_sheet_is_said(terminal: Terminal) -> None:
    rows = [each.split(",") for each in (HEADERS, line(1), line(2, email="x"))]
    sheets = (Sheet("入力規則", state="hidden"), Sheet("応募者", rows), Sheet("集計"))
    path = terminal.file(workbook_files.of_sheets(*sheets), "a.xlsx")
    errors = terminal.folder / "errors.csv"
    done = terminal.run(path, "--errors", str(errors), "--encoding", "cp932")
    assert done.exit_code == 0, done.output
    assert "Sheet 応募者; 1 more not imported" in done.output
    assert terminal.applicants() == 1
    assert "x" in errors.read_text("utf-8-sig").splitlines()[1]


def test_a_workbook_with_macros_ends_with_its_code(terminal: Terminal) -> None:
    refused = terminal.run(terminal.file(workbook_files.with_macros(), "a.xlsm"))
    assert refused.exit_code == 1
    assert "import-workbook-macros" in refused.output
    assert (terminal.applicants(), terminal.imports()) == (0, [])
