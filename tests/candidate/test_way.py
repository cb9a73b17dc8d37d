"""The way from the link to the consent, page by page, without a browser."""

import html
import json
import re

import pytest

from node import models
from node.services import persons
from protocol import Policy, strictjson
from tests.equipment.candidates import EMAIL, FAMILY, GIVEN, NAME, PHONE, Candidates, Walker

PARTNERS = ("biwa", "seeds", "bridge")


def exact(page: str, name: str) -> bytes:
    """The JSON that the page shows as the data itself."""
    found = re.search(rf'<pre class="code" id="{name}-json"[^>]*>(.*?)</pre>', page, re.DOTALL)
    assert found, page
    return html.unescape(found[1]).encode()


def waiting_profile(candidates: Candidates) -> bytes:
    """The profile that waits at `aoba` for an acceptance."""
    node = candidates.node
    with node.database.reading() as session:
        row = session.query(models.ReferralOut).one()
        person = session.query(models.Applicant).one().person_id
        cipher = persons.cipher(session, node.context, person)
        assert row.profile_blob is not None
        return cipher.decrypt("referrals_out.profile_blob", row.id, row.profile_blob)


@pytest.fixture
def walker(candidates: Candidates) -> Walker:
    _, token = candidates.invite()
    return candidates.walker(token)


def test_each_company_that_was_ticked_gets_one_referral_and_no_other_gets_anything(
    candidates: Candidates, walker: Walker
) -> None:
    walker.arrive("biwa", "bridge")

    answer = walker.agree("biwa", "bridge")

    assert answer.location == "/l/done"
    assert walker.get("/l/done").status_code == 200
    sent = candidates.envelopes()
    assert [len(sent[member]) for member in PARTNERS] == [1, 0, 1]
    with candidates.node.database.reading() as session:
        assert {row.recipient for row in session.query(models.OutboxEntry)} == {"biwa", "bridge"}


def test_a_company_that_was_chosen_and_not_agreed_to_gets_nothing(
    candidates: Candidates, walker: Walker
) -> None:
    walker.arrive(*PARTNERS)
    walker.agree("seeds")

    assert [len(candidates.envelopes()[member]) for member in PARTNERS] == [0, 1, 0]
    with candidates.node.database.reading() as session:
        assert [row.member for row in session.query(models.ConsentChoice)] == ["seeds"]


@pytest.mark.parametrize("agreed", [(), ("biwa",), ("aoba",), ("nobody",)])
def test_an_agreement_to_what_was_not_offered_sends_nothing(
    candidates: Candidates, walker: Walker, agreed: tuple[str, ...]
) -> None:
    """`biwa` is a partner, but was not chosen; the others are none."""
    walker.arrive("seeds")
    before = candidates.rows()

    answer = walker.agree(*agreed)

    assert answer.status_code == 422
    assert candidates.rows() == before


def test_whoever_reads_english_reads_in_english_what_travels_in_japanese(
    candidates: Candidates, walker: Walker
) -> None:
    walker.about |= {"prefecture": "13", "occupation": "研究・技術の職業"}
    walker.experience |= {"languages-0-language": "英語", "languages-0-fluency": "初級"}
    walker.arrive("biwa")
    walker.client.set_cookie("lang", "en")
    options = walker.get("/l/about").get_data(as_text=True)
    assert re.search(r">\s*Hokkaido\s*<", options)

    page = walker.get("/l/check").get_data(as_text=True)
    card_in_english = ("Tokyo", "Research and engineering", "Beginner", r"English \(Beginner\)")
    for english in card_in_english:
        assert re.search(rf">\s*{english}\s*<", page), english
    assert "研究・技術の職業".encode() in exact(page, "card"), "what travels stays what it was"


def test_the_card_that_is_shown_is_the_card_that_is_sent_to_the_byte(
    candidates: Candidates, walker: Walker
) -> None:
    walker.arrive("biwa")
    page = walker.get("/l/check").get_data(as_text=True)
    walker.agree("biwa")

    (referral,) = candidates.envelopes()["biwa"]
    assert strictjson.encode(referral.card.to_json()) == exact(page, "card")
    assert referral.profile is None
    assert waiting_profile(candidates) == exact(page, "profile")
    told = json.dumps(referral.card.to_json(), ensure_ascii=False)
    assert not any(canary in told for canary in (FAMILY, GIVEN, EMAIL, PHONE))


def test_the_profile_sent_at_once_is_the_profile_that_was_shown(
    candidates: Candidates, walker: Walker
) -> None:
    walker.arrive("biwa", order="profile")
    page = walker.get("/l/check").get_data(as_text=True)
    walker.agree("biwa")

    (referral,) = candidates.envelopes()["biwa"]
    assert referral.profile is not None
    assert referral.profile.encode() == exact(page, "profile")
    assert referral.profile.name == NAME


def test_every_field_of_the_profile_can_be_read_on_the_page(walker: Walker) -> None:
    """Nobody should have to read JSON to know what is sent."""
    walker.about |= {"city": "港区", "label": "道具づくり", "desired_pay": "520"}
    walker.about |= {"available_from": "2027-04", "occupation": "事務的職業"}
    walker.experience |= {
        "summary": "よろしくお願いします",
        "work-0-name": "株式会社みどり",
        "work-0-start": "2020-04",
        "education-0-institution": "港大学",
        "certificates-0-name": "簿記二級",
        "languages-0-language": "英語",
    }
    walker.arrive("biwa")
    page = walker.get("/l/check").get_data(as_text=True)
    words = html.unescape(re.sub(r"<pre.*?</pre>", "", page, flags=re.DOTALL))

    def leaves(value: object) -> list[str]:
        if isinstance(value, dict):
            return [leaf for each in value.values() for leaf in leaves(each)]
        if isinstance(value, list):
            return [leaf for each in value for leaf in leaves(each)]
        return [f"{value:,}" if isinstance(value, int) else str(value)]

    instead = {"midcareer": "中途", "interview_1": "一次面接"}
    for leaf in leaves(json.loads(exact(page, "profile"))):
        assert instead.get(leaf, leaf) in words


def test_pressing_the_button_twice_sends_once(candidates: Candidates, walker: Walker) -> None:
    walker.arrive("biwa")
    form = {"csrf_token": walker.csrf("/l/check"), "agree": ["biwa"], "seen": walker.seen()}

    first = walker.client.post("/l/check", data=form)
    after = candidates.rows()
    second = walker.client.post("/l/check", data=form)

    assert (first.location, second.location) == ("/l/done", "/l/done")
    assert candidates.rows() == after
    assert len(candidates.envelopes()["biwa"]) == 1
    assert len(candidates.mails("receipt")) == 1


def test_a_change_on_another_device_is_shown_before_anything_is_sent(
    candidates: Candidates, walker: Walker
) -> None:
    walker.arrive("biwa")
    seen = walker.seen()
    walker.decide("card", hide_stage="yes")
    before = candidates.rows()

    answer = walker.agree("biwa", seen=seen)

    assert answer.status_code == 409
    assert "もう一度ご確認ください" in answer.text
    assert candidates.rows() == before
    assert walker.agree("biwa").status_code == 302


def test_a_second_device_goes_on_with_the_draft_but_shows_no_profile_before_its_own_code(
    candidates: Candidates, walker: Walker
) -> None:
    walker.arrive("biwa", "seeds")
    walker.decide("profile", share_progress="yes")
    other = candidates.walker(walker.token)

    assert other.start().status_code == 302
    partners = other.get("/l/partners").text
    assert re.search(r'id="partner-biwa"\s+checked', partners)
    assert not re.search(r'id="partner-bridge"\s+checked', partners)
    for page in ("/l/about", "/l/experience", "/l/check", "/l/done"):
        answer = other.get(page)
        assert (answer.status_code, answer.location) == (302, "/l/code")

    candidates.web.clock.move(61)
    other.verify()
    assert "5" in other.get("/l/experience").text
    assert other.get("/l/check").status_code == 200


def test_a_wrong_answer_is_kept_for_the_person_to_correct(
    candidates: Candidates, walker: Walker
) -> None:
    walker.arrive("biwa")
    about = {**walker.about, "phone": "そのうち", "city": "港区"}
    answer = walker.post("/l/about", about, page="/l/about")

    assert answer.status_code == 422
    page = walker.get("/l/about").text
    assert "そのうち" in page
    assert "港区" in page
    assert walker.get("/l/check").location == "/l/about"


def test_adding_a_row_keeps_what_was_typed(walker: Walker) -> None:
    walker.arrive("biwa")
    typed = {**walker.experience, "work-0-name": "株式会社みどり", "do": "add-work"}
    answer = walker.post("/l/experience", typed, page="/l/experience")

    assert answer.location.startswith("/l/experience?more=work")
    page = walker.get(answer.location).text
    assert 'value="株式会社みどり"' in page
    assert 'name="work-1-name"' in page


@pytest.mark.parametrize("skill", [NAME, f"{FAMILY}{GIVEN}", "a@b.example.jp", "090-5550-1234"])
def test_the_summary_without_a_name_stays_without_one(
    candidates: Candidates, walker: Walker, skill: str
) -> None:
    walker.start()
    walker.choose("biwa")
    walker.decide()
    walker.verify()
    walker.experience["skills"] = f"Python\n{skill}"

    answer = walker.fill()

    assert answer.status_code == 422
    assert "お名前のない概要に載ります" in answer.text
    assert walker.get("/l/check").location == "/l/experience"


def test_what_is_hidden_is_in_no_byte_that_leaves(candidates: Candidates, walker: Walker) -> None:
    walker.arrive("biwa", order="profile", hide_source="yes", hide_stage="yes")
    walker.agree("biwa")

    (referral,) = candidates.envelopes()["biwa"]
    assert referral.card.reached_stage == ""
    assert referral.profile is not None
    assert b"interview" not in referral.encode()
    assert "reachedStage" not in referral.profile.content["x-jp"]
    assert referral.profile.content["x-jp"]["sourceHidden"] is True
    assert not {"source", "reached-stage", "progress"} & set(referral.grounds.items)
    assert "source-hidden" in referral.grounds.items


def test_what_is_not_hidden_is_told(candidates: Candidates, walker: Walker) -> None:
    walker.arrive("biwa", share_progress="yes")
    walker.agree("biwa")

    (referral,) = candidates.envelopes()["biwa"]
    assert referral.card.reached_stage == "interview_1"
    assert {"source", "reached-stage", "progress"} <= set(referral.grounds.items)
    with candidates.node.database.reading() as session:
        assert session.query(models.ReferralOut).one().shares_progress


@pytest.mark.parametrize("stage", ["withdrawn_by_candidate", "declined_by_company", "no_answer"])
def test_nothing_negative_can_travel_as_a_stage(candidates: Candidates, stage: str) -> None:
    _, token = candidates.invite(stage_code=stage)
    walker = candidates.walker(token)
    walker.arrive("biwa", order="profile")
    walker.agree("biwa")

    (referral,) = candidates.envelopes()["biwa"]
    assert stage.encode() not in referral.encode()


def test_gentle_remarks_refuse_nothing(walker: Walker) -> None:
    walker.experience["summary"] = "両親の影響で本籍地を離れました。"
    walker.arrive("biwa")

    page = walker.get("/l/check").text
    assert "書かなくてもよいことです" in page
    assert walker.agree("biwa").location == "/l/done"


def test_the_steps_cannot_be_skipped(candidates: Candidates, walker: Walker) -> None:
    assert walker.get("/l/partners").status_code == 404  # nobody began
    walker.start()
    walker.choose("biwa")
    assert walker.get("/l/check").location == "/l/code"
    walker.verify()
    assert walker.get("/l/check").location == "/l/how"
    walker.decide()
    assert walker.get("/l/check").location == "/l/about"
    assert len(candidates.envelopes()["biwa"]) == 0


def test_after_the_consent_the_back_button_leads_to_what_was_done(walker: Walker) -> None:
    walker.arrive("biwa")
    walker.agree("biwa")

    for page in ("/l/partners", "/l/how", "/l/code", "/l/about", "/l/experience", "/l/check"):
        assert walker.get(page).location == "/l/done"


def test_a_form_from_elsewhere_is_refused(candidates: Candidates, walker: Walker) -> None:
    before = candidates.rows()
    answer = walker.client.post("/l/start", data={"token": walker.token})

    assert answer.status_code == 400
    assert candidates.rows() == before


@pytest.mark.parametrize("policy", [Policy(partners_per_screen=2)])
def test_more_companies_than_the_charter_lets_on_a_screen_stand_on_several(
    candidates: Candidates, walker: Walker
) -> None:
    def shown(page: str) -> list[str]:
        return re.findall(r'name="partner" value="(\w+)"', walker.get(page).text)

    walker.start()
    assert shown("/l/partners") == ["biwa", "seeds"]
    assert walker.choose("biwa").location == "/l/partners?screen=2"
    assert shown("/l/partners?screen=99") == ["bridge"]
    values = {"screen": "2", "partner": ["bridge"]}
    assert walker.post("/l/partners", values, page="/l/partners").location == "/l/how"
    back = walker.get("/l/partners").text
    assert re.search(r'id="partner-biwa"\s+checked', back)
    # The first screen again, with nothing ticked: the second screen's tick stays.
    walker.choose()
    with candidates.node.database.reading() as session:
        assert [row.member for row in session.query(models.ConsentChoice)] == ["bridge"]


def test_what_pasting_brings_along_unseen_neither_travels_nor_stops_the_way(
    candidates: Candidates, walker: Walker
) -> None:
    walker.about["label"] = "\u202e開発\x0b職\u2066"
    walker.experience["skills"] = "Py\u202ethon\n営\x7f業"
    walker.arrive("biwa", order="profile")
    assert walker.agree("biwa").status_code == 302
    (referral,) = candidates.envelopes()["biwa"]
    assert referral.card.skills == ("Python", "営業")
    assert referral.profile is not None
    assert referral.profile.content["basics"]["label"] == "開発職"
