"""Exporting: the list as a CSV file for spreadsheets and other systems.  DOMAIN 4.1.

UTF-8 with a BOM loses nothing.  CP932 lacks some signs: what it would change or lose is told
before the file is made.  A cell that a spreadsheet would take for a formula gets an apostrophe.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from node.context import Context
from node.i18n import later
from node.services.applicants import listing
from node.services.applicants.listing import Entry, Filters

ENCODINGS = {"utf-8": "utf-8-sig", "cp932": "cp932"}
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
# Typographic signs with a twin in CP932, which reads the same to people (DOMAIN 4.1).
TWINS = {"—": "―", "〜": "～", "−": "－", "‖": "∥", "¢": "￠", "£": "￡", "¬": "￢", "¥": "￥"}
MISSING = "〓"  # The printers' sign for a character that is not at hand.
BATCH_ROWS = 500
PIECE_CHARS = 64 * 1024
SHOWN_LOSSES = 50

# Header, and what stands under it.  Why somebody gets no link never leaves the node (DOMAIN 2.7).
COLUMNS: tuple[tuple[str, str], ...] = (
    ("応募者ID", "ats_id"),
    ("氏名", "name"),
    ("姓", "family"),
    ("名", "given"),
    ("フリガナ", "kana"),
    ("メールアドレス", "email"),
    ("電話番号", "phone"),
    ("郵便番号", "postal"),
    ("都道府県", "prefecture"),
    ("住所", "address"),
    ("学校名", "school"),
    ("学部", "faculty"),
    ("学科", "department"),
    ("卒業予定年月", "graduation"),
    ("求人名", "job"),
    ("応募経路", "source"),
    ("選考ステップ", "stage"),
    ("選考結果", "status"),
    ("応募区分", "applicant_type"),
    ("応募日", "applied_on"),
    ("不合格日", "rejected_on"),
    ("通知日", "notified_at"),
)
STATUS_WORDS = {
    "active": "選考中",
    "rejected": "不採用",
    "withdrawn": "辞退",
    "hired": "採用",
}
TYPE_WORDS = {"newgrad": "新卒", "midcareer": "中途", "parttime": "アルバイト"}
LOSSES = {
    "changed": later("written with a similar sign"),
    "missing": later("not in CP932: replaced by 〓"),
}


@dataclass(frozen=True, slots=True)
class Loss:
    """A sign that CP932 does not have, whose it is, and what stands in its place."""

    applicant_id: str
    name: str
    sign: str
    becomes: str

    @property
    def kind(self) -> str:
        """Return `changed` or `missing`."""
        return "missing" if self.becomes == MISSING else "changed"


def rows(
    session: Session, context: Context, filters: Filters, ids: Sequence[str] = ()
) -> Iterator[list[str]]:
    """Yield the header and one row for each applicant of the filter, or of `ids`."""
    yield [header for header, _ in COLUMNS]
    for entry in listing.every(session, context, filters, ids):
        yield _cells(context, entry)


def losses(
    session: Session, context: Context, filters: Filters, ids: Sequence[str] = ()
) -> tuple[int, list[Loss]]:
    """Return how many signs CP932 would change or lose, and the first of them with their owner."""
    count = 0
    shown: list[Loss] = []
    for entry in listing.every(session, context, filters, ids):
        for sign in sorted(set("".join(_cells(context, entry)))):
            becomes = in_cp932(sign)
            if becomes != sign:
                count += 1
                if len(shown) < SHOWN_LOSSES:
                    name = entry.person.name if entry.person else ""
                    shown.append(Loss(entry.row.id, name, sign, becomes))
    return count, shown


def in_cp932(text: str) -> str:
    """Return `text` as CP932 can hold it."""
    try:
        # 〜 goes through cp932 one way and comes back as another sign: only a round trip tells.
        if text.encode("cp932").decode("cp932") == text:
            return text
    except UnicodeEncodeError:
        pass
    return "".join(_sign_in_cp932(sign) for sign in text)


def _sign_in_cp932(sign: str) -> str:
    try:
        return sign.encode("cp932").decode("cp932")
    except UnicodeEncodeError:
        return TWINS.get(sign, MISSING)


def neutral(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def encode_rows(
    found: Iterable[Sequence[str]], encoding: str, delimiter: str = ","
) -> Iterator[bytes]:
    """Yield the rows as pieces of a CSV file with CRLF, as spreadsheets write it."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n")
    fit: Callable[[str], str] = in_cp932 if encoding == "cp932" else str
    first = True
    for row in found:
        writer.writerow([neutral(fit(cell)) for cell in row])
        if buffer.tell() > PIECE_CHARS:
            yield _piece(buffer, encoding, first=first)
            first = False
    if buffer.tell() or first:
        yield _piece(buffer, encoding, first=first)


def _piece(buffer: io.StringIO, encoding: str, *, first: bool) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    # Only the first piece carries the BOM.
    return text.encode(encoding if first else encoding.removesuffix("-sig"))


def _cells(context: Context, entry: Entry) -> list[str]:
    row, person = entry.row, entry.person
    day = context.settings.time_zone
    plain: dict[str, str] = {
        "job": row.job,
        "source": row.source or "",
        "stage": row.stage,
        "status": STATUS_WORDS[row.status],
        "applicant_type": TYPE_WORDS[row.applicant_type],
    }
    for name in ("applied_on", "rejected_on", "notified_at"):
        at = getattr(row, name)
        plain[name] = datetime.fromtimestamp(at, day).date().isoformat() if at is not None else ""
    if person is not None:
        plain["phone"] = person.shown_phone if person.phone else ""
    return [
        plain[field] if field in plain else str(getattr(person, field, "") or "")
        for _, field in COLUMNS
    ]


def file_name(context: Context) -> str:
    """Return the name of today's file: the same all day, so that a robot finds it."""
    now = datetime.fromtimestamp(context.now(), context.settings.time_zone)
    return f"applicants-{now:%Y%m%d}.csv"


def count(session: Session, context: Context, filters: Filters, ids: Sequence[str] = ()) -> int:
    """Return how many applicants the file would have."""
    return len(ids) if ids else listing.exact_count(session, context, filters)
