"""Reminders: once a person and working day, in numbers, and to the administrators when overdue."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

from node import models
from node.services import mailing, referrals, users
from node.services.referrals import reminders
from tests.equipment.alliance import Alliance, House
from tests.equipment.letters import carry
from tests.equipment.notices_room import at
from tests.equipment.referring import CARD, DAY_S, accept, received, refer

LOGINS = {"recruiter": "hanako@biwa.example", "admin": "admin", "viewer": "v@biwa.example"}


def hire(house: House, role: str, *, login: str = "", email: str = "", **changed: object) -> str:
    """A user of this member; by their login they can be written to, or not."""
    login = login or LOGINS[role]
    about = {"name": "佐藤 花子", "locale": "ja", "active": True} | changed
    with house.database.transaction() as session:
        made = users.create(
            session,
            house.context,
            login=login,
            name=str(about["name"]),
            role=role,
            password="hashiru-mainichi",
            locale=str(about["locale"]),
            email=email,
            actor="cli",
        )
        made.active = bool(about["active"])
        return made.id


def remind(house: House) -> int:
    """What the worker does every minute; how many mails it wrote down."""
    with house.database.transaction() as session:
        return reminders.remind(session, house.context)


def mails(house: House) -> list[tuple[str, str]]:
    """To whom, and what, oldest first."""
    found = []
    with house.database.reading() as session:
        for row in session.query(models.MailEntry).order_by(models.MailEntry.created_at):
            assert row.message_blob is not None
            plain = house.context.keyring.decrypt(mailing.COLUMN, row.id, row.message_blob)
            content = json.loads(plain)
            found.append((content["to"], content["subject"] + "\n" + content["text"]))
    return found


def go_to(alliance: Alliance, moment: str) -> None:
    alliance.clock.move(at(moment) - alliance.clock.now())


def offered(alliance: Alliance, count: int = 1) -> House:
    """So many cards at `biwa`, due at the end of 22 January 2027, a Friday."""
    go_to(alliance, "2027-01-15 17:00")
    for _ in range(count):
        refer(alliance["aoba"], "biwa")
    carry(alliance)
    biwa = alliance["biwa"]
    with biwa.database.reading() as session:
        assert {row.due_at for row in session.query(models.ReferralIn)} == {
            at("2027-01-23 00:00") - 1
        }
    return biwa


def test_who_answers_is_told_once_a_working_day_in_numbers(alliance: Alliance) -> None:
    biwa = offered(alliance, 2)
    hire(biwa, "recruiter")
    hire(biwa, "admin", email="it@biwa.example")
    hire(biwa, "viewer")
    hire(biwa, "recruiter", login="left@biwa.example", active=False)
    hire(biwa, "recruiter", login="nowhere")
    go_to(alliance, "2027-01-20 12:00")
    assert remind(biwa) == 0, "nothing is due by tomorrow"

    go_to(alliance, "2027-01-21 09:59")
    assert remind(biwa) == 0, "the office is closed"
    go_to(alliance, "2027-01-21 10:00")
    assert remind(biwa) == 1
    go_to(alliance, "2027-01-21 17:59")
    assert remind(biwa) == 0
    go_to(alliance, "2027-01-22 10:00")
    assert remind(biwa) == 1

    first, second = mails(biwa)
    assert first == second
    to, text = first
    assert to == "hanako@biwa.example"
    for said in (
        "【株式会社biwa】回答をお待ちの紹介があります",
        "佐藤 花子 様",
        "未回答の紹介：2件",
        "うち、本日または翌営業日が回答期限：2件",
        "うち、回答期限を過ぎたもの：0件",
        "http://127.0.0.1:9101/referrals/in?state=received",
    ):
        assert said in text
    for kept in (CARD.occupation, *CARD.skills, "株式会社aoba", "管理者"):
        assert kept not in text


def test_what_is_overdue_reaches_the_administrators_in_their_own_language(
    alliance: Alliance,
) -> None:
    biwa = offered(alliance)
    hire(biwa, "recruiter", locale="en", name="Jane")
    hire(biwa, "admin", email="it@biwa.example")
    # The day after it was due is a Saturday.
    go_to(alliance, "2027-01-23 12:00")
    assert remind(biwa) == 0
    go_to(alliance, "2027-01-25 12:00")
    assert remind(biwa) == 2

    told = dict(mails(biwa))
    assert "Of these, overdue: 1" in told["hanako@biwa.example"]
    assert "Dear Jane," in told["hanako@biwa.example"]
    assert "administrator" not in told["hanako@biwa.example"]
    assert "うち、回答期限を過ぎたもの：1件" in told["it@biwa.example"]
    assert "管理者の方にもお知らせしています" in told["it@biwa.example"]


def test_an_answer_ends_it(alliance: Alliance) -> None:
    biwa = offered(alliance)
    hire(biwa, "recruiter")
    accept(biwa, received(biwa).id)
    go_to(alliance, "2027-01-22 12:00")
    assert remind(biwa) == 0
    with biwa.database.reading() as session:
        assert reminders.waiting(session, biwa.context) == reminders.Waiting(0, 0, 0)


def test_where_nobody_who_answers_can_be_told_the_administrators_are(alliance: Alliance) -> None:
    biwa = offered(alliance)
    hire(biwa, "recruiter", login="nowhere")
    go_to(alliance, "2027-01-22 12:00")
    assert remind(biwa) == 0
    hire(biwa, "admin", email="it@biwa.example")
    assert remind(biwa) == 1
    assert [to for to, _ in mails(biwa)] == ["it@biwa.example"]


def test_of_several_workers_one_writes(alliance: Alliance) -> None:
    biwa = offered(alliance)
    for number in range(5):
        hire(biwa, "recruiter", login=f"r{number}@biwa.example")
    go_to(alliance, "2027-01-22 12:00")
    together = threading.Barrier(4)

    def worker() -> int:
        together.wait()
        return remind(biwa)

    with ThreadPoolExecutor(4) as workers:
        done = [each.result() for each in [workers.submit(worker) for _ in range(4)]]
    assert sum(done) == 5
    assert sorted(to for to, _ in mails(biwa)) == [f"r{n}@biwa.example" for n in range(5)]


def test_a_card_that_ended_without_an_answer_is_not_counted(alliance: Alliance) -> None:
    biwa = offered(alliance)
    hire(biwa, "recruiter")
    alliance.clock.move(60 * DAY_S)
    with biwa.database.transaction() as session:
        referrals.end_unanswered(session, biwa.context)
    go_to(alliance, "2027-03-24 12:00")
    assert remind(biwa) == 0
