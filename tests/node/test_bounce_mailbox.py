"""The mailbox of bounces, against a real IMAP server: read within bounds, marked once recorded."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import text

from node import mail_reader, models
from node.cli.doctor import inside
from node.config import Settings, SettingsInvalid, parse
from node.installation import Node
from node.mail_reader import MailboxUnavailable
from node.services.notices.bounce_mails import MAIL_BYTES_MAX
from node.worker import bounces
from node.worker.bounces import LOOK_S, BounceRounds
from tests.equipment import bounce_files, dovecot
from tests.equipment.certificates import Authority
from tests.equipment.dovecot import MailboxServer
from tests.equipment.notices_room import Room
from tests.equipment.smtp import MailServer

pytestmark = [
    pytest.mark.dovecot,
    pytest.mark.skipif(dovecot.executable() is None, reason="dovecot is not installed"),
]
HUMAN = b"From: a@example.jp\r\nSubject: hello\r\n\r\nThank you.\r\n"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def mailbox(authority: Authority) -> Iterator[MailboxServer]:
    with dovecot.running(authority.certificate("localhost")) as server:
        yield server


def settings_of(folder: Path, url: str, password: str = dovecot.PASSWORD) -> Settings:
    (folder / "password").write_text(f"{password}\n")
    values = {"BOUNCE_MAILBOX": url, "BOUNCE_PASSWORD_FILE": str(folder / "password")}
    values["CA_FILE"] = str(folder / "authority.pem")
    return parse({f"TASUKI_{name}": value for name, value in values.items()})


@dataclass
class Post:
    """A node that has sent notices, and the mailbox to which some come back."""

    room: Room
    node: Node
    sent: list[EmailMessage]

    def look(self, rounds: BounceRounds) -> None:
        rounds.step()
        self.room.clock.move(LOOK_S)

    def states(self) -> list[str]:
        with self.node.database.reading() as session:
            return sorted(row.state for row in session.query(models.Notice))


@pytest.fixture
def post(room: Room, mail_server: MailServer, mailbox: MailboxServer, tmp_path: Path) -> Post:
    room.booked(room.applicants(3), room.template())
    room.clock.move(900)
    room.work()
    theirs = settings_of(tmp_path, mailbox.url)
    settings = replace(
        room.node.settings,
        bounce_mailbox=theirs.bounce_mailbox,
        bounce_password_file=theirs.bounce_password_file,
        ca_file=theirs.ca_file,
    )
    return Post(room, replace(room.node, settings=settings), mail_server.messages)


def test_bounces_of_ours_are_recorded_and_marked_and_nothing_else_is_touched(
    post: Post, mailbox: MailboxServer
) -> None:
    foreign = bounce_files.of(post.sent[0])
    foreign = foreign.changed(original=foreign.original.replace("notice.", "other."))
    garbage = b"Content-Type: multipart/report; report-type=delivery-status\r\n\r\n\xff\xfe"
    large = bounce_files.of(post.sent[2]).data() + b"x" * (2 * MAIL_BYTES_MAX)
    mailbox.deliver(
        HUMAN,
        bounce_files.of(post.sent[0]).data(),
        foreign.data(),
        garbage,
        large,
        bounce_files.of(post.sent[1], action="delayed", status="4.4.1").data(),
    )
    rounds = BounceRounds(post.node)
    post.look(rounds)
    assert post.states() == ["failed", "sent", "sent"]
    assert mailbox.read() == [False, True, False, False, False, True]

    # What is not ours was passed over, and does not stand in the way of what comes later.
    mailbox.deliver(bounce_files.of(post.sent[2]).data())
    post.look(rounds)
    assert post.states() == ["failed", "failed", "sent"]
    assert mailbox.read()[-1]
    with post.node.database.reading() as session:
        told = session.query(models.AuditEntry).filter_by(action="notices.failed")
        assert [each.actor for each in told] == ["worker", "worker"]


def test_nothing_is_marked_before_it_is_recorded_and_again_says_nothing_new(
    post: Post, mailbox: MailboxServer
) -> None:
    mailbox.deliver(bounce_files.of(post.sent[0]).data())
    rounds = BounceRounds(post.node)
    with post.node.database.transaction() as session:
        session.execute(text("ALTER TABLE audit RENAME TO audit_away"))
    with pytest.raises(Exception, match="audit"):
        rounds.step()
    assert mailbox.read() == [False]
    assert post.states() == ["sent"] * 3
    with post.node.database.transaction() as session:
        session.execute(text("ALTER TABLE audit_away RENAME TO audit"))

    post.room.clock.move(LOOK_S)
    post.look(rounds)
    assert (mailbox.read(), post.states()) == ([True], ["failed", "sent", "sent"])
    # Delivered twice: known, and marked all the same.
    mailbox.deliver(bounce_files.of(post.sent[0]).data())
    post.look(rounds)
    assert (mailbox.read(), post.states()) == ([True, True], ["failed", "sent", "sent"])


def test_a_flood_is_read_in_pieces(post: Post, mailbox: MailboxServer) -> None:
    mailbox.deliver(*[bounce_files.of(post.sent[0]).data()] * (bounces.MAILS_MAX + 3))
    rounds = BounceRounds(post.node)
    post.look(rounds)
    assert mailbox.read().count(True) == bounces.MAILS_MAX
    post.look(rounds)
    assert all(mailbox.read())


def test_who_is_not_who_they_say_is_not_spoken_to(
    authority: Authority, mailbox: MailboxServer, tmp_path: Path
) -> None:
    right = settings_of(tmp_path, mailbox.url)
    with mail_reader.opened(right) as reports:
        assert reports.unread(date(2026, 1, 1)) == []
    wrong_name = settings_of(tmp_path, mailbox.url.replace("localhost", "127.0.0.1"))
    for settings in (wrong_name, replace(right, ca_file=None)):
        with pytest.raises(MailboxUnavailable, match="SSL"), mail_reader.opened(settings):
            pass
    for changed in ({"password": "wrong"}, {"url": f"{mailbox.url}/Nowhere"}):
        settings = settings_of(tmp_path, **({"url": mailbox.url} | changed))
        with pytest.raises(MailboxUnavailable), mail_reader.opened(settings):
            pass
    with (
        pytest.raises(SettingsInvalid),
        mail_reader.opened(settings_of(tmp_path, mailbox.url, "あ")),
    ):
        pass


def test_the_doctor_says_whether_the_mailbox_can_be_read(
    mailbox: MailboxServer, tmp_path: Path
) -> None:
    for password, state in ((dovecot.PASSWORD, "ok"), ("wrong", "wrong")):
        settings = settings_of(tmp_path, mailbox.url, password)
        (found,) = [each for each in inside.look(settings) if each.name == "bounces"]
        assert found.state == state
        assert password not in found.text


@contextmanager
def boaster(certificate: Path) -> Iterator[int]:
    """A server that answers everything with the announcement of four gigabytes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with context.wrap_socket(connection, server_side=True) as wrapped:
                wrapped.sendall(b"* OK ready\r\n* 1 FETCH (BODY[] {4294967296}\r\n")
                wrapped.sendall(b"x" * 100_000)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join()


def test_a_server_that_announces_gigabytes_is_not_listened_to(
    authority: Authority, tmp_path: Path
) -> None:
    with boaster(authority.certificate("localhost")) as port:
        settings = settings_of(tmp_path, f"imaps://saiyo@localhost:{port}")
        with pytest.raises(MailboxUnavailable, match="abort"), mail_reader.opened(settings):
            pass
