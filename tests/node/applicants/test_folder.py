"""The watched folder: real files, taken at rest, once, and put away with what came of them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import pytest

from node import models
from node.clock import FixedClock
from node.config import parse
from node.context import Context
from node.database import Database
from node.installation import Node
from node.keyring import Keyring, NodeKeys
from node.mail import Mailer
from node.refusals import NotThere
from node.services import sessions, users
from node.services.applicants import columns, folder, importing, uploads
from node.transport import PeerTransport
from node.watched_folder import Shape
from node.worker.folder import LOOK_S, FolderRounds
from protocol import SigningKey
from tests.equipment import workbook_files
from tests.equipment.applicants_office import (
    HEADERS,
    TODAY,
    Office,
    add_recruiter,
    line,
    no_charter,
    table,
)
from tests.equipment.workbook_files import Sheet


@dataclass
class Post:
    """A node with a folder, and the system that writes into it."""

    node: Node
    office: Office
    path: Path
    _rounds: FolderRounds = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A worker that begins anew: it has seen nothing yet."""
        self._rounds = FolderRounds(self.node)

    def put(self, data: bytes, name: str = "list.csv") -> Path:
        path = self.path / name
        path.write_bytes(data)
        return path

    def look(self, times: int = 2) -> None:
        for _ in range(times):
            self._rounds.step()
            self.office.clock.move(LOOK_S)

    def names(self, room: str = ".") -> list[str]:
        return sorted(path.name for path in (self.path / room).iterdir() if path.is_file())

    def report(self, room: str) -> str:
        """The one report in a room."""
        (path,) = (self.path / room).glob("*.txt")
        return path.read_text("utf-8-sig")

    def begin(self, data: bytes) -> str:
        """What a worker does before it dies: the file is here, and its check begins."""
        import_id, context = importing.new_id(), self.node.context
        lying = Shape.of((self.path / "list.csv").stat())
        report = importing.receive(context, import_id, iter([data]))
        with self.node.database.transaction() as session:
            folder.begin(
                session,
                context,
                import_id,
                file_name="list.csv",
                digest=sha256(sha256(data).digest() + lying.digest()).digest(),
                report=report,
            )
        return import_id

    def imports(self) -> list[models.ApplicantImport]:
        with self.node.database.reading() as session:
            return importing.recent(session)


@pytest.fixture
def post(tmp_path: Path, database: Database) -> Iterator[Post]:
    path = tmp_path / "import"
    path.mkdir()
    clock, keys = FixedClock(TODAY), NodeKeys.generate(SigningKey.generate().verify_key)
    settings = parse({"TASUKI_DATA_DIR": str(tmp_path / "data"), "TASUKI_IMPORT_FOLDER": str(path)})
    keyring = Keyring(keys)
    context = Context(settings, clock, keyring, no_charter)
    transport = PeerTransport(settings, clock, context.calling)
    node = Node(settings, clock, database, keyring, Mailer(settings, clock), transport, context)
    add_recruiter(database)
    yield Post(node, Office(database, context, clock), path)
    transport.close()


@pytest.fixture
def taught(post: Post) -> Post:
    """HR has imported such a file in the browser, and said what its columns mean."""
    post.office.bring_in(table(line(900)))
    return post


def test_a_file_at_rest_is_imported_once_and_put_away_with_its_report(taught: Post) -> None:
    data = table(line(1), line(2, phone="12345"))
    taught.put(data)
    taught.look(1)
    assert taught.names() == ["list.csv"], "it may still be being written"
    taught.look(1)

    assert taught.names() == []
    moved, report = taught.names("done")
    assert (moved[:5], report) == ("list-", f"{moved}.txt")
    assert (taught.path / "done" / moved).read_bytes() == data
    assert len(taught.office.applicants()) == 3
    latest = taught.imports()[0]
    assert (latest.state, latest.created_by, latest.file_name) == ("done", "folder", "list.csv")
    said = taught.report("done")
    assert "行数：2（新規：2、更新：0、変更なし：0）" in said
    assert "該当行：3" in said
    assert "太郎" not in said
    assert taught.office.files() == [], "the copy on this node is gone"

    # The same content once more: imported again, and nothing changes.
    taught.put(data, "again.CSV")
    taught.look()
    assert [each.state for each in taught.imports()] == ["done"] * 3
    assert len(taught.office.applicants()) == 3
    assert len(taught.names("done")) == 4


def test_what_takes_a_mistake_back_is_imported_though_it_came_before(taught: Post) -> None:
    active, rejected = (table(line(1, result=said, rejected="")) for said in ("選考中", "不採用"))
    for data in (active, rejected, active):
        taught.put(data)
        taught.look()
    statuses = sorted(each.status for each in taught.office.applicants())
    assert statuses == ["active", "rejected"], "of person 1 and of the one who was there before"


def test_a_growing_file_waits_until_it_is_whole(taught: Post) -> None:
    path = taught.put(table(line(1)))
    taught.look(1)
    path.write_bytes(table(line(1), line(2)))
    taught.look(1)
    assert taught.names() == ["list.csv"]
    taught.look(1)
    assert taught.names() == []
    assert len(taught.office.applicants()) == 3


@pytest.mark.parametrize("died", ["checking", "checked", "running", "done"])
def test_a_worker_that_dies_is_carried_on_from_and_nobody_comes_twice(
    taught: Post, died: str
) -> None:
    data = table(line(1), line(2))
    taught.put(data)
    import_id = taught.begin(data)
    if died != "checking":
        taught.office.drive(import_id)
    if died in ("running", "done"):
        with taught.node.database.transaction() as session:
            folder.start(session, taught.node.context, import_id)
    if died == "done":
        taught.office.drive(import_id)
    assert taught.office.stored(import_id).state == died

    taught.look()
    assert taught.names() == []
    assert len(taught.names("done")) == 2
    assert "行数：2（新規：2" in taught.report("done")
    assert len(taught.office.applicants()) == 3
    assert [each.state for each in taught.imports()] == ["done", "done"]
    assert taught.office.files() == []


def test_a_copy_that_is_lost_is_said_and_the_file_may_come_again(taught: Post) -> None:
    data = table(line(1), line(2))
    taught.put(data)
    uploads.delete(taught.node.context, taught.begin(data), "table")
    taught.look()
    assert "import-upload-lost" in taught.report("failed")
    taught.put(data)
    taught.look()
    assert len(taught.names("done")) == 2
    assert len(taught.office.applicants()) == 3


def test_a_file_that_cannot_be_put_away_holds_up_no_other(taught: Post) -> None:
    data = table(line(1))
    in_the_way = taught.path / "done" / f"a-{sha256(data).hexdigest()[:16]}.csv"
    in_the_way.mkdir(parents=True)
    taught.put(data, "a.csv")
    taught.put(table(line(2)), "b.csv")
    taught.look()
    assert taught.names() == ["a.csv"]
    assert len(taught.office.applicants()) == 3
    in_the_way.rmdir()
    taught.look()
    assert taught.names() == []
    assert len(taught.imports()) == 3


def test_two_workers_at_once_import_one_file_once(taught: Post) -> None:
    taught.put(table(*(line(number) for number in range(300))))
    workers = [FolderRounds(taught.node) for _ in range(2)]
    for worker in workers:
        worker.step()
    taught.office.clock.move(LOOK_S)
    with ThreadPoolExecutor(2) as both:
        for done in [both.submit(worker.step) for worker in workers]:
            done.result()
    taught.look()
    assert [each.state for each in taught.imports()] == ["done", "done"]
    assert len(taught.office.applicants()) == 301
    assert taught.names() == []
    assert len(taught.names("done")) == 2


def test_a_header_row_nobody_has_seen_goes_to_failed_with_what_to_do(post: Post) -> None:
    data = table(line(1))
    post.put(data)
    post.look()
    assert post.names("failed")[0].endswith(".csv")
    said = post.report("failed")
    assert "import-header-unknown" in said
    assert "一度ブラウザーの画面から取り込んでください" in said
    assert "応募者ID" not in said, "without a header row there stands a person"
    assert (post.imports(), post.office.applicants(), post.office.files()) == ([], [], [])

    post.office.bring_in(table(line(5)))
    post.put(data)
    post.look()
    assert len(post.office.applicants()) == 2
    assert len(post.names("done")) == 2


def test_columns_mean_what_hr_said_last_of_such_a_header_row(post: Post) -> None:
    titles = ["だれ", "あて", "どう"]
    first = post.office.upload(table("山田,a@example.jp,不採用", headers=",".join(titles)))
    post.office.check(first, columns.choose(titles, ["name", "email", "status"]))
    post.office.start(first)
    post.office.drive(first)

    post.put(table("佐藤,b@example.jp,不採用", headers=",".join(titles)), "b.csv")
    post.put(table("不採用,c@example.jp,鈴木", headers="どう,あて,だれ"), "c.csv")
    post.look()
    assert sorted(each.name for each in post.office.people()) == ["佐藤", "山田"]
    assert len(post.names("failed")) == 2


def test_a_broken_row_keeps_the_whole_file_out_and_its_number_is_said(taught: Post) -> None:
    taught.put(table(line(1), line(2, email="x"), line(3, email="y")))
    taught.look()
    said = taught.report("failed")
    assert "import-rows-broken" in said
    assert "該当行：3, 4" in said
    assert len(taught.office.applicants()) == 1
    assert len(taught.imports()) == 1
    assert taught.office.files() == []


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.csv", b"", "import-file-empty"),
        ("a.csv", b"%PDF-1.7", "import-file-is-no-text"),
        ("a.xlsx", workbook_files.with_macros(), "import-workbook-macros"),
        ("a.tsv", table(line(1)) + b"\xff\xff", "import-encoding-unknown"),
    ],
)
def test_what_the_browser_refuses_the_folder_refuses(
    taught: Post, name: str, data: bytes, code: str
) -> None:
    taught.put(data, name)
    taught.look()
    assert code in taught.report("failed")
    assert len(taught.imports()) == 1
    assert taught.office.files() == []


def test_a_file_beyond_the_limit_is_put_away_unread(taught: Post) -> None:
    for name in ("a.csv", "b.csv"):
        with (taught.path / name).open("wb") as sparse:
            sparse.truncate(uploads.FILE_BYTES_MAX + 1)
    taught.look()
    assert taught.names() == []
    assert len(taught.names("failed")) == 4
    for path in (taught.path / "failed").glob("*.txt"):
        assert "import-file-too-large" in path.read_text("utf-8-sig")


def test_a_workbook_is_imported_like_the_table_it_is(taught: Post) -> None:
    rows = [each.split(",") for each in (HEADERS, line(1), line(2))]
    taught.put(workbook_files.of_sheets(Sheet("応募者", rows)), "list.XLSX")
    taught.look()
    assert len(taught.office.applicants()) == 3
    assert taught.names("done")[0].endswith(".xlsx")


def test_nobody_signs_in_as_the_folder_or_changes_it(taught: Post) -> None:
    taught.put(table(line(1)))
    taught.look()
    with taught.node.database.reading() as session:
        assert [user.id for user in users.listing(session)] == ["u-recruiter"]
        assert users.names(session)["folder"] == users.FOLDER_NAME
        with pytest.raises(NotThere):
            users.get(session, users.FOLDER_ID)
        stand_in = sessions.candidate_for(session, users.FOLDER_LOGIN)
        assert not users.password_is_right(stand_in, "none")
