"""CSV files of lists: what a robot or a spreadsheet takes along.  DOMAIN 5.1, R4."""

from collections.abc import Callable, Iterable, Sequence

from flask import Response, request, stream_with_context

from node.services.applicants.exporting import encode_rows


def csv_answer(rows: Callable[[], Iterable[Sequence[str]]], name: str) -> Response:
    """A CSV file for spreadsheets: UTF-8 with a BOM, CRLF; `?encoding=cp932` for older ones."""
    encoding = "cp932" if request.args.get("encoding") == "cp932" else "utf-8-sig"
    charset = "Shift_JIS" if encoding == "cp932" else "utf-8"
    answer = Response(stream_with_context(encode_rows(rows(), encoding)))
    answer.headers["Content-Type"] = f"text/csv; charset={charset}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
