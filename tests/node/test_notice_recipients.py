"""Recipients: who is told, who is invited, and who is not; nobody twice.  DOMAIN 2.7."""

import pytest
from sqlalchemy import select

from node import models
from node.services import applicants, notices
from tests.equipment.notices_room import LINK, Room, text_of
from tests.equipment.smtp import MailServer


def test_excluded_people_are_told_without_a_link_when_hr_chooses_so(
    room: Room, mail_server: MailServer
) -> None:
    ids = room.applicants(2) + room.applicants(2, first=10, exclusion="misconduct")
    batch = room.draft(ids, room.template(), excluded_get="plain")
    with room.node.database.reading() as session:
        found = notices.review(session, room.node.context, notices.get(session, batch))
    assert len(found.with_link) == 2
    assert {reason: len(who) for reason, who in found.by_reason.items()} == {"misconduct": 2}
    room.request(batch)
    room.clock.move(900)
    room.work()

    with_link = [mail for mail in mail_server.messages if LINK.search(text_of(mail))]
    plain = [mail for mail in mail_server.messages if not LINK.search(text_of(mail))]
    assert (len(with_link), len(plain)) == (2, 2)
    for mail in plain:
        assert "任意" not in text_of(mail)
        assert "misconduct" not in mail.as_string()
        assert "今後ご連絡不要" in text_of(mail)
    with room.node.database.reading() as session:
        assert len(list(session.scalars(select(models.Link)))) == 2


def test_excluded_people_are_left_out_when_hr_chooses_so(
    room: Room, mail_server: MailServer
) -> None:
    ids = room.applicants(2) + room.applicants(2, first=10, exclusion="no_third_party")
    batch = room.draft(ids, room.template(), excluded_get="nothing")
    room.request(batch)
    room.clock.move(900)
    room.work()
    assert len(mail_server.messages) == 2
    assert room.states(batch) == {"sent": 2, "cancelled": 2}


@pytest.mark.parametrize(
    ("status", "email", "reason"),
    [
        ("active", "a@example.jp", "not_rejected"),
        ("withdrawn", "a@example.jp", "withdrawn"),
        ("rejected", "", "no_email"),
    ],
)
def test_who_cannot_be_told_is_listed_with_the_reason(
    room: Room, status: str, email: str, reason: str
) -> None:
    ids = room.applicants(1) + room.applicants(1, first=10, status=status, email=email)
    batch = room.draft(ids, room.template())
    with room.node.database.reading() as session:
        found = notices.review(session, room.node.context, notices.get(session, batch))
    assert found.left_out == {reason: (ids[1],)}
    assert found.to_send == (ids[0],)


def test_nobody_is_told_twice(room: Room, mail_server: MailServer) -> None:
    ids = room.applicants(3)
    template = room.template()
    first, second = room.draft(ids, template), room.draft(ids, template)
    room.request(first)
    with pytest.raises(notices.BatchEmpty) as refused:
        room.request(second)
    assert refused.value.code == "batch-empty"
    room.clock.move(900)
    room.work()
    with pytest.raises(notices.BatchEmpty):
        room.draft(ids, template)
    assert len(mail_server.messages) == 3


def test_importing_the_same_people_again_sends_no_second_mail(
    room: Room, mail_server: MailServer
) -> None:
    ids = room.applicants(3)
    template = room.template()
    room.booked(ids, template)
    room.clock.move(900)
    room.work()
    assert room.applicants(3) == [], "nobody new came of it"
    with pytest.raises(notices.BatchEmpty):
        room.booked(ids, template)
    assert room.work() == 0
    assert len(mail_server.messages) == 3


def test_who_is_back_in_the_selection_is_not_written_to(
    room: Room, mail_server: MailServer
) -> None:
    ids = room.applicants(3)
    batch = room.booked(ids, room.template())
    room.applicants(1, status="active")  # the recruiting system took the first one back
    room.clock.move(900)
    room.work()
    assert len(mail_server.messages) == 2
    assert mail_server.to("person1@example.jp") == []
    assert room.states(batch) == {"sent": 2, "cancelled": 1}
    assert room.progress(batch).withheld == 1
    with room.node.database.reading() as session:
        revoked = [link for link in session.scalars(select(models.Link)) if link.revoked_at]
    assert [link.applicant_id for link in revoked] == [ids[0]]


def test_who_asked_for_no_more_contact_meanwhile_gets_no_link(
    room: Room, mail_server: MailServer
) -> None:
    ids = room.applicants(2)
    room.booked(ids, room.template())
    with room.node.database.transaction() as session:
        context = room.node.context
        person = applicants.person_of(session, context, applicants.get(session, ids[0]))
        applicants.suppress(session, context, person)
    room.clock.move(900)
    room.work()
    (mail,) = mail_server.to("person1@example.jp")
    assert not LINK.search(text_of(mail))
    assert LINK.search(text_of(mail_server.to("person2@example.jp")[0]))
