"""The mail outbox: sealed, sent once, tried again when it makes sense, forgotten when sent."""

from sqlalchemy import select

from node import models
from node.services import mailing
from node.worker.notices import send_due_mails
from tests.equipment.notices_room import Room
from tests.equipment.smtp import MailServer


def enqueued(room: Room, to: str = "person@example.jp", **more: object) -> str:
    with room.node.database.transaction() as session:
        return mailing.enqueue(
            session,
            room.node.context,
            to=to,
            subject="確認コード",
            text="コードは 123456 です。",
            purpose="code",
            **more,  # type: ignore[arg-type]
        )


def row(room: Room, mail_id: str) -> models.MailEntry:
    with room.node.database.reading() as session:
        return session.scalars(select(models.MailEntry).filter_by(id=mail_id)).one()


def test_a_mail_is_sent_once_and_its_words_are_forgotten(
    room: Room, mail_server: MailServer
) -> None:
    mail_id = enqueued(room)
    blob = row(room, mail_id).message_blob
    assert blob is not None
    assert b"123456" not in blob
    assert b"person@example.jp" not in blob

    assert send_due_mails(room.node) == 1
    assert send_due_mails(room.node) == 0

    (mail,) = mail_server.messages
    assert mail["To"] == "person@example.jp"
    assert "123456" in mail.get_content()
    sent = row(room, mail_id)
    assert ("sent", None, room.clock.now()) == (sent.state, sent.message_blob, sent.sent_at)


def test_a_mail_waits_for_its_time(room: Room, mail_server: MailServer) -> None:
    enqueued(room, not_before=room.clock.now() + 100)
    assert send_due_mails(room.node) == 0
    room.clock.move(100)
    assert send_due_mails(room.node) == 1
    assert len(mail_server.messages) == 1


def test_a_refused_address_is_given_up_and_the_others_leave(
    room: Room, mail_server: MailServer
) -> None:
    mail_server.refused.add("gone@example.jp")
    gone = enqueued(room, "gone@example.jp")
    enqueued(room)
    assert send_due_mails(room.node) == 2
    refused = row(room, gone)
    assert (refused.state, refused.error_code) == ("failed", "recipient-refused")
    assert len(mail_server.messages) == 1


def test_a_busy_server_is_asked_again_later_and_later(room: Room, mail_server: MailServer) -> None:
    mail_id = enqueued(room)
    mail_server.busy = True
    for wait in mailing.BACK_OFF_S:
        assert send_due_mails(room.node) == 1
        assert send_due_mails(room.node) == 0, "it waits"
        assert row(room, mail_id).next_attempt_at == room.clock.now() + wait
        room.clock.move(wait)
    mail_server.busy = False
    assert send_due_mails(room.node) == 1
    assert len(mail_server.messages) == 1


def test_a_server_that_never_takes_it_ends_the_tries(room: Room, mail_server: MailServer) -> None:
    mail_id = enqueued(room)
    mail_server.busy = True
    tries = 0
    while row(room, mail_id).state == "queued":
        tries += send_due_mails(room.node)
        room.clock.move(mailing.BACK_OFF_S[-1])
    assert tries == mailing.ATTEMPTS_MAX
    assert row(room, mail_id).state == "failed"


def test_a_mail_under_lease_is_taken_by_nobody_else_until_the_lease_ends(room: Room) -> None:
    enqueued(room)
    with room.node.database.transaction() as session:
        (first,) = mailing.lease_due(session, room.node.context)
    with room.node.database.transaction() as session:
        assert mailing.lease_due(session, room.node.context) == []
    room.clock.move(mailing.LEASE_S)
    with room.node.database.transaction() as session:
        (second,) = mailing.lease_due(session, room.node.context)
    assert first.message_id == second.message_id, "the same mail, recognisably"
    assert first.lease != second.lease


def test_a_late_failure_of_a_lost_lease_does_not_touch_the_new_one(room: Room) -> None:
    mail_id = enqueued(room)
    context = room.node.context
    with room.node.database.transaction() as session:
        (first,) = mailing.lease_due(session, context)
    room.clock.move(mailing.LEASE_S)
    with room.node.database.transaction() as session:
        (second,) = mailing.lease_due(session, context)
        mailing.record_failed(session, context, first, "mail-refused", for_good=True)
    assert ("queued", second.lease) == (row(room, mail_id).state, row(room, mail_id).lease)


def test_no_more_mails_leave_in_an_hour_than_the_settings_say(
    room: Room, mail_server: MailServer
) -> None:
    limit = room.node.settings.mails_per_hour
    with room.node.database.transaction() as session:
        session.add_all(
            models.MailEntry(
                id=f"m{number}",
                kind="code",
                message_blob=None,
                state="sent",
                next_attempt_at=0,
                created_at=0,
                sent_at=room.clock.now() - 60,
            )
            for number in range(limit - 1)
        )
    enqueued(room)
    enqueued(room, "second@example.jp")
    assert send_due_mails(room.node) == 1
    assert send_due_mails(room.node) == 0
    room.clock.move(3600)
    assert send_due_mails(room.node) == 1
