"""Notices: one letter for each person, approved by another one, in time, and stopped in time."""

import pytest
from sqlalchemy import select

from node import models
from node.refusals import Refusal
from node.services import applicants, links, notices, templates
from node.services.notices import reports
from tests.equipment.notices_room import LINK, MORNING, SENDER, Room, at, text_of
from tests.equipment.smtp import MailServer


def everything(room: Room) -> list[tuple[object, ...]]:
    """Every batch, notice and link as stored, to see that a refusal changed nothing."""
    with room.node.database.reading() as session:
        return [
            tuple(str(value) for name, value in sorted(vars(row).items()) if name[0] != "_")
            for table in (models.NoticeBatch, models.Notice, models.Link, models.Applicant)
            for row in session.scalars(select(table).order_by(table.id))
        ]


def test_every_person_gets_one_letter_with_one_link_of_their_own(
    room: Room, mail_server: MailServer
) -> None:
    ids = room.applicants(12)
    batch = room.booked(ids, room.template())
    assert room.work() == 0, "the cancel window is open"
    room.clock.move(900)
    assert room.work() == 12

    assert len(mail_server.messages) == 12
    tokens = set()
    for mail in mail_server.messages:
        assert mail["To"].count("@") == 1
        assert mail["Cc"] is None
        assert mail["Bcc"] is None
        assert mail.get_content_type() == "text/plain"
        (token,) = LINK.findall(text_of(mail))
        tokens.add(token)
    assert len(tokens) == 12
    with room.node.database.reading() as session:
        for token in tokens:
            link = links.find(session, room.node.context, token)
            assert link.expires_at == MORNING + 900 + links.LIFE_S
    assert room.states(batch) == {"sent": 12}
    assert room.progress(batch).is_over


def test_a_letter_says_who_sends_it_and_how_to_hear_no_more(
    room: Room, mail_server: MailServer
) -> None:
    (applicant,) = room.applicants(1)
    room.booked([applicant], room.template())
    room.clock.move(900)
    room.work()

    (mail,) = mail_server.messages
    text = text_of(mail)
    assert mail["Subject"] == "【株式会社aoba】営業職 選考結果のご連絡"
    assert mail["Reply-To"] == SENDER.email
    assert "saiyo@aoba.example.jp" in mail["From"]
    assert text.startswith("試験 太郎1 様\n")
    for said in (
        "株式会社aoba",
        "東京都港区芝1-1-1",
        SENDER.name,
        SENDER.department,
        SENDER.phone,
        SENDER.email,
        "一次面接",
        "2027年2月23日まで有効",
        "2027年5月24日までに廃棄",
        "今後ご案内不要",
    ):
        assert said in text
    assert "{{" not in text


def test_english_letters_are_english_throughout(room: Room, mail_server: MailServer) -> None:
    ids = room.applicants(1)
    room.booked(ids, room.template(templates.default_for("en")))
    room.clock.move(900)
    room.work()
    text = text_of(mail_server.messages[0])
    assert "(open until 23 February 2027)" in text
    assert "To receive no further invitations" in text
    assert "Telephone: 03-1234-5678" in text


def test_easy_letters_are_easy_to_their_last_line(room: Room, mail_server: MailServer) -> None:
    ids = room.applicants(1)
    room.booked(ids, room.template(templates.default_for("ja-easy")))
    room.clock.move(900)
    room.work()
    text = text_of(mail_server.messages[0])
    assert "いっしょに働くことができません。" in text
    assert "（2027年2月23日まで使うことができます）" in text
    assert "電話：03-1234-5678" in text
    for office_word in ("いただ", "ございます", "弊社", "貴社", "ご応募"):
        assert office_word not in text


def test_one_missing_value_sends_nothing_and_names_everybody_it_misses(
    room: Room, mail_server: MailServer
) -> None:
    ids = room.applicants(3)
    gaps = room.applicants(2, first=10, family="", job="")
    batch = room.draft(ids + gaps, room.template())
    with room.node.database.reading() as session:
        found = notices.review(session, room.node.context, notices.get(session, batch))
    assert {one.applicant_id for one in found.missing} == set(gaps)
    assert {one.variables for one in found.missing} == {("姓", "求人名")}

    before = everything(room)
    with pytest.raises(notices.ValuesMissing) as refused:
        room.request(batch)
    assert refused.value.code == "values-missing"
    assert everything(room) == before
    room.clock.move(86_400)
    assert room.work() == 0
    assert mail_server.messages == []


def test_a_value_that_went_missing_while_it_waited_stops_the_approval(room: Room) -> None:
    ids = room.applicants(10)
    batch = room.draft(ids, room.template())
    room.request(batch)
    with room.node.database.transaction() as session:
        applicants.get(session, ids[0]).job = ""
    before = everything(room)
    with pytest.raises(notices.ValuesMissing):
        room.approve(batch)
    assert everything(room) == before


def test_the_same_person_can_never_approve(room: Room) -> None:
    batch = room.draft(room.applicants(10), room.template())
    assert room.request(batch, user=room.approver) == "waiting_approval"
    before = everything(room)
    with pytest.raises(notices.ApprovalBySamePerson) as refused:
        room.approve(batch, user=room.approver)
    assert refused.value.code == "approval-same-person"
    assert everything(room) == before
    room.approve(batch, user=room.recruiter)


def test_below_the_limit_no_second_person_is_asked(room: Room) -> None:
    assert room.request(room.draft(room.applicants(9), room.template())) == "approved"


def test_nothing_waits_for_approval_and_leaves_without_it(
    room: Room, mail_server: MailServer
) -> None:
    batch = room.draft(room.applicants(10), room.template())
    room.request(batch)
    room.clock.move(86_400)
    assert room.work() == 0
    assert mail_server.messages == []
    assert room.states(batch) == {"waiting": 10}


def test_a_batch_given_back_is_a_draft_again(room: Room) -> None:
    batch = room.draft(room.applicants(10), room.template())
    room.request(batch)
    with room.node.database.transaction() as session:
        notices.give_back(session, room.node.context, batch, user_id=room.approver)
    assert room.states(batch) == {"draft": 10}
    with pytest.raises(notices.BatchNotWaiting):
        room.approve(batch)
    assert room.request(batch) == "waiting_approval"


def test_what_changed_since_it_was_looked_at_is_refused(room: Room) -> None:
    ids = room.applicants(3)
    batch = room.draft(ids, room.template())
    with room.node.database.reading() as session:
        seen = notices.review(session, room.node.context, notices.get(session, batch)).digest
    room.applicants(1, status="active")  # the same file again: the first person is back
    before = everything(room)
    with pytest.raises(notices.BatchChanged) as refused:
        room.request(batch, digest=seen)
    assert refused.value.code == "batch-changed"
    assert everything(room) == before


def test_cancelling_inside_the_window_stops_every_mail(room: Room, mail_server: MailServer) -> None:
    ids = room.applicants(12)
    batch = room.booked(ids, room.template())
    room.clock.move(899)
    with room.node.database.transaction() as session:
        notices.cancel(session, room.node.context, batch, user_id=room.recruiter)
    room.clock.move(86_400)
    assert room.work() == 0
    assert mail_server.messages == []
    assert room.states(batch) == {"cancelled": 12}
    with room.node.database.reading() as session:
        assert all(link.revoked_at for link in session.scalars(select(models.Link)))
    # What was cancelled can be said again.
    assert room.request(room.draft(ids, room.template(name="二度目"))) == "waiting_approval"


def test_who_is_back_in_the_selection_inside_the_window_gets_no_mail(
    room: Room, mail_server: MailServer
) -> None:
    ids = room.applicants(3)
    batch = room.booked(ids, room.template())
    room.clock.move(600)
    # The recruiting system's next file says otherwise of the second one.
    assert room.applicants(1, first=2, status="active", rejected_on=None) == []
    room.clock.move(300)
    assert room.work() == 2
    assert len(mail_server.messages) == 2
    assert room.states(batch) == {"sent": 2, "cancelled": 1}
    with room.node.database.reading() as session:
        stopped = session.scalars(
            select(models.Notice).where(models.Notice.state == "cancelled")
        ).one()
        assert stopped.error == "not_rejected"
        assert [link.revoked_at is not None for link in session.scalars(select(models.Link))].count(
            True
        ) == 1


def test_the_same_file_once_more_brings_no_second_mail(room: Room, mail_server: MailServer) -> None:
    ids = room.applicants(3)
    room.booked(ids, room.template())
    room.clock.move(900)
    room.work()
    assert room.applicants(3) == []
    with pytest.raises(Refusal):
        room.booked(ids, room.template(name="二度目"))
    room.clock.move(86_400)
    assert (room.work(), len(mail_server.messages)) == (0, 3)


def test_cancelling_after_the_first_mail_is_refused_and_changes_nothing(
    room: Room, mail_server: MailServer
) -> None:
    batch = room.booked(room.applicants(12), room.template())
    room.clock.move(900)
    room.work()
    before = everything(room)
    with (
        pytest.raises(notices.CancelTooLate) as refused,
        room.node.database.transaction() as session,
    ):
        notices.cancel(session, room.node.context, batch, user_id=room.recruiter)
    assert refused.value.code == "cancel-too-late"
    assert everything(room) == before
    assert len(mail_server.messages) == 12


@pytest.mark.parametrize(
    ("now", "wished", "leaves"),
    [
        ("2026-11-25 11:00", None, "2026-11-25 11:15"),
        ("2026-11-25 17:50", None, "2026-11-26 10:00"),
        ("2026-11-20 17:50", None, "2026-11-24 10:00"),
        ("2026-11-25 11:00", "2026-11-28 12:00", "2026-11-30 10:00"),
        ("2026-11-25 11:00", "2026-11-26 15:30", "2026-11-26 15:30"),
    ],
)
def test_a_batch_leaves_in_office_hours_after_the_cancel_window(
    room: Room, now: str, wished: str | None, leaves: str
) -> None:
    template = room.template()
    ids = room.applicants(10)
    room.clock.move(at(now) - room.clock.now())
    batch = room.draft(ids, template, wished_at=at(wished) if wished else None)
    room.request(batch)
    assert room.approve(batch) == at(leaves)


def test_what_is_left_at_six_waits_for_the_morning(room: Room, mail_server: MailServer) -> None:
    batch = room.booked(room.applicants(3), room.template())
    room.clock.move(at("2026-11-25 18:00") - room.clock.now())
    assert room.work() == 0
    room.clock.move(at("2026-11-26 10:00") - room.clock.now())
    assert room.work() == 3
    assert room.states(batch) == {"sent": 3}


def test_a_booking_too_far_ahead_is_refused(room: Room) -> None:
    template = room.template()
    batch = room.draft(room.applicants(1), template)
    wish = notices.Wish(template, SENDER, wished_at=room.clock.now() + 31 * 86_400)
    before = everything(room)
    with (
        pytest.raises(notices.BookingTooFar),
        room.node.database.transaction() as session,
    ):
        notices.change(session, room.node.context, batch, wish, user_id=room.recruiter)
    assert everything(room) == before


def test_failures_are_listed_and_sent_again_with_the_same_link(
    room: Room, mail_server: MailServer
) -> None:
    mail_server.refused.update({"person2@example.jp", "person5@example.jp"})
    batch = room.booked(room.applicants(6), room.template())
    room.clock.move(900)
    room.work()
    with room.node.database.reading() as session:
        failed, _ = reports.notices(session, room.node.context, batch, states=("failed",))
    assert {one.email for one in failed} == {"person2@example.jp", "person5@example.jp"}
    assert {one.reason for one in failed} == {"recipient-refused"}
    with room.node.database.reading() as session:
        before = {link.id: link.token_hash for link in session.scalars(select(models.Link))}

    mail_server.refused.clear()
    with room.node.database.transaction() as session:
        notices.resend_failed(session, room.node.context, batch, user_id=room.recruiter)
    room.work()
    assert room.states(batch) == {"sent": 6}
    assert len(mail_server.messages) == 6, "the other four were not written to again"
    with room.node.database.reading() as session:
        assert before == {link.id: link.token_hash for link in session.scalars(select(models.Link))}


def test_a_mail_server_that_is_away_costs_no_try_and_no_mail(
    room: Room, mail_server: MailServer
) -> None:
    batch = room.booked(room.applicants(5), room.template())
    room.clock.move(900)
    mail_server.busy = True
    room.work()
    assert room.states(batch) == {"queued": 5}
    mail_server.busy = False
    room.clock.move(60)
    room.work()
    assert room.states(batch) == {"sent": 5}
    assert len(mail_server.messages) == 5


def test_notices_leave_a_tenth_of_the_hour_to_codes_and_receipts(
    room: Room, mail_server: MailServer
) -> None:
    now = room.clock.now() + 900
    with room.node.database.transaction() as session:
        session.add_all(
            models.MailEntry(
                id=f"m{number}",
                kind="code",
                message_blob=None,
                state="sent",
                next_attempt_at=0,
                created_at=0,
                sent_at=now,
            )
            for number in range(2698)
        )
    batch = room.booked(room.applicants(5), room.template())
    room.clock.move(900)
    assert room.work() == 2, "nine tenths of 3,000"
    room.clock.move(3600)
    assert room.work() == 3
    assert room.states(batch) == {"sent": 5}


def test_a_batch_holds_up_to_3000_people(room: Room) -> None:
    template = room.template()
    before = everything(room)
    with pytest.raises(notices.BatchTooLarge) as refused:
        room.draft([f"a{number}" for number in range(3001)], template)
    assert refused.value.facts == {"chosen": 3001, "most": 3000}
    assert everything(room) == before


@pytest.mark.parametrize("missing", ["name", "department", "phone", "email"])
def test_nobody_sends_a_letter_that_nobody_signs(room: Room, missing: str) -> None:
    sender = notices.Sender(
        **{
            field: "" if field == missing else "x@example.jp"
            for field in ("name", "department", "phone", "email")
        }
    )
    body = "{{候補者名}} 様\n\n{{専用リンク}}"
    batch = room.draft(room.applicants(1), room.template(body=body, subject="x"), sender=sender)
    with pytest.raises(notices.SenderIncomplete):
        room.request(batch)
    assert room.states(batch) == {"draft": 1}


def test_a_batch_that_does_not_exist_is_refused(room: Room) -> None:
    with pytest.raises(Refusal) as refused, room.node.database.transaction() as session:
        notices.approve(session, room.node.context, "nothing", user_id=room.approver, digest="")
    assert refused.value.code == "batch-unknown"
