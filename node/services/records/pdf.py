"""A register on paper: a table over as many pages as it needs, in a Japanese font.

The one home of reportlab. The table is drawn line by line: with the library's own tables, which
lay a whole document out before they print it, 5,000 records take half a minute, so six seconds.
The font is BIZ UDPGothic (OFL), of which a file carries only the signs that it uses.
"""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

FONT = "BIZUDPGothic"
FONT_FILE = Path(__file__).parent / "vendor" / "biz-udpgothic" / "BIZUDPGothic-Regular.ttf"
MISSING = "〓"  # the printers' sign for a character that is not at hand

# In points, 72 to the inch.
WIDTH, HEIGHT = landscape(A4)
MARGIN = 36
PADDING = 3
TEXT_SIZE, TITLE_SIZE = 7, 12
LEADING = 9.5
GREY, BLACK, SHADE = 0.65, 0, 0.93
# A cell longer than this is another member's doing; the CSV file holds the whole.
CELL_LINES_MAX = 12


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, and the column's share of the width."""

    title: str
    share: float


def print_table(
    title: str, notes: Sequence[str], columns: Sequence[Column], rows: Iterable[Sequence[str]]
) -> bytes:
    """Return the PDF file: title and notes on the first page, headings and numbers on each."""
    file = io.BytesIO()
    sheet = _Sheet(file, title, columns)
    sheet.begin(notes)
    for row in rows:
        sheet.add(row)
    sheet.end()
    return file.getvalue()


class _Sheet:
    """The page that is being written, from its top to its foot, and the next."""

    def __init__(self, file: io.BytesIO, title: str, columns: Sequence[Column]) -> None:
        _load_font()
        self._canvas = Canvas(file, pagesize=(WIDTH, HEIGHT), pageCompression=1)
        self._canvas.setTitle(title)
        self._title = title
        self._columns = columns
        whole = sum(column.share for column in columns)
        self._widths = [(WIDTH - 2 * MARGIN) * column.share / whole for column in columns]
        self._page = 1
        self._y = HEIGHT - MARGIN

    def begin(self, notes: Sequence[str]) -> None:
        """Write what stands above the table."""
        self._canvas.setFont(FONT, TITLE_SIZE)
        self._y -= TITLE_SIZE
        self._canvas.drawString(MARGIN, self._y, _printable(self._title))
        self._canvas.setFont(FONT, TEXT_SIZE)
        for note in notes:
            for line in _lines(note, WIDTH - 2 * MARGIN):
                self._y -= LEADING
                self._canvas.drawString(MARGIN, self._y, line)
        self._y -= LEADING
        self._head()

    def add(self, row: Sequence[str]) -> None:
        """Write one row, on a new page when it does not fit on this one."""
        cells = self._cells(row)
        height = _height(cells)
        if self._y - height < MARGIN + LEADING:
            self._turn()
        self._draw(cells, height)

    def end(self) -> None:
        """Finish the last page and the file."""
        self._foot()
        self._canvas.save()

    def _turn(self) -> None:
        self._foot()
        self._canvas.showPage()
        self._canvas.setFont(FONT, TEXT_SIZE)
        self._page += 1
        self._y = HEIGHT - MARGIN
        self._head()

    def _head(self) -> None:
        cells = self._cells([column.title for column in self._columns])
        height = _height(cells)
        self._canvas.setFillGray(SHADE)
        self._canvas.rect(MARGIN, self._y - height, WIDTH - 2 * MARGIN, height, stroke=0, fill=1)
        self._canvas.setFillGray(BLACK)
        self._draw(cells, height)

    def _foot(self) -> None:
        self._canvas.drawString(MARGIN, MARGIN - LEADING, _printable(self._title))
        self._canvas.drawRightString(WIDTH - MARGIN, MARGIN - LEADING, str(self._page))

    def _cells(self, row: Sequence[str]) -> list[list[str]]:
        return [
            _lines(text, width - 2 * PADDING) for text, width in zip(row, self._widths, strict=True)
        ]

    def _draw(self, cells: Sequence[Sequence[str]], height: float) -> None:
        x = float(MARGIN)
        for lines, width in zip(cells, self._widths, strict=True):
            y = self._y - PADDING - TEXT_SIZE
            for line in lines:
                self._canvas.drawString(x + PADDING, y, line)
                y -= LEADING
            x += width
        self._y -= height
        self._canvas.setStrokeGray(GREY)
        self._canvas.setLineWidth(0.4)
        self._canvas.line(MARGIN, self._y, WIDTH - MARGIN, self._y)


def _height(cells: Sequence[Sequence[str]]) -> float:
    return max(len(lines) for lines in cells) * LEADING + 2 * PADDING


def _lines(text: str, width: float) -> list[str]:
    """The text broken where the width ends: between any two signs, as Japanese is."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line, used = "", 0.0
        for sign in _printable(paragraph):
            wide = _sign_width(sign)
            if line and used + wide > width:
                lines.append(line)
                line, used = "", 0.0
            line += sign
            used += wide
        lines.append(line)
    if len(lines) > CELL_LINES_MAX:
        lines = [*lines[: CELL_LINES_MAX - 1], "…"]
    return lines


def _printable(text: str) -> str:
    return "".join(sign if _is_in_font(sign) else MISSING for sign in text)


@lru_cache(maxsize=1)
def _load_font() -> TTFont:
    font = TTFont(FONT, FONT_FILE)
    pdfmetrics.registerFont(font)
    return font


@lru_cache(maxsize=16_384)
def _is_in_font(sign: str) -> bool:
    return ord(sign) in _load_font().face.charToGlyph


@lru_cache(maxsize=16_384)
def _sign_width(sign: str) -> float:
    return float(_load_font().stringWidth(sign, TEXT_SIZE))
