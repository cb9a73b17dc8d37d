"""Referrals received: the board, every answer, the profile, the stages and the hire."""

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from node import models
from node.services import referrals
from node.services.ledger import position
from tests.equipment.alliance import MEMBERS
from tests.equipment.referring import PDF
from tests.equipment.season import DAY_S, PEOPLE, Season, Someone
from tests.equipment.web_house import Visitor, WebHouse

MAKI = PEOPLE[0]
KNOWN = {"known_since": "2026-12-01", "last_contact": "2027-01-08"}


def text(answer: TestResponse) -> str:
    assert answer.status_code == 200, answer.status_code
    return answer.get_data(as_text=True)


def offer(season: Season, *, sender: str = "bridge", person: Someone = MAKI, **more: object) -> str:
    """A card for aoba; aoba's id of it."""
    return season.offered(sender, "aoba", person, **more)


def state(season: Season, own: str) -> str:
    return season.row_in("aoba", own).state


def told(season: Season) -> int:
    """How many letters aoba has written, delivered or not."""
    with season.alliance["aoba"].database.reading() as session:
        return session.scalar(select(func.count()).select_from(models.OutboxEntry)) or 0


def owed(season: Season) -> int:
    aoba = season.alliance["aoba"]
    with aoba.database.reading() as session:
        return position(session, aoba.context).owed


def looks(season: Season, action: str) -> list[str]:
    """Who has done this to a referral, as the audit log says."""
    with season.alliance["aoba"].database.reading() as session:
        table = models.AuditEntry
        return list(session.scalars(select(table.actor).where(table.action == action)))


def test_who_referred_a_person_is_hidden_where_that_was_the_person_s_wish(
    season: Season, web: WebHouse
) -> None:
    own = offer(season)
    recruiter = web.signed_in("recruiter")
    assert "株式会社bridge" in text(recruiter.get(f"/referrals/in/{own}"))
    with season.alliance["aoba"].database.transaction() as session:
        row = referrals.offered(session, own)
        row.grounds = row.grounds.replace('"items": [', '"items": ["source-hidden", ')

    pages = [text(recruiter.get(f"/referrals/in/{own}"))]
    pages.append(recruiter.get("/referrals/in/export.csv").get_data().decode("utf-8-sig"))
    for page in pages:
        assert "株式会社bridge" not in page
    assert "ご本人の希望により非表示" in pages[0]
    assert season.row_in("aoba", own).sender == "bridge", "the record names the giver"


def test_the_board_shows_cards_that_name_nobody(season: Season, web: WebHouse) -> None:
    offer(season, now=True)
    page = text(web.signed_in("viewer").get("/referrals/in"))
    assert "研究・技術の職業" in page
    assert "東京都" in page
    assert "要件定義" in page
    assert "あと5営業日" in page
    for secret in ("髙橋", "タカハシ", MAKI.email, "例示ソリューションズ"):
        assert secret not in page
    assert 'id="accept-' not in page, "a viewer answers nothing"


def test_whoever_reads_english_reads_the_card_and_the_profile_in_english(
    season: Season, web: WebHouse
) -> None:
    own = season.accepted("bridge", "aoba", MAKI)
    recruiter = web.signed_in("recruiter")
    recruiter.client.set_cookie("lang", "en")
    for path in ("/referrals/in", f"/referrals/in/{own}", f"/referrals/in/{own}/profile"):
        page = text(recruiter.get(path))
        assert "Research and engineering" in page, path
        assert "研究・技術の職業" not in page, path


def test_the_due_date_counts_working_days_and_says_when_it_is_over(
    season: Season, web: WebHouse
) -> None:
    own = offer(season)  # on Friday, 2027-01-15
    assert web.node.context.day_of(season.row_in("aoba", own).due_at) == "2027-01-22"
    for days, said in (
        (6, "あと1営業日"),
        (1, "本日が回答期限です"),
        (1, "回答なしで終了"),
    ):
        season.days(days)
        assert said in text(web.signed_in("viewer").get("/referrals/in"))


def test_pages_turn_both_ways_and_keep_the_filter(season_on: Season) -> None:
    aoba = season_on.alliance["aoba"]
    for number in range(55):
        with aoba.database.transaction() as session:
            session.add(
                models.ReferralIn(
                    id=f"{number:032}",
                    sender="biwa" if number < 53 else "seeds",
                    referral_id=f"r{number:031}",
                    envelope_id="",
                    card=CARD,
                    grounds="{}",
                    receipt_digest=b"",
                    due_at=season_on.clock.now() + DAY_S,
                    created_at=season_on.clock.now() + number // 3,
                    updated_at=0,
                )
            )
    reader = WebHouse(aoba).signed_in("viewer")
    first = text(reader.get("/referrals/in?sender=biwa"))
    assert first.count('class="offer"') == 50
    second_url = address_of(first, "page-next")
    second = text(reader.get(second_url))
    assert second.count('class="offer"') == 3
    assert 'id="page-next"' not in second
    again = text(reader.get(address_of(second, "page-previous")))
    assert again.count('class="offer"') == 50
    assert 'id="page-previous"' not in again
    assert reader.get("/referrals/in?older=nonsense").status_code == 422
    assert reader.get("/referrals/in?older=1~2~3").status_code == 422
    table = reader.get("/referrals/in/export.csv").get_data().decode("utf-8-sig")
    assert len(table.splitlines()) == 56


CARD = (
    '{"applicantType":"midcareer","region":"13","occupation":"","experienceYears":1,'
    '"skills":[],"languages":[],"reachedStage":"","availableFrom":""}'
)


def address_of(page: str, id_: str) -> str:
    part = page.split(f'id="{id_}"', 1)[1]
    return part.split('href="', 1)[1].split('"', 1)[0].replace("&amp;", "&")


def test_accepting_is_asked_about_first_and_promises_one_point(
    season: Season, web: WebHouse
) -> None:
    own = offer(season)
    recruiter = web.signed_in("recruiter")
    asked = text(recruiter.get(f"/referrals/in/{own}/accept"))
    assert "1ポイント" in asked
    assert "現在 0 → 受入後 -1" in asked
    assert state(season, own) == "received"

    answer = recruiter.post(f"/referrals/in/{own}/accept")
    assert answer.status_code == 302
    assert state(season, own) == "accepted"
    assert owed(season) == 1
    season.carry()
    assert state(season, own) == "profile_received"


def test_declining_says_nothing_but_that_and_destroys_what_had_arrived(
    season: Season, web: WebHouse
) -> None:
    own = offer(season, now=True)
    recruiter = web.signed_in("recruiter")
    asked = text(recruiter.get(f"/referrals/in/{own}/decline"))
    assert "理由は入力・保存・送信されません" in asked
    assert "<textarea" not in asked
    assert recruiter.post(f"/referrals/in/{own}/decline").status_code == 302
    row = season.row_in("aoba", own)
    assert (row.state, row.profile_blob, owed(season)) == ("declined", None, 0)


def test_an_answer_is_given_once(season: Season, web: WebHouse) -> None:
    own = offer(season)
    recruiter = web.signed_in("recruiter")
    recruiter.post(f"/referrals/in/{own}/accept")
    letters = told(season)
    for path in ("accept", "decline"):
        refused = recruiter.post(f"/referrals/in/{own}/{path}")
        assert refused.status_code == 409
        assert "referral-answered" in refused.get_data(as_text=True)
        assert recruiter.get(f"/referrals/in/{own}/{path}").status_code == 409
    assert (state(season, own), told(season), owed(season)) == ("accepted", letters, 1)


def test_nothing_is_promised_beyond_the_credit_limit(season: Season) -> None:
    with season.alliance["aoba"].database.transaction() as session:
        session.merge(models.LedgerAccount(account="aoba", digest=bytes(32), debits=20))
    own = offer(season)
    recruiter = WebHouse(season.alliance["aoba"]).signed_in("recruiter")
    assert "下限（-20）を下回る" in text(recruiter.get(f"/referrals/in/{own}/accept"))
    refused = recruiter.post(f"/referrals/in/{own}/accept")
    assert "credit-limit-reached" in refused.get_data(as_text=True)
    assert (refused.status_code, state(season, own), owed(season)) == (409, "received", 0)


def test_many_are_answered_at_once_and_each_stands_for_itself(
    season: Season, web: WebHouse
) -> None:
    own = [offer(season, sender=sender, person=PEOPLE[n]) for n, sender in enumerate(MEMBERS[1:])]
    recruiter = web.signed_in("recruiter")
    asked = text(recruiter.post("/referrals/in/chosen", {"answer": "accept", "chosen": own}))
    assert "3ポイント" in asked
    assert owed(season) == 0, "nothing happens before it is confirmed"

    season.answer("aoba", own[1], accept=False)  # a colleague is faster
    done = text(recruiter.post("/referrals/in/answers", {"answer": "accept", "chosen": own}))
    assert "紹介を受け入れました" in done
    assert own[1][:8] in done
    assert [state(season, one) for one in own] == ["accepted", "declined", "accepted"]
    assert owed(season) == 2


def test_a_choice_of_nothing_or_of_an_unknown_answer_changes_nothing(
    season: Season, web: WebHouse
) -> None:
    own = offer(season)
    recruiter = web.signed_in("recruiter")
    assert recruiter.post("/referrals/in/chosen", {"answer": "accept"}).status_code == 302
    odd = {"answer": "perhaps", "chosen": [own]}
    for path in ("chosen", "answers"):
        refused = recruiter.post(f"/referrals/in/{path}", odd)
        assert refused.status_code == 422
        assert "value-invalid" in refused.get_data(as_text=True)
    assert (
        recruiter.post(
            "/referrals/in/chosen", {"answer": "accept", "chosen": ["0" * 32]}
        ).status_code
        == 404
    )
    assert state(season, own) == "received"


@pytest.mark.parametrize("role", ["approver", "viewer"])
def test_only_recruiters_answer_move_and_hire(season: Season, web: WebHouse, role: str) -> None:
    waiting, selected = offer(season), season.accepted("bridge", "aoba", PEOPLE[1])
    letters = told(season)
    other = web.signed_in(role)
    for path in (f"{waiting}/accept", f"{waiting}/decline", f"{selected}/known",
                 f"{selected}/stage", f"{selected}/hire", "chosen", "answers"):  # fmt: skip
        refused = other.post(f"/referrals/in/{path}", {"stage": "test", "answer": "accept"})
        assert refused.status_code == 403, path
        assert "role-missing" in refused.get_data(as_text=True)
    assert other.post("/referrals/rule", {"monthly_cap": "5"}).status_code == 403
    assert (state(season, waiting), state(season, selected)) == ("received", "profile_received")
    assert told(season) == letters


def test_a_form_without_the_pages_token_does_nothing(season: Season, web: WebHouse) -> None:
    own = offer(season)
    recruiter = web.signed_in("recruiter")
    refused = recruiter.client.post(f"/referrals/in/{own}/accept", data={})
    assert refused.status_code == 400
    assert "form-expired" in refused.get_data(as_text=True)
    assert state(season, own) == "received"


def test_opening_a_profile_is_written_down_and_the_page_says_so(
    season: Season, web: WebHouse
) -> None:
    own = season.accepted("bridge", "aoba", MAKI)
    page = text(web.signed_in("recruiter").get(f"/referrals/in/{own}/profile"))
    assert "閲覧を記録しました" in page
    assert "髙橋 真紀" in page
    assert "例示ソリューションズ株式会社" in page
    assert looks(season, "profile.opened") == [web.user("recruiter").id]


def test_a_viewer_opens_no_profile_and_sees_no_points(season: Season, web: WebHouse) -> None:
    own = season.accepted("bridge", "aoba", MAKI, resume=PDF)
    viewer = web.signed_in("viewer")
    page = text(viewer.get(f"/referrals/in/{own}"))
    assert "髙橋" not in page
    assert "台帳" not in page
    for path in ("profile", "resume.pdf"):
        assert viewer.get(f"/referrals/in/{own}/{path}").status_code == 403
    for path in (
        "/points",
        "/points/export.csv",
        "/points/certificates/aoba/1",
        "/hires/export.csv",
    ):
        assert viewer.get(path).status_code == 403, path
    assert looks(season, "profile.opened") == looks(season, "resume.opened") == []


def test_before_the_acceptance_there_is_no_profile_to_open(season: Season, web: WebHouse) -> None:
    own = offer(season)
    refused = web.signed_in("recruiter").get(f"/referrals/in/{own}/profile")
    assert refused.status_code == 409
    assert "referral-not-accepted" in refused.get_data(as_text=True)
    assert looks(season, "profile.opened") == []


def test_people_of_our_own_list_are_shown_for_a_human_to_compare(
    season: Season, web: WebHouse
) -> None:
    season.applicant(season.alliance["aoba"], MAKI, rejected=False)
    own = season.accepted("bridge", "aoba", MAKI)
    page = text(web.signed_in("recruiter").get(f"/referrals/in/{own}"))
    assert "自社の応募者と重複している可能性" in page
    assert "メールアドレス" in page
    assert "自社の応募者と重複" not in text(web.signed_in("viewer").get(f"/referrals/in/{own}"))


def test_already_known_is_said_with_dates_and_brings_the_point_back(
    season: Season, web: WebHouse
) -> None:
    own = season.accepted("bridge", "aoba", MAKI)
    season.certify_all()
    recruiter = web.signed_in("recruiter")
    asked = text(recruiter.post(f"/referrals/in/{own}/known", KNOWN))
    assert "2027-01-08" in asked
    assert state(season, own) == "profile_received"
    assert (
        recruiter.post(f"/referrals/in/{own}/known", KNOWN | {"confirmed": "yes"}).status_code
        == 302
    )
    season.carry()
    season.certify_all()
    assert state(season, own) == "already_known"
    assert "±0" not in text(recruiter.get("/points"))
    assert "訂正（ポイントの返還）" in text(recruiter.get("/points"))


@pytest.mark.parametrize(
    "dates",
    [
        {"known_since": "", "last_contact": "2027-01-08"},
        {"known_since": "yesterday", "last_contact": "2027-01-08"},
        {"known_since": "2026-12-01", "last_contact": "2027-03-01"},
        {"known_since": "2024-12-01", "last_contact": "2025-01-08"},
        {"known_since": "2027-01-08", "last_contact": "2026-12-01"},
    ],
    ids=["missing", "no date", "after the referral", "too long ago", "in the wrong order"],
)
def test_dates_that_show_no_earlier_contact_are_refused(
    season: Season, web: WebHouse, dates: dict[str, str]
) -> None:
    own = season.accepted("bridge", "aoba", MAKI)
    letters = told(season)
    refused = web.signed_in("recruiter").post(
        f"/referrals/in/{own}/known", dates | {"confirmed": "yes"}
    )
    assert refused.status_code == 422
    assert 'id="form-errors"' in refused.get_data(as_text=True)
    assert (state(season, own), told(season)) == ("profile_received", letters)


def test_stages_move_by_a_button_and_the_ends_are_asked_about(
    season: Season, web: WebHouse
) -> None:
    own = season.accepted("bridge", "aoba", MAKI)
    recruiter = web.signed_in("recruiter")
    assert recruiter.post(f"/referrals/in/{own}/stage", {"stage": "interview_1"}).status_code == 302
    assert "一次面接" in text(recruiter.get(f"/referrals/in/{own}"))
    asked = text(recruiter.get(f"/referrals/in/{own}/end/declined_by_company"))
    assert "理由は送られません" in asked
    assert season.row_in("aoba", own).stage_code == "interview_1"
    for stage in ("hired", "no_answer", "gossip", ""):
        refused = recruiter.post(f"/referrals/in/{own}/stage", {"stage": stage})
        assert refused.status_code == 422
        assert "stage-unknown" in refused.get_data(as_text=True)
    assert recruiter.get(f"/referrals/in/{own}/end/test").status_code == 422
    assert season.row_in("aoba", own).stage_code == "interview_1"


def test_an_unknown_referral_is_nobodys(web: WebHouse) -> None:
    recruiter: Visitor = web.signed_in("recruiter")
    for path in ("in/" + "0" * 32, "out/" + "0" * 32):
        refused = recruiter.get(f"/referrals/{path}")
        assert refused.status_code == 404
        assert "referral-unknown" in refused.get_data(as_text=True)
