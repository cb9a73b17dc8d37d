"""An office to import applicants in: one node's database, keys and clock, without a web server."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session

from node import models
from node.clock import FixedClock
from node.config import Settings
from node.context import Context
from node.database import Database
from node.keyring import Keyring, NodeKeys
from node.services.applicants import columns, error_files, importing
from node.services.applicants.people import Person, person_of
from node.services.applicants.reports import Report
from node.services.applicants.table_files import Source
from protocol import Charter, SigningKey

USER = "u-recruiter"
TODAY = 1_795_312_800  # 2026-11-22 11:00 in Japan
TOKYO = ZoneInfo("Asia/Tokyo")
HEADERS = "応募者ID,氏名,フリガナ,メールアドレス,電話番号,求人名,選考ステップ,結果,応募日,不合格日"


def line(number: int, **changed: str) -> str:
    """One row of an ATS's file below HEADERS."""
    values = {
        "id": f"A-{number:06}",
        "name": f"髙﨑 太郎{number}",
        "kana": "タカサキ タロウ",
        "email": f"person{number}@example.jp",
        "phone": f"090-1000-{number % 10000:04}",
        "job": ("営業①", "開発", "経理")[number % 3],
        "stage": ("書類選考", "一次面接", "最終面接")[number % 3],
        "result": "不採用",
        "applied": "2026/10/01",
        "rejected": "2026年11月2日",
    } | changed
    return ",".join(values.values())


def table(*lines: str, headers: str = HEADERS, encoding: str = "cp932") -> bytes:
    """A file as Excel saves it."""
    return "".join(f"{each}\r\n" for each in (headers, *lines)).encode(encoding)


def no_charter(_: Session) -> Charter:
    raise AssertionError("applicants need no charter")


@dataclass
class Office:
    """What an entrance does with the applicants' services, in few words."""

    database: Database
    context: Context
    clock: FixedClock

    def upload(self, data: bytes, *, name: str = "応募者.csv", encoding: str = "auto") -> str:
        """Store and inspect a file; its id, or what `inspect` raises."""
        import_id = importing.new_id()
        report = importing.receive(self.context, import_id, iter([data]), encoding)
        with self.database.transaction() as session:
            importing.begin(
                session, self.context, import_id, file_name=name, report=report, user_id=USER
            )
        return import_id

    def check(self, import_id: str, mapping: columns.ColumnMapping | None = None) -> Report:
        """The dry run; what it found."""
        chosen = mapping or self.report(import_id).mapping
        with self.database.transaction() as session:
            importing.choose(session, import_id, chosen)
        return self.drive(import_id)

    def start(self, import_id: str, *, accept_broken: bool = False) -> None:
        with self.database.transaction() as session:
            importing.start(
                session, self.context, import_id, accept_broken=accept_broken, user_id=USER
            )

    def drive(self, import_id: str, steps_max: int = 1_000) -> Report:
        """Let a check or an import run, as the worker does."""
        source = importing.source_of(self.context, import_id)
        with self.database.reading() as session:
            stored = importing.get(session, import_id)
        with importing.Pass(self.context, stored, source) as run:
            for count, step in enumerate(run.steps(), 1):
                with self.database.transaction() as session:
                    step(session)
                if count == steps_max:
                    break
        report = self.report(import_id)
        if self.stored(import_id).state == "done":
            error_files.finish(self.context, import_id, report, source, str)
        return report

    def bring_in(self, data: bytes, *, accept_broken: bool = False) -> Report:
        """Upload, check and import a file; what became of it."""
        import_id = self.upload(data)
        self.check(import_id)
        self.start(import_id, accept_broken=accept_broken)
        return self.drive(import_id)

    def stored(self, import_id: str) -> models.ApplicantImport:
        with self.database.reading() as session:
            return importing.get(session, import_id)

    def report(self, import_id: str) -> Report:
        return Report.parse(self.stored(import_id).report)

    def errors(self, import_id: str) -> bytes:
        report = self.report(import_id)
        source = importing.source_of(self.context, import_id)
        return b"".join(error_files.fetch(self.context, import_id, report, source, str))

    def applicants(self) -> list[models.Applicant]:
        with self.database.reading() as session:
            return list(session.scalars(select(models.Applicant).order_by(models.Applicant.id)))

    def people(self) -> list[Person]:
        with self.database.reading() as session:
            rows = session.scalars(select(models.Applicant).order_by(models.Applicant.id))
            return [person_of(session, self.context, row) for row in rows]

    def files(self) -> list[Path]:
        return sorted((self.context.settings.data_dir / "uploads").glob("*"))

    @contextmanager
    def counting(self) -> Iterator[list[str]]:
        """Statements sent to the database inside the `with`, transactions' ends apart."""
        seen: list[str] = []
        record = partial(_record, seen)
        event.listen(Engine, "before_cursor_execute", record)
        try:
            yield seen
        finally:
            event.remove(Engine, "before_cursor_execute", record)


def _record(seen: list[str], *told: object) -> None:
    statement = str(told[2])
    if statement.lstrip().upper().startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")):
        seen.append(statement)


def open_office(folder: Path, database: Database) -> Office:
    """A member's office on an empty, migrated database."""
    clock = FixedClock(TODAY)
    keyring = Keyring(NodeKeys.generate(SigningKey.generate().verify_key))
    context = Context(Settings(data_dir=folder), clock, keyring, no_charter)
    add_recruiter(database)
    return Office(database, context, clock)


def add_recruiter(database: Database) -> None:
    """The user who imports, who cannot sign in."""
    with database.transaction() as session:
        session.add(
            models.User(
                id=USER,
                login="importer",
                name="佐藤 花子",
                role="recruiter",
                password_hash="none",
                created_at=TODAY,
            )
        )


def source_of(data: bytes) -> Source:
    """Bytes as a file that can be opened again and again."""
    return lambda: BytesIO(data)
