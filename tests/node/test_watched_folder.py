"""The watched folder as a place: who may write there can neither lead us out nor lose a file."""

import os
from pathlib import Path

import pytest

from node.cli.doctor import inside
from node.config import parse
from node.watched_folder import WatchedFolder

DIGEST = bytes(range(32))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "import"
    path.mkdir(mode=0o770)
    path.chmod(0o2770)
    return path


def at_rest(path: Path) -> list[str]:
    folder = WatchedFolder(path)
    for _ in range(2):
        with folder.opened() as look:
            found = list(look.at_rest)
    return found


def names(room: Path) -> list[str]:
    return sorted(each.name for each in room.iterdir() if each.is_file())


def test_links_pipes_folders_and_hidden_files_are_passed_over(path: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_bytes(b"secret")
    (path / "link.csv").symlink_to(secret)
    os.mkfifo(path / "pipe.csv")
    (path / "room.csv").mkdir()
    for name in (".hidden.csv", "~$open.xlsx", "list.part", "list", "b.tsv", "a.CSV"):
        (path / name).write_bytes(b"x")
    assert sorted(at_rest(path)) == ["a.CSV", "b.tsv"]


def test_a_file_is_at_rest_once_a_second_look_finds_it_unchanged(path: Path) -> None:
    folder, file = WatchedFolder(path), path / "a.csv"
    file.write_bytes(b"one")
    for change in (lambda: file.write_bytes(b"longer"), lambda: os.utime(file, (1, 1))):
        with folder.opened() as look:
            assert not look.at_rest
        change()
    with folder.opened() as look:
        assert not look.at_rest
    with folder.opened() as look:
        assert list(look.at_rest) == ["a.csv"]


@pytest.mark.parametrize("kind", ["link", "pipe", "other", "gone"])
def test_what_took_the_place_of_a_file_at_rest_is_not_opened(
    path: Path, tmp_path: Path, kind: str
) -> None:
    secret, file = tmp_path / "secret.csv", path / "a.csv"
    secret.write_bytes(b"secret")
    file.write_bytes(b"x")
    folder = WatchedFolder(path)
    with folder.opened():
        pass
    with folder.opened() as look:
        assert list(look.at_rest) == ["a.csv"]
        file.unlink()
        if kind == "link":
            file.symlink_to(secret)
        elif kind == "pipe":
            os.mkfifo(file)
        elif kind == "other":
            file.write_bytes(b"y")
        with look.open("a.csv") as opened:
            assert opened is None


def test_a_newer_file_of_the_same_name_is_not_put_away_unread(path: Path) -> None:
    file, fresh = path / "a.csv", path / "a.part"
    file.write_bytes(b"old")
    folder = WatchedFolder(path)
    with folder.opened():
        pass
    with folder.opened() as look, look.open("a.csv") as opened:
        assert opened is not None
        fresh.write_bytes(b"new")
        fresh.rename(file)
        assert b"".join(opened.pieces()) == b"old"
        look.put(opened, "done", DIGEST, "words\n")
    assert file.read_bytes() == b"new"
    assert names(path / "done") == []


def test_a_room_that_is_a_link_is_not_used(path: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (path / "failed").symlink_to(elsewhere)
    with pytest.raises(OSError, match="failed"), WatchedFolder(path).opened():
        pass
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["a.csv", "-rf\n; rm .csv", "あ" * 80 + ".csv", " .csv", b"\xff\xfe.csv"]
)
def test_a_file_is_put_away_under_a_name_that_harms_nobody(path: Path, name: str | bytes) -> None:
    written = os.fsdecode(name)
    (path / written).write_bytes(b"x")
    folder = WatchedFolder(path)
    for _ in range(2):
        with folder.opened() as look:
            for found in look.at_rest:
                with look.open(found) as file:
                    assert file is not None
                    look.put(file, "done", DIGEST, "a\nb\n")
    moved, report = names(path / "done")
    assert moved.isprintable()
    assert moved[0] not in ".-~ "
    assert moved.endswith("-0001020304050607.csv")
    assert len(report.encode()) <= 255
    assert (path / "done" / report).read_bytes() == b"\xef\xbb\xbfa\r\nb\r\n"


def test_the_doctor_says_whether_the_folder_can_be_used(path: Path, tmp_path: Path) -> None:
    for folder, state in ((path, "ok"), (tmp_path / "none", "wrong")):
        names = {"DATA_DIR": str(tmp_path), "IMPORT_FOLDER": str(folder)}
        # No mail server is looked for, so that nothing waits for one.
        names["SMTP_URL"] = "smtp://127.0.0.1:1"
        settings = parse({f"TASUKI_{name}": value for name, value in names.items()})
        (found,) = [each for each in inside.look(settings) if each.name == "folder"]
        assert found.state == state


def test_who_may_put_files_down_may_read_what_came_of_them(path: Path) -> None:
    (path / "a.csv").write_bytes(b"x")
    old = os.umask(0o077)
    try:
        folder = WatchedFolder(path)
        for _ in range(2):
            with folder.opened() as look:
                for found in look.at_rest:
                    with look.open(found) as file:
                        assert file is not None
                        look.put(file, "failed", DIGEST, "why\n")
    finally:
        os.umask(old)
    assert (path / "failed").stat().st_mode & 0o7777 == 0o2770
    (report,) = (path / "failed").glob("*.txt")
    assert report.stat().st_mode & 0o777 == 0o660
