"""Somebody who is asked first, as HR of both companies sees it."""

from sqlalchemy import select
from werkzeug.test import TestResponse

from node import models
from node.services import erasures
from tests.equipment.season import PEOPLE, Season
from tests.equipment.web_house import WebHouse


def text_of(answer: TestResponse) -> str:
    assert answer.status_code == 200, answer.status_code
    return answer.get_data(as_text=True)


def test_of_somebody_who_is_asked_first_the_pages_say_what_happens(
    season: Season, web: WebHouse
) -> None:
    own = season.offered("bridge", "aoba", PEOPLE[0], ask=True)
    recruiter = web.signed_in("recruiter")
    assert "送る前の確認を希望しています" in text_of(recruiter.get(f"/referrals/in/{own}"))
    assert "事前の確認を希望" in text_of(recruiter.get(f"/referrals/in/{own}/accept"))
    assert recruiter.post(f"/referrals/in/{own}/accept").status_code == 302
    season.carry()
    page = text_of(recruiter.get(f"/referrals/in/{own}"))
    assert "ご本人に確認しています" in page
    assert season.row_in("aoba", own).state == "accepted"
    bridge = season.alliance["bridge"]
    with bridge.database.transaction() as session:
        row = session.scalars(select(models.ReferralOut)).one()
        erasures.withdraw(session, bridge.context, row.consent_id)
    season.carry()
    assert "ポイントは自動で戻ります" in text_of(recruiter.get(f"/referrals/in/{own}"))


def test_who_accepts_may_offer_a_later_start(season: Season, web: WebHouse) -> None:
    own = season.offered("bridge", "aoba", PEOPLE[0])
    recruiter = web.signed_in("recruiter")
    asked = text_of(recruiter.get(f"/referrals/in/{own}/accept"))
    assert 'value="interview_2"' in asked
    assert 'value="offer"' not in asked
    refused = recruiter.post(f"/referrals/in/{own}/accept", {"start": "offer"})
    assert (refused.status_code, season.row_in("aoba", own).state) == (422, "received")
    assert (
        recruiter.post(f"/referrals/in/{own}/accept", {"start": "interview_2"}).status_code == 302
    )
    season.carry()
    page = text_of(recruiter.get(f"/referrals/in/{own}"))
    assert "選考の開始：二次面接" in page
    assert season.row_in("aoba", own).stage_code == "interview_2"
