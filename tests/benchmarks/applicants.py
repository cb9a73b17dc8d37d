"""Applicants: importing 100,000 rows against csv + executemany; pages at 100,000 against 1,000."""

import csv
import random
import sqlite3
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from time import perf_counter

from node.database import Database
from node.services.applicants import importing, listing, table_files, writing
from node.services.applicants.listing import Filters
from node.services.applicants.reports import Report
from tests.benchmarks.registry import Figure, benchmark
from tests.equipment.applicants_office import USER, Office, open_office

ROWS, FEW_ROWS = 100_000, 1_000
# At 50 rows a page, 1,000 applicants have 20 pages: their last page stands for the 500th.
FIVE_HUNDREDTH = 500
LAST_OF_FEW = 20
ROUNDS = 60
HEADERS = (
    "応募者ID,氏名,フリガナ,メールアドレス,電話番号,郵便番号,都道府県,住所,求人名,応募経路,"
    "選考ステップ,選考結果,応募日,不合格日,性別,備考"
)
FAMILIES = "佐藤 鈴木 高橋 田中 伊藤 渡辺 山本 中村 小林 加藤 髙﨑 吉田 山田 佐々木".split()
GIVEN = "太郎 花子 一郎 美咲 翔太 さくら 健 愛 大輔 由美".split()
MEANINGS = {"不採用": "rejected", "選考中": "active", "辞退": "withdrawn"}


def write_file(path: Path, rows: int) -> None:
    """A file as a recruiting system writes it: CP932, sixteen columns, two of them forbidden."""
    choose = random.Random(7).choice
    with path.open("w", encoding="cp932", newline="") as file:
        file.write(HEADERS + "\r\n")
        for n in range(rows):
            day = f"2026/{n % 12 + 1}/{n % 28 + 1}"
            file.write(
                f"A{n:07},{choose(FAMILIES)} {choose(GIVEN)},ヤマダ タロウ,"
                f"user{n}@example{n % 50}.jp,"
                f"090-{n % 10000:04}-{n * 7 % 10000:04},100-0001,東京都,千代田区千代田1-{n % 99},"
                f"{choose(('法人営業', 'エンジニア', '経理'))},求人サイト{n % 9},"
                f"{choose(('書類選考', '一次面接', '最終面接'))},{choose(tuple(MEANINGS))},"
                f"{day},{day},男,①メモ\r\n"
            )


def floor_s(path: Path, database: Path) -> float:
    """Seconds to read the same file with csv and to write its rows, unsealed, by executemany."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    # The import's own page cache and batches: the floor is as good as it can be.
    connection.execute(f"PRAGMA cache_size=-{writing.CACHE_KIB}")
    started = perf_counter()
    with path.open(encoding="cp932", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        while batch := list(islice(rows, importing.BATCH_ROWS)):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(KEYS, [(row[0], row[0].encode(), 1) for row in batch])
            connection.executemany(PEOPLE, map(plain, batch))
            connection.execute("COMMIT")
    seconds = perf_counter() - started
    connection.close()
    return seconds


KEYS = "INSERT INTO person_keys (person_id, wrapped, created_at) VALUES (?, ?, ?)"
PEOPLE = (
    "INSERT INTO applicants (id, person_id, ats_id_index, person_blob, email_index, phone_index, "
    "name_index, kana_index, job, stage, stage_code, status, applicant_type, source, applied_on, "
    "rejected_on, created_at, updated_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,'midcareer',?,?,?,1,1)"
)


def plain(row: list[str]) -> tuple[object, ...]:
    """The row as it would be stored by somebody who seals, checks and understands nothing."""
    sealed = "|".join(row[:8]).encode()
    found = [row[0], row[0], row[0].encode(), sealed]
    found += [row[at].encode() for at in (3, 4, 1, 2)]
    return (*found, row[8], row[10], row[10], MEANINGS[row[11]], row[9], row[12], row[13])


def bring_in(office: Office, path: Path) -> dict[str, float]:
    """Import as `tasuki import` does; the seconds of each part."""
    source = partial(path.open, "rb")
    marks = [perf_counter()]
    report = Report.begin(table_files.inspect(source), "auto")
    import_id = importing.new_id()
    with office.database.transaction() as session:
        importing.begin(
            session, office.context, import_id, file_name=path.name, report=report, user_id=USER
        )
        session.flush()
        importing.choose(session, import_id, report.mapping)
    marks.append(perf_counter())
    _drive(office, import_id, source)
    marks.append(perf_counter())
    office.start(import_id)
    _drive(office, import_id, source)
    marks.append(perf_counter())
    assert office.report(import_id).created == report.rows
    return {
        "reading": marks[1] - marks[0],
        "check": marks[2] - marks[1],
        "import": marks[3] - marks[2],
        "all": marks[3] - marks[0],
    }


def _drive(office: Office, import_id: str, source: table_files.Source) -> None:
    stored = office.stored(import_id)
    with importing.Pass(office.context, stored, source) as run:
        for step in run.steps():
            with office.database.transaction() as session:
                step(session)


def office_at(folder: Path) -> Office:
    folder.mkdir()
    database = Database(f"sqlite:///{folder / 'tasuki.db'}")
    database.upgrade()
    return open_office(folder, database)


@benchmark("applicants-import")
def import_rows() -> Iterator[Figure]:
    """100,000 rows of CP932, whole: decode, check every row, seal, index, write, durably."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "applicants.csv"
        write_file(path, ROWS)
        floor = office_at(folder / "floor")
        floor.database.close()
        bare_s = floor_s(path, folder / "floor" / "tasuki.db")
        office = office_at(folder / "node")
        seconds = bring_in(office, path)
        office.database.close()
        yield Figure("csv + executemany, same rows and indexes", bare_s, "s")
        yield Figure("import, everything", seconds["all"], "s")
        yield Figure("of it: decode and count the rows", seconds["reading"], "s")
        yield Figure("of it: check every row (dry run)", seconds["check"], "s")
        yield Figure("of it: import", seconds["import"], "s")
        yield Figure("rows a second, everything", ROWS / seconds["all"], "rows/s")
        yield Figure("import / csv + executemany", seconds["all"] / bare_s, "times", at_most=4)
        few, many = _peaks(folder, path)
        yield Figure("peak of Python's memory, 10,000 rows", few, "MB")
        yield Figure("peak of Python's memory, 40,000 rows", many, "MB")
        yield Figure("memory of 40,000 rows / of 10,000", many / few, "times", at_most=1.25)


def _peaks(folder: Path, path: Path) -> tuple[float, float]:
    """Peak megabytes while a short and a longer file are imported; tracing makes it slow."""
    peaks = []
    for rows in (10_000, 40_000):
        part = folder / f"part-{rows}.csv"
        with path.open("rb") as whole, part.open("wb") as file:
            file.writelines(islice(whole, rows + 1))
        office = office_at(folder / f"peak-{rows}")
        tracemalloc.start()
        bring_in(office, part)
        peaks.append(tracemalloc.get_traced_memory()[1] / 1e6)
        tracemalloc.stop()
        office.database.close()
    return peaks[0], peaks[1]


@benchmark("applicants-list")
def list_pages() -> Iterator[Figure]:
    """First and 500th page, 50 rows each, opened and counted, at 100,000 and at 1,000."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pages: dict[int, list[tuple[str, float]]] = {}
        for rows, far in ((FEW_ROWS, LAST_OF_FEW), (ROWS, FIVE_HUNDREDTH)):
            path = folder / f"{rows}.csv"
            write_file(path, rows)
            office = office_at(folder / str(rows))
            bring_in(office, path)
            pages[rows] = _measured(office, far)
            office.database.close()
        for (what, few_ms), (_, many_ms) in zip(pages[FEW_ROWS], pages[ROWS], strict=True):
            yield Figure(f"{what}, 1,000 applicants", few_ms, "ms")
            yield Figure(f"{what}, 100,000 applicants", many_ms, "ms", at_most=100)
            yield Figure(f"{what}, ratio", many_ms / few_ms, "times", at_most=1.5)


def _measured(office: Office, far: int) -> list[tuple[str, float]]:
    cursor = ""
    with office.database.reading() as session:
        for _ in range(far - 1):
            found = listing.list_page(session, office.context, Filters(), cursor)
            cursor = found.next or ""
    rejected = Filters(status="rejected")
    return [
        ("first page", _best_ms(lambda: _page(office, Filters(), ""))),
        ("500th page", _best_ms(lambda: _page(office, Filters(), cursor))),
        ("first page of the rejected", _best_ms(lambda: _page(office, rejected, ""))),
        ("first page of the untold", _best_ms(lambda: _page(office, Filters(days=7), ""))),
    ]


def _page(office: Office, filters: Filters, cursor: str) -> None:
    """What the list's view asks: one page, the count, the jobs to choose from."""
    with office.database.reading() as session:
        found = listing.list_page(session, office.context, filters, cursor)
        listing.count(session, office.context, filters)
        listing.jobs(session)
    assert len(found.entries) == listing.LIMITS[0]


def _best_ms(act: Callable[[], None]) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        started = perf_counter()
        act()
        best = min(best, perf_counter() - started)
    return best * 1000
