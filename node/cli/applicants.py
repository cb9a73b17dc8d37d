"""`tasuki import`: applicants from a file, as the web does it, for scripts and night jobs."""

import sys
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from node.cli.entrance import Failed, as_json, opened, plainly, say_json
from node.i18n import DEFAULT_LANGUAGE, translator
from node.installation import Node
from node.services import users
from node.services.applicants import (
    error_files,
    importing,
    mappings,
    rows,
    table_files,
    workbooks,
)
from node.services.applicants.refusals import FileRefused, FileTooLarge
from node.services.applicants.reports import Report
from node.services.applicants.table_files import Source
from node.services.applicants.uploads import FILE_BYTES_MAX


@click.command(
    "import",
    epilog="Example: tasuki import applicants.csv --mapping HRMOS --dry-run",
    short_help="Import applicants from a CSV, TSV or Excel file.",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--mapping", help="Name of saved columns; else the headers are recognised.")
@click.option("--encoding", type=click.Choice(list(table_files.ENCODINGS)), default="auto")
@click.option("--dry-run", is_flag=True, help="Read and judge every row, and change nothing.")
@click.option(
    "--errors",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Import although some rows are broken, and write those into this file.",
)
@click.option("--user", "login", help="Whose import it is; else the first administrator's.")
@as_json
@plainly
def import_(
    file: Path,
    mapping: str | None,
    encoding: str,
    dry_run: bool,
    errors: Path | None,
    login: str | None,
    json_: bool,
) -> None:
    """Import applicants from a CSV or TSV FILE in UTF-8 or Shift_JIS (CP932), or from an .xlsx.

    Of an Excel workbook the first sheet that is not hidden is read.

    A file is imported once however often the command is run: by applicant ID, else by e-mail and
    job. When a row cannot be read nothing is imported, unless --errors says where such rows go.
    """
    node = opened()
    try:
        report = _import(node, file, mapping, encoding, dry_run, errors, login, quiet=json_)
    finally:
        node.close()
    if json_:
        say_json(_summary(report, dry_run=dry_run))
    else:
        _say(report, dry_run=dry_run)


def _import(
    node: Node,
    file: Path,
    mapping: str | None,
    encoding: str,
    dry_run: bool,
    errors: Path | None,
    login: str | None,
    *,
    quiet: bool,
) -> Report:
    source, report = _read(file, encoding)
    import_id = _begin(node, file.name, report, mapping, login)
    report = _drive(node, import_id, source, "Checking", quiet=quiet)
    broken = report.failed and (errors is None or report.failed == report.rows)
    if dry_run or broken:
        with node.database.transaction() as session:
            importing.cancel(session, node.context, import_id)
    if broken and not dry_run:
        _say(report, dry_run=True, to_stderr=True)
        raise Failed(
            f"import-rows-broken: {report.failed} rows cannot be read, so nothing was imported. "
            "Correct them, or name a file for them with --errors."
        )
    if dry_run:
        return report
    with node.database.transaction() as session:
        stored = importing.get(session, import_id)
        importing.start(
            session,
            node.context,
            import_id,
            accept_broken=errors is not None,
            user_id=stored.created_by,
        )
    report = _drive(node, import_id, source, "Importing", quiet=quiet)
    if report.failed and errors is not None:
        say = translator(DEFAULT_LANGUAGE)
        with errors.open("wb") as kept:
            kept.writelines(error_files.write(node.context, report, source, say))
    return report


def _open(file: Path) -> BinaryIO:
    return file.open("rb")


def _read(file: Path, encoding: str) -> tuple[Source, Report]:
    """Return how to read the file's text, and its shape; the file stays where it is."""
    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            raise FileTooLarge
        source, sheet = workbooks.opened(partial(_open, file))
        report = importing.inspect(source, encoding, sheet)
    except FileRefused as refusal:
        place = ", ".join(f"{name} {value}" for name, value in refusal.facts.items())
        refusal.detail = place
        raise
    report.by_command = True
    return source, report


def _begin(
    node: Node, file_name: str, report: Report, mapping: str | None, login: str | None
) -> str:
    import_id = importing.new_id()
    with node.database.transaction() as session:
        everybody = [user for user in users.listing(session) if user.active]
        found = next(
            (u for u in everybody if (u.login == login if login else u.role == "admin")), None
        )
        if found is None:
            raise Failed("There is no such user. See: tasuki users list")
        stored = importing.begin(
            session,
            node.context,
            import_id,
            file_name=file_name,
            report=report,
            user_id=found.id,
        )
        session.flush()
        chosen = Report.parse(stored.report).mapping
        if mapping is not None:
            saved = [each.name for each in mappings.listing(session)]
            if mapping not in saved:
                known = ", ".join(saved) or "none"
                raise Failed(f"No saved columns are called {mapping}. Saved are: {known}.")
            chosen = mappings.apply(session, mapping, report.headers)
        importing.choose(session, import_id, chosen)
    return import_id


def _drive(node: Node, import_id: str, source: Source, doing: str, *, quiet: bool) -> Report:
    """Carry a check or an import through, with a progress bar on the terminal."""
    with node.database.reading() as session:
        stored = importing.get(session, import_id)
    with importing.Pass(node.context, stored, source) as run, _bar(quiet=quiet) as bar:
        task = bar.add_task(doing, total=run.report.rows)
        for step in run.steps():
            with node.database.transaction() as session:
                step(session)
            bar.update(task, completed=run.report.handled)
    return run.report


@contextmanager
def _bar(*, quiet: bool) -> Any:  # noqa: ANN401 (contextmanager's own type)
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:10}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal) as bar:
        yield bar


def _summary(report: Report, *, dry_run: bool) -> dict[str, object]:
    return {
        "dry_run": dry_run,
        "sheet": report.sheet or None,
        "rows": report.rows,
        "new": report.created,
        "changed": report.updated,
        "unchanged": report.unchanged,
        "failed": report.failed,
        "results": report.statuses,
        "problems": {code: found.rows for code, found in report.problems.items()},
        "warnings": {code: found.count for code, found in report.warnings.items()},
    }


def _say(report: Report, *, dry_run: bool, to_stderr: bool = False) -> None:
    """The numbers, then what is wrong and what is odd, with the rows to look at."""
    would = "would be " if dry_run else ""
    stream = sys.stderr if to_stderr else sys.stdout
    if report.sheet:
        others = f"; {report.other_sheets} more not imported" if report.other_sheets else ""
        click.echo(f"Sheet {report.sheet}{others}", file=stream)
    click.echo(
        f"{report.rows} rows: {report.created} {would}new, {report.updated} {would}changed, "
        f"{report.unchanged} as before, {report.failed} not imported",
        file=stream,
    )
    for found, sentences in (
        (report.problems, rows.PROBLEMS),
        (report.warnings, rows.WARNINGS),
    ):
        for code, one in found.items():
            numbers = ", ".join(map(str, one.rows))
            more = " …" if one.count > len(one.rows) else ""
            click.echo(f"  {one.count:6} {sentences[code]} Rows {numbers}{more}", file=stream)
