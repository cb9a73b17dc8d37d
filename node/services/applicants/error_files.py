"""Error files: the rows that could not be imported, to correct and to import again.

The file has the encoding and the columns of the one that came, and one more in front that says
what is wrong; the import knows that column and passes over it.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace

from node.context import Context
from node.services.applicants import uploads
from node.services.applicants.exporting import encode_rows
from node.services.applicants.importing import understand
from node.services.applicants.reports import Report
from node.services.applicants.rows import PROBLEMS, RowReader
from node.services.applicants.table_files import Source

HEADER = "取込エラー"


def write(
    context: Context, report: Report, source: Source, say: Callable[[str], str]
) -> Iterator[bytes]:
    """Yield the error file; `say` puts what is wrong into the reader's language."""
    encoding = "cp932" if report.encoding == "cp932" else "utf-8-sig"
    return encode_rows(_rows(context, report, source, say), encoding, report.delimiter)


def finish(
    context: Context,
    import_id: str,
    report: Report,
    source: Source,
    say: Callable[[str], str],
) -> None:
    """After the import: keep the broken rows, encrypted, and delete the upload."""
    if report.failed:
        uploads.store(context, import_id, "errors", write(context, report, source, say))
    uploads.delete(context, import_id, "table")


def fetch(
    context: Context,
    import_id: str,
    report: Report,
    source: Source,
    say: Callable[[str], str],
) -> Iterator[bytes]:
    """Yield the error file as it was kept, or from the upload while that is still here."""
    if not uploads.exists(context, import_id, "errors"):
        yield from write(context, report, source, say)
        return
    with uploads.reader(context, import_id, "errors") as file:
        while piece := file.read(uploads.PIECE_BYTES):
            yield piece


def _rows(
    context: Context, report: Report, source: Source, say: Callable[[str], str]
) -> Iterator[list[str]]:
    yield [HEADER, *report.headers]
    reader = RowReader(report.mapping, context.settings.time_zone, context.now())
    with closing(understand(source, replace(report, row=0), reader)) as found:
        for each in found:
            if each.draft is None:
                said = " ".join(say(PROBLEMS[code]) for _, code in each.problems)
                yield [f"{each.row.number}: {said}", *each.row.cells]
