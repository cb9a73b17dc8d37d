"""Recipients: who is told, who is invited, and who is not; nobody twice.  DOMAIN 2.7."""

import pytest
from sqlalchemy import select

from node import models
from node.services import applicants, links, notices
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


def test_a_letter_with_a_link_can_be_unsubscribed_from_with_one_click_and_no_other(
    room: Room, mail_server: MailServer
) -> None:
    (applicant,) = room.applicants(1)
    (excluded,) = room.applicants(1, first=2, exclusion="under_18")
    room.booked([applicant, excluded], room.template())
    room.clock.move(900)
    room.work()

    mails = {mail["To"]: mail for mail in mail_server.messages}
    invited, told = mails["person1@example.jp"], mails["person2@example.jp"]
    assert invited["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = invited["List-Unsubscribe"]
    token = address.removeprefix("<http://127.0.0.1:9100/l/").removesuffix("/stop>")
    (opening,) = LINK.findall(text_of(invited))
    assert opening not in address
    assert token not in text_of(invited)
    with room.node.database.reading() as session:
        link = links.find_stop(session, room.node.context, token)
        assert link.applicant_id == applicant
        assert link.id == links.find(session, room.node.context, opening).id
    # Who is told and not invited got nothing that one could be unsubscribed from.
    assert not [name for name in told.keys() if name.lower().startswith("list-")]  # noqa: SIM118


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


def test_an_approval_does_not_cover_who_was_changed_while_it_was_looked_at(room: Room) -> None:
    ids = room.applicants(10)
    batch = room.draft(ids, room.template())
    room.request(batch)
    with room.node.database.reading() as session:
        seen = notices.review(session, room.node.context, notices.get(session, batch)).digest
    room.applicants(1, email="another@example.jp")
    before = room.states(batch)
    with pytest.raises(notices.BatchChanged) as refused:
        room.approve(batch, digest=seen)
    assert refused.value.code == "batch-changed"
    assert room.states(batch) == before == {"waiting": 10}
    room.approve(batch)  # as it stands now


@pytest.mark.parametrize(
    "changed", [{"email": "another@example.jp"}, {"name": "別人 花子"}, {"job": "別の求人"}]
)
def test_who_was_changed_after_the_approval_is_told_by_a_new_batch_only(
    room: Room, mail_server: MailServer, changed: dict[str, str]
) -> None:
    ids = room.applicants(10)
    batch = room.booked(ids, room.template())
    assert room.applicants(1, **changed) == [], "the same person, corrected"
    assert room.applicants(1, first=2) == [], "the same file again changes nothing"
    room.clock.move(900)
    room.work()
    assert len(mail_server.messages) == 9
    assert room.states(batch) == {"sent": 9, "cancelled": 1}
    with room.node.database.reading() as session:
        (left,) = session.query(models.Notice).filter_by(state="cancelled")
        assert (left.error, left.link_id) == ("changed_since", None)
        corrected = left.applicant_id
        revoked = [link for link in session.scalars(select(models.Link)) if link.revoked_at]
        assert [link.applicant_id for link in revoked] == [corrected]

    room.booked([corrected], room.template())
    room.clock.move(900)
    room.work()
    (mail,) = mail_server.to(changed.get("email", "person1@example.jp"))
    assert LINK.search(text_of(mail))


def test_a_small_batch_is_sent_again_to_an_address_that_was_corrected(
    room: Room, mail_server: MailServer
) -> None:
    mail_server.refused.add("person1@example.jp")
    batch = room.booked(room.applicants(2), room.template())
    room.clock.move(900)
    room.work()
    assert room.states(batch) == {"sent": 1, "failed": 1}
    room.applicants(1, email="corrected@example.jp")
    with room.node.database.transaction() as session:
        notices.resend_failed(session, room.node.context, batch, user_id=room.recruiter)
    room.work()
    assert room.states(batch) == {"sent": 2}
    assert len(mail_server.to("corrected@example.jp")) == 1
