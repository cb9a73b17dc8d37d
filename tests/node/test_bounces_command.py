"""`tasuki notices bounces`: every kind of mailbox is read, none is changed."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from node.cli import main
from node.services.notices.bounce_mails import MAIL_BYTES_MAX
from tests.equipment import bounce_files
from tests.equipment.notices_room import Room
from tests.equipment.smtp import MailServer

OTHER = b"Subject: hello\r\n\r\nFrom here on it is a letter.\r\n\r\nFrom afar\r\n"
NOTHING = dict.fromkeys(("delayed", "failed", "known", "no_bounce", "opened", "unknown"), 0)


@pytest.fixture
def mails(room: Room, mail_server: MailServer) -> list[bytes]:
    """Two that came back, one delayed, one of a mail that is not ours, and a letter."""
    room.booked(room.applicants(3), room.template())
    room.clock.move(900)
    room.work()
    first, second, third = mail_server.messages
    foreign = bounce_files.of(first)
    foreign = foreign.changed(original=foreign.original.replace("notice.", "other."))
    return [
        bounce_files.of(first).data(),
        bounce_files.of(second, status="5.2.2").data(),
        bounce_files.of(third, action="delayed", status="4.4.1").data(),
        foreign.data(),
    ]


def run(room: Room, *words: str) -> Result:
    return CliRunner().invoke(main, ["notices", "bounces", *words], env=dict(room.environment))


def counts(room: Room, path: Path) -> dict[str, int]:
    done = run(room, str(path), "--json")
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.output))


def put(kind: str, folder: Path, mails: list[bytes]) -> Path:
    if kind == "mbox":
        path = folder / "mbox"
        path.write_bytes(bounce_files.mbox(*mails))
        return path
    path = folder / kind
    for at, mail in enumerate(mails):
        name = path / f"{at}.eml" if kind == "eml" else path / ("new", "cur")[at % 2] / f"{at}.host"
        name.parent.mkdir(parents=True, exist_ok=True)
        name.write_bytes(mail)
    return path


@pytest.mark.parametrize("kind", ["mbox", "maildir", "eml"])
def test_every_kind_of_mailbox_is_read_and_left_as_it_was(
    room: Room, mails: list[bytes], tmp_path: Path, kind: str
) -> None:
    path = put(kind, tmp_path / "mail" if kind != "mbox" else tmp_path, [*mails, b"", b"\xff" * 90])
    kept = {each: each.read_bytes() for each in tmp_path.rglob("mail/**/*") if each.is_file()}
    assert counts(room, path) == NOTHING | {
        "failed": 2, "delayed": 1, "unknown": 1, "no_bounce": 2,
    }  # fmt: skip
    assert counts(room, path) == NOTHING | {"known": 3, "unknown": 1, "no_bounce": 2}
    assert kept == {each: each.read_bytes() for each in kept}


def test_one_mail_is_read_too_and_the_answer_is_in_words(
    room: Room, mails: list[bytes], tmp_path: Path
) -> None:
    (tmp_path / "one.eml").write_bytes(mails[0])
    done = run(room, str(tmp_path / "one.eml"))
    assert done.exit_code == 0
    assert "1 mails read" in done.output
    assert "1 came back" in done.output
    # Nobody's address is printed.
    assert "example.jp" not in done.output


def test_a_letter_that_begins_a_line_with_from_is_still_one_or_no_bounce(
    room: Room, mails: list[bytes], tmp_path: Path
) -> None:
    path = tmp_path / "mbox"
    path.write_bytes(bounce_files.mbox(OTHER, mails[0]))
    found = counts(room, path)
    assert found["failed"] == 1
    assert found["no_bounce"] >= 1


def test_a_mail_that_is_far_too_large_hides_no_other(
    room: Room, mails: list[bytes], tmp_path: Path
) -> None:
    path = tmp_path / "mbox"
    large = b"Subject: large\r\n\r\n" + b"x" * (3 * MAIL_BYTES_MAX) + b"\r\n"
    path.write_bytes(bounce_files.mbox(large, mails[0]))
    assert counts(room, path) == NOTHING | {"failed": 1, "no_bounce": 1}


def test_a_first_line_without_end_is_passed_over_in_pieces(
    room: Room, mails: list[bytes], tmp_path: Path
) -> None:
    path = tmp_path / "mbox"
    path.write_bytes(b"From " + b"x" * (3 * MAIL_BYTES_MAX))
    assert counts(room, path) == NOTHING | {"no_bounce": 1}
    with path.open("ab") as file:
        file.write(b"\n" + mails[0] + b"\n" + bounce_files.mbox(mails[1]))
    assert counts(room, path) == NOTHING | {"failed": 2}


def test_a_mailbox_that_is_not_there_is_wrong_words(room: Room, tmp_path: Path) -> None:
    assert run(room, str(tmp_path / "nowhere")).exit_code == 2
