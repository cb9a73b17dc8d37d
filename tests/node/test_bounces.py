"""Bounces: a mail that came back is found by its Message-ID; garbage and lies change nothing."""

from contextlib import suppress
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from node import models
from node.services import applicants, audit
from node.services.notices import bounce_mails, bounces, reports, resend_failed, untold
from node.services.notices.refusals import NotABounce
from tests.equipment import bounce_files
from tests.equipment.notices_room import Room
from tests.equipment.smtp import MailServer


@pytest.fixture
def sent(room: Room, mail_server: MailServer) -> list[EmailMessage]:
    """Three notices that the mail server took, of one batch."""
    room.booked(room.applicants(3), room.template())
    room.clock.move(900)
    room.work()
    assert len(mail_server.messages) == 3
    return sorted(mail_server.messages, key=lambda mail: str(mail["To"]))


def receive(room: Room, data: bytes) -> str:
    with room.node.database.transaction() as session:
        return bounces.receive(session, room.node.context, bounce_mails.parse(data))


def everything(room: Room) -> list[tuple[str, ...]]:
    tables = (models.Notice, models.NoticeBatch, models.Applicant, models.AuditEntry)
    with room.node.database.reading() as session:
        return [
            tuple(str(value) for name, value in sorted(vars(row).items()) if name[0] != "_")
            for table in tables
            for row in session.scalars(select(table).order_by(table.id))
        ]


def notice_of(room: Room, mail: EmailMessage) -> models.Notice:
    notice_id = str(mail["Message-ID"]).partition("notice.")[2].partition("@")[0]
    with room.node.database.reading() as session:
        return session.get_one(models.Notice, notice_id)


def test_a_mail_that_came_back_is_a_failure_and_its_reader_is_not_told(
    room: Room, sent: list[EmailMessage]
) -> None:
    assert receive(room, bounce_files.of(sent[0]).data()) == bounces.FAILED
    notice = notice_of(room, sent[0])
    assert (notice.state, notice.error, notice.bounce_status) == ("failed", "bounced", "5.1.1")
    assert room.states(notice.batch_id) == {"failed": 1, "sent": 2}
    with room.node.database.reading() as session:
        view = reports.one(session, notice.batch_id)
        assert (view.sent, view.failed, view.state) == (2, 1, "sent")
        applicant = session.get_one(models.Applicant, notice.applicant_id)
        assert applicant.notified_at is None
        silent = untold.page(session, room.node.context, 0).rows
        assert [(each.entry.row.id, each.state) for each in silent] == [(applicant.id, "failed")]
        entry = session.scalars(select(models.AuditEntry).order_by(models.AuditEntry.id)).all()[-1]
        assert (entry.action, entry.subject) == ("notices.failed", notice.id)
        assert "person" not in f"{entry.subject}{entry.detail}"
        assert audit.verify(session) is None


def test_a_delay_is_only_a_note(room: Room, sent: list[EmailMessage]) -> None:
    late = bounce_files.of(sent[0], action="delayed", status="4.4.1 (no answer)")
    assert receive(room, late.data()) == bounces.DELAYED
    notice = notice_of(room, sent[0])
    assert (notice.state, notice.error, notice.bounce_status) == ("sent", None, "4.4.1")
    with room.node.database.reading() as session:
        assert session.get_one(models.Applicant, notice.applicant_id).notified_at is not None
        held = reports.delayed(session, room.node.context, notice.batch_id)
        assert [each.id for each in held] == [notice.id]
    # The server gave up in the end: no attempt follows "failed", whatever the status.
    assert receive(room, late.changed(action="failed", status="4.4.7").data()) == bounces.FAILED
    assert notice_of(room, sent[0]).bounce_status == "4.4.7"


def test_the_same_mailbox_read_twice_says_nothing_new(room: Room, sent: list[EmailMessage]) -> None:
    data = bounce_files.of(sent[0], action="delayed", status="4.4.1").data()
    assert receive(room, data) == bounces.DELAYED
    before = everything(room)
    assert receive(room, data) == bounces.KNOWN
    assert everything(room) == before


def test_what_is_sent_again_is_not_struck_by_the_old_bounce(
    room: Room, sent: list[EmailMessage], mail_server: MailServer
) -> None:
    data = bounce_files.of(sent[0]).data()
    receive(room, data)
    batch = notice_of(room, sent[0]).batch_id
    with room.node.database.transaction() as session:
        resend_failed(session, room.node.context, batch, user_id=room.recruiter)
    assert receive(room, data) == bounces.KNOWN
    room.clock.move(3600)
    room.work()
    assert notice_of(room, sent[0]).bounce_status is None
    before = everything(room)
    assert receive(room, data) == bounces.KNOWN
    # Another copy of it, which the other server wrote before the second mail left.
    copy = bounce_files.of(sent[0], status="5.2.2").data()
    assert receive(room, copy) == bounces.KNOWN
    assert everything(room) == before
    later = bounce_files.of(sent[0], date="Wed, 25 Nov 2026 12:30:00 +0900").data()
    assert receive(room, later) == bounces.FAILED


def test_an_address_that_forwards_is_recognised_by_the_mail_that_came_back(
    room: Room, sent: list[EmailMessage]
) -> None:
    forwarded = bounce_files.of(sent[0], final="taro@elsewhere.example.com")
    assert receive(room, forwarded.data()) == bounces.FAILED


def test_a_whole_mail_may_come_back_instead_of_its_headers(
    room: Room, sent: list[EmailMessage]
) -> None:
    whole = bounce_files.of(sent[0], third="message/rfc822")
    assert receive(room, whole.data()) == bounces.FAILED


def test_whoever_opened_the_link_has_the_mail(room: Room, sent: list[EmailMessage]) -> None:
    notice = notice_of(room, sent[0])
    with room.node.database.transaction() as session:
        link = session.get_one(models.Link, notice.link_id)
        link.opened_at = room.clock.now()
    before = everything(room)
    assert receive(room, bounce_files.of(sent[0]).data()) == bounces.OPENED
    assert everything(room) == before


def test_a_forged_bounce_changes_nothing(room: Room, sent: list[EmailMessage]) -> None:
    real = bounce_files.of(sent[0])
    own = str(sent[0]["Message-ID"])
    stranger = real.original.replace(str(sent[0]["To"]), "stranger@example.jp")
    lies = [
        # Somebody we never wrote to, though the Message-ID is known from a forwarded letter.
        real.changed(original=stranger, final="stranger@example.jp"),
        # Another of the same batch, with one's own Message-ID.
        real.changed(original=stranger.replace("stranger", "person2"), final="person2@example.jp"),
        real.changed(original=real.original.replace(own, own.replace("notice.", "mail."))),
        real.changed(original=real.original.replace(own, own.replace("@", "@evil."))),
        real.changed(original=real.original.replace(own, f"<notice.{'0' * 32}@127.0.0.1>")),
        real.changed(original=real.original.replace(own, "<notice.@127.0.0.1>")),
    ]
    before = everything(room)
    for lie in lies:
        assert receive(room, lie.data()) == bounces.UNKNOWN, lie
    assert everything(room) == before


def test_a_bounce_of_a_notice_that_was_never_sent_changes_nothing(
    room: Room, sent: list[EmailMessage]
) -> None:
    room.booked(room.applicants(1, first=50), room.template(name="別"))
    with room.node.database.reading() as session:
        queued = session.scalar(select(models.Notice.id).where(models.Notice.state == "queued"))
    real = bounce_files.of(sent[0])
    other = real.original.replace(notice_of(room, sent[0]).id, str(queued))
    address = "person50@example.jp"
    lie = real.changed(original=other.replace("person1@example.jp", address), final=address)
    assert receive(room, lie.data()) == bounces.UNKNOWN


@pytest.mark.parametrize(
    "changed",
    [
        {"report": "multipart/mixed"},
        {"report": "multipart/report; report-type=disposition-notification"},
        {"action": "delivered", "status": "2.0.0"},
        {"action": "relayed"},
        {"action": "failed\nAction: delayed"},
        {"action": "failed", "status": "2.0.0"},
        {"status": "5.1"},
        {"status": "five"},
        {"third": "application/octet-stream"},
        {"original": "To: person1@example.jp"},
        {"original": "Message-ID: <a@b>\nMessage-ID: <c@d>"},
        {"original": "Message-ID: nothing"},
    ],
)
def test_a_mail_that_is_no_bounce_is_refused(
    room: Room, sent: list[EmailMessage], changed: dict[str, str]
) -> None:
    before = everything(room)
    with pytest.raises(NotABounce):
        receive(room, bounce_files.of(sent[0], **changed).data())
    assert everything(room) == before


def test_a_mail_larger_than_any_bounce_is_not_read(sent: list[EmailMessage]) -> None:
    data = bounce_files.of(sent[0]).data()
    with pytest.raises(NotABounce):
        bounce_mails.parse(data + b"x" * bounce_mails.MAIL_BYTES_MAX)


def test_the_erased_are_unknown(room: Room, sent: list[EmailMessage]) -> None:
    notice = notice_of(room, sent[0])
    with room.node.database.transaction() as session:
        person = session.get_one(models.Applicant, notice.applicant_id).person_id
        applicants.erase(session, room.node.context, person)
    assert receive(room, bounce_files.of(sent[0]).data()) == bounces.UNKNOWN


GOOD = bounce_files.Bounce(
    original="To: a@example.jp\nMessage-ID: <notice.0@127.0.0.1>", final="a@example.jp"
).data()


@given(st.binary(max_size=300), st.integers(0, len(GOOD)), st.integers(0, 40))
def test_garbage_is_a_bounce_or_none(data: bytes, at: int, cut: int) -> None:
    for mail in (data, GOOD[:at] + data + GOOD[at + cut :]):
        with suppress(NotABounce):
            found = bounce_mails.parse(mail)
            assert found.action in bounce_mails.ACTIONS
            assert found.status[0] in "45"


def test_deep_nesting_is_no_bounce() -> None:
    deep = b"".join(
        b'Content-Type: multipart/report; report-type=delivery-status; boundary="%d"\n\n--%d\n'
        % (at, at)
        for at in range(3000)
    )
    with pytest.raises(NotABounce):
        bounce_mails.parse(deep)
    with pytest.raises(NotABounce):
        bounce_mails.parse(b"Content-Type: message/rfc822\n\n" * 5000)


@pytest.mark.parametrize("layers", [1, 40])
def test_what_came_back_in_many_layers_is_refused_before_it_costs_minutes(layers: int) -> None:
    nested = "".join(
        f"Content-Type: Multipart/mixed; boundary=b{at}\n\n--b{at}\n" for at in range(layers)
    )
    own = f"Message-ID: <notice.{'0' * 32}@127.0.0.1>\nTo: person1@example.jp\n{nested}"
    bounce = bounce_files.Bounce(own, "person1@example.jp", third="message/rfc822").data()
    if layers == 1:
        assert bounce_mails.parse(bounce).status == "5.1.1"
        return
    with pytest.raises(NotABounce):
        bounce_mails.parse(bounce)


def test_a_parameter_that_goes_on_for_ever_is_refused_before_it_costs_minutes() -> None:
    semicolons = b";" * 500_000
    for broken in (b"", b"\r\n ", b"\r "):
        head = b'Content-Type: multipart/report; report-type=delivery-status; x="' + broken
        with pytest.raises(NotABounce):
            bounce_mails.parse(head + semicolons + b"\r\n\r\n")
