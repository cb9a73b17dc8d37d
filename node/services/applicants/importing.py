"""Importing: upload -> mapping -> check (a dry run of every row) -> import, in steps.

An entrance drives it: it opens a `Pass`, and gives each of its steps a transaction.  Rows are read
and understood outside of it, so that a file of 100,000 rows never holds the database for long.
Progress is stored in the transaction of the rows it tells of: a killed worker goes on where it
stopped, and no row is imported twice.
"""

import gc
import hashlib
import json
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial, wraps
from itertools import islice
from pathlib import PurePosixPath, PureWindowsPath
from typing import NamedTuple, ParamSpec, TypeVar

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.refusals import NotThere
from node.services import audit
from node.services.applicants import columns, table_files, uploads, workbooks, writing
from node.services.applicants.refusals import ColumnsMissing, ImportElsewhere, RowsBroken
from node.services.applicants.reports import Report
from node.services.applicants.rows import Draft, RowBroken, RowReader
from node.services.applicants.table_files import Row, Source

P = ParamSpec("P")
T = TypeVar("T")

# A person waits for so many rows; more are left to the worker, with a progress bar.
INLINE_ROWS_MAX = 2_000
INLINE_S_MAX = 60
# Rows of one transaction, about 200 ms. Their index entries fall on random pages, so that fewer
# and larger batches write each page less often.
BATCH_ROWS = 4_000
FILE_NAME_CHARS_MAX = 200
KEPT_S = 24 * 3600  # An upload nobody went on with, and an error file nobody fetched.
WAITING_STATES = ("checking", "running")
PREVIEW_ROWS = 20
SAMPLE_CHARS = 40


class Understood(NamedTuple):
    """A row as it was read: a draft of an applicant, or the codes of what is wrong."""

    row: Row
    draft: Draft | None
    problems: tuple[tuple[str, str], ...] = ()


def new_id() -> str:
    """Return the id of an import about to begin."""
    return uuid.uuid4().hex


def source_of(context: Context, import_id: str) -> Source:
    """Return how to open the uploaded file."""
    return partial(uploads.reader, context, import_id, "table")


def receive(
    context: Context, import_id: str, pieces: Iterable[bytes], encoding: str = "auto"
) -> Report:
    """Store an upload, encrypted, and read its shape; one that cannot be imported is not kept."""
    source = source_of(context, import_id)
    try:
        uploads.store(context, import_id, "table", pieces)
        text, sheet = workbooks.opened(source)
        if sheet is not None:
            # From here on it is the CSV file that it could have been.
            with text() as file:
                uploads.store(
                    context, import_id, "table", iter(partial(file.read, uploads.PIECE_BYTES), b"")
                )
        return inspect(source, encoding, sheet)
    except BaseException:
        uploads.delete(context, import_id, "table")
        raise


def inspect(source: Source, encoding: str, sheet: workbooks.Sheet | None) -> Report:
    """Return the report of a file as text; a workbook's text is UTF-8, whatever was chosen."""
    if sheet is not None:
        encoding = "auto"
    chosen = "utf-8" if sheet is not None else encoding
    return Report.begin(table_files.inspect(source, chosen), encoding, sheet)


def begin(
    session: Session,
    context: Context,
    import_id: str,
    *,
    file_name: str,
    report: Report,
    user_id: str,
) -> models.ApplicantImport:
    """Store that a file is here and can be read; its columns are guessed."""
    report.fields = list(columns.guess(report.headers).fields)
    made = models.ApplicantImport(
        id=import_id,
        file_name=plain_name(file_name),
        rows=report.rows,
        report=report.encode(),
        headers_digest=digest_of(report.headers),
        created_by=user_id,
        created_at=context.now(),
    )
    session.add(made)
    return made


def plain_name(file_name: str) -> str:
    """Return the last part of a file's name, as either kind of system writes paths."""
    name = PureWindowsPath(PurePosixPath(file_name).name).name
    return "".join(sign for sign in name if sign.isprintable())[:FILE_NAME_CHARS_MAX] or "file"


def digest_of(headers: Sequence[str]) -> bytes:
    """Return by what an earlier file with exactly this header row is found."""
    return hashlib.sha256(json.dumps(list(headers)).encode()).digest()


def get(session: Session, import_id: str) -> models.ApplicantImport:
    """Return an import; raise NotThere."""
    found = session.get(models.ApplicantImport, import_id)
    if found is None:
        raise NotThere
    return found


def recent(session: Session, limit: int = 10) -> list[models.ApplicantImport]:
    """Return the last imports, newest first."""
    table = models.ApplicantImport
    newest = select(table).order_by(table.created_at.desc(), table.id.desc())
    return list(session.scalars(newest.limit(limit)))


def choose(session: Session, import_id: str, mapping: columns.ColumnMapping) -> None:
    """Take the meaning of the columns; the check of every row comes next."""
    missing = mapping.missing()
    if missing:
        raise ColumnsMissing(fields=missing)
    found = _before_import(session, import_id)
    report = Report.parse(found.report)
    report.fields = list(mapping.fields)
    report.restart()
    found.report, found.state = report.encode(), "checking"


def reread(session: Session, import_id: str, report: Report) -> None:
    """Take another encoding for the file; its columns are guessed again."""
    found = _before_import(session, import_id)
    report.fields = list(columns.guess(report.headers).fields)
    found.rows, found.report, found.state = report.rows, report.encode(), "uploaded"
    found.headers_digest = digest_of(report.headers)


def start(
    session: Session, context: Context, import_id: str, *, accept_broken: bool, user_id: str
) -> None:
    """Let a checked import run; raise when rows are broken and nobody said to leave them out."""
    found = _before_import(session, import_id)
    report = Report.parse(found.report)
    if found.state != "checked":
        raise ImportElsewhere
    if report.failed and not accept_broken:
        raise RowsBroken(failed=report.failed)
    if report.failed == report.rows:
        raise RowsBroken(failed=report.failed)
    report.restart()
    report.accept_broken = accept_broken
    found.report, found.state = report.encode(), "running"
    audit.record(
        session,
        context,
        actor=user_id,
        action="applicants.import",
        subject=import_id,
        detail=f"rows={report.rows}",
    )


def cancel(session: Session, context: Context, import_id: str) -> None:
    """Give up an import that has not begun to write; the file is deleted."""
    found = _before_import(session, import_id)
    session.delete(found)
    uploads.delete(context, import_id, "table")


def waiting(session: Session, context: Context) -> list[str]:
    """Return the imports that a worker should drive, oldest first.

    A short one is carried out by the request that began it; only when that died it is ours.  One
    begun by a command is driven by it, and has no upload here.
    """
    table = models.ApplicantImport
    found = (
        select(table.id, table.report)
        .where(table.state.in_(WAITING_STATES))
        .where(
            or_(
                table.rows > INLINE_ROWS_MAX,
                table.created_at < context.now() - INLINE_S_MAX,
            )
        )
        .order_by(table.created_at)
    )
    rows = session.execute(found)
    return [row.id for row in rows if not Report.parse(row.report).by_command]


def fail(session: Session, import_id: str) -> None:
    """Give up an import whose upload is gone or damaged; what was imported stays."""
    found = session.get(models.ApplicantImport, import_id)
    if found is not None and found.state in WAITING_STATES:
        found.state = "failed"


def tidy(session: Session, context: Context) -> int:
    """Delete uploads and error files that are a day old, and imports nobody went on with."""
    deleted = 0
    for import_id, kind in uploads.kept(context):
        found = session.get(models.ApplicantImport, import_id)
        if found is not None and found.state in WAITING_STATES:
            continue
        if found is None or found.created_at + KEPT_S < context.now():
            uploads.delete(context, import_id, kind)
            deleted += 1
            if found is not None and found.state in ("uploaded", "checked"):
                session.delete(found)
    return deleted


def _before_import(session: Session, import_id: str) -> models.ApplicantImport:
    table = models.ApplicantImport
    found = session.scalar(select(table).where(table.id == import_id).with_for_update())
    if found is None:
        raise NotThere
    if found.state not in ("uploaded", "checking", "checked"):
        raise ImportElsewhere
    return found


def _without_collector(work: Callable[P, T]) -> Callable[P, T]:
    """Let the garbage collector rest over one batch.

    No row holds a cycle, and it would look at each of a batch's 40,000 objects time and again: a
    fifth of an import.
    """

    @wraps(work)
    def rested(*args: P.args, **kwargs: P.kwargs) -> T:
        gc.disable()
        try:
            return work(*args, **kwargs)
        finally:
            gc.enable()

    return rested


class Pass:
    """One pass over the file, as a check or as the import itself; use it in a `with`."""

    def __init__(self, context: Context, stored: models.ApplicantImport, source: Source) -> None:
        self._context, self._id, self._state = context, stored.id, stored.state
        self.report = Report.parse(stored.report)
        assert stored.state in WAITING_STATES, "begun by `choose` or `start`"
        if stored.state == "checking":
            self.report.restart()  # What a check has seen before is not stored.
        self._handled_before = Report.parse(stored.report).handled
        zone = context.settings.time_zone
        reader = RowReader(self.report.mapping, zone, context.now())
        self._rows = understand(source, self.report, reader)
        self._seen: set[bytes] = set()
        self._read_batch()
        self._finished = False

    def __enter__(self) -> "Pass":
        return self

    def __exit__(self, *_: object) -> None:
        self._rows.close()

    def steps(self) -> Iterator[Callable[[Session], None]]:
        """Yield what is to be called with a session, each time in a transaction of its own."""
        while not self._finished:
            yield self._step
            if not self._finished:
                self._read_batch()

    @_without_collector
    def _step(self, session: Session) -> None:
        table = models.ApplicantImport
        stored = session.scalar(select(table).where(table.id == self._id).with_for_update())
        if stored is None or stored.state != self._state:
            raise ImportElsewhere
        if Report.parse(stored.report).handled != self._handled_before:
            raise ImportElsewhere  # Another worker drives it too: one of the two stops.
        good, drafts = self._good, self._drafts
        if self._state == "checking":
            outcome = writing.judge(session, self._context, drafts, self._seen)
        else:
            outcome = writing.write(session, self._context, self._prepared)

        self._count(outcome, good)
        self._finished = len(self._batch) < BATCH_ROWS
        if self._finished and self._state == "running":
            writing.settle(session)
        stored.report = self.report.encode()
        if self._finished:
            stored.state = "checked" if self._state == "checking" else "done"
        if self._state == "running":
            stored.imported, stored.updated = self.report.created, self.report.updated
            stored.skipped, stored.failed = self.report.unchanged, self.report.failed
        self._handled_before = self.report.handled

    @_without_collector
    def _read_batch(self) -> None:
        """Read, understand and seal the next rows, outside of any transaction."""
        self._batch = list(islice(self._rows, BATCH_ROWS))
        self._good = [each for each in self._batch if each.draft is not None]
        self._drafts = [each.draft for each in self._good if each.draft is not None]
        if self._state == "running":
            first = self.report.handled
            self._prepared = writing.prepare(self._context, self._drafts, first)

    def _count(self, outcome: writing.Outcome, good: list[Understood]) -> None:
        report = self.report
        report.created += outcome.created
        report.updated += outcome.updated
        report.unchanged += outcome.unchanged + len(outcome.erased)
        for at in outcome.erased:
            report.warn("erased", good[at].row.number)
        for each in self._batch:
            report.handled, report.row = report.handled + 1, each.row.number
            if each.draft is None:
                report.failed += 1
                for _, code in each.problems:
                    report.fail(code, each.row.number)
                continue
            status = each.draft.status
            report.statuses[status] = report.statuses.get(status, 0) + 1
            for code in each.draft.warnings:
                report.warn(code, each.row.number)


def preview(context: Context, report: Report, source: Source) -> list[Understood]:
    """Return the first rows, as they would be imported."""
    reader = RowReader(report.mapping, context.settings.time_zone, context.now())
    start = replace(report, row=0)
    with closing(understand(source, start, reader)) as found:
        return list(islice(found, PREVIEW_ROWS))


def samples(report: Report, source: Source) -> list[str]:
    """Return for each column the first value in it, so that its meaning can be chosen."""
    shown = [""] * len(report.headers)
    with closing(table_files.rows(source, report.table)) as found:
        for row in islice(found, PREVIEW_ROWS):
            for at, cell in enumerate(row.cells[: len(shown)]):
                shown[at] = shown[at] or cell.strip()[:SAMPLE_CHARS]
    return shown


def understand(
    source: Source, report: Report, reader: RowReader
) -> Generator[Understood, None, None]:
    """Yield the rows of a file behind the last one handled, each understood or broken."""
    with closing(table_files.rows(source, report.table, after=report.row)) as found:
        for row in found:
            if row.problem:
                yield Understood(row, None, (("", row.problem),))
                continue
            try:
                yield Understood(row, reader.read(row.cells))
            except RowBroken as broken:
                yield Understood(row, None, broken.problems)
