"""What other members write, as a reader here wants it: languages, days, the last contact."""

import pytest
from werkzeug.test import TestResponse

from node import models
from node.i18n import translator
from node.services.consents import tongues
from node.web.filters import day
from tests.equipment.season import PEOPLE, Season
from tests.equipment.web_house import WebHouse


def text(answer: TestResponse) -> str:
    assert answer.status_code == 200, answer.status_code
    return answer.get_data(as_text=True)


def test_whoever_reads_english_reads_the_card_and_the_profile_in_english(
    season: Season, web: WebHouse
) -> None:
    own = season.accepted("bridge", "aoba", PEOPLE[0])
    recruiter = web.signed_in("recruiter")
    recruiter.client.set_cookie("lang", "en")
    for path in ("/referrals/in", f"/referrals/in/{own}", f"/referrals/in/{own}/profile"):
        page = text(recruiter.get(path))
        assert "Research and engineering" in page, path
        assert "研究・技術の職業" not in page, path
        assert "Japanese (Native)" in page or path.endswith("profile"), path
        assert "日本語（母語）" not in page, path


@pytest.mark.parametrize(("language", "written"), [("ja", "2027/04/01"), ("en", "01 Apr 2027")])
def test_the_first_day_at_work_is_written_like_every_other_day(
    season: Season, web: WebHouse, language: str, written: str
) -> None:
    own = season.accepted("bridge", "aoba", PEOPLE[0])
    season.hire("aoba", own, slot=False)
    recruiter = web.signed_in("recruiter")
    recruiter.client.set_cookie("lang", language)
    for path in ("/hires", f"/referrals/in/{own}"):
        page = text(recruiter.get(path))
        assert written in page, path
        assert "2027-04-01" not in page, path


def test_a_day_that_is_none_is_shown_as_its_member_wrote_it(web: WebHouse) -> None:
    with web.app.test_request_context():
        assert day("2027-02-31") == "2027-02-31"


def test_a_comparison_of_the_ledger_is_a_contact_too(season: Season, web: WebHouse) -> None:
    house = season.alliance["aoba"]
    now = house.context.now()
    with house.database.transaction() as session:
        session.query(models.Peer).update({"last_success_at": now - 7200, "seen_at": now - 120})
    admin = web.signed_in("admin")
    for path in ("/", "/peers"):
        page = text(admin.get(path))
        assert "2分前" in page, path
        assert "2時間前" not in page, path


@pytest.mark.parametrize(
    ("written", "in_english", "in_japanese"),
    [
        ("英語（ビジネスレベル）", "English (Business level)", "英語（ビジネスレベル）"),
        ("english", "English", "英語"),
        ("日本手話", "Japanese Sign Language", "日本手話"),
        ("エスペラント（初級）", "エスペラント (Beginner)", "エスペラント（初級）"),
        ("英語（TOEIC 900）", "英語（TOEIC 900）", "英語（TOEIC 900）"),
        ("100%（初級）", "100% (Beginner)", "100%（初級）"),
    ],
)
def test_a_language_is_named_as_its_reader_names_it(
    written: str, in_english: str, in_japanese: str
) -> None:
    assert tongues.of_card(written, translator("en")) == in_english
    assert tongues.of_card(written, translator("ja")) == in_japanese
