"""Rights: taken back by one tap, read and erased behind a code; and what others cannot do."""

import json
import re

import pytest
from sqlalchemy import select

from node import models
from node.services import consents, records, referrals
from node.services.applicants import notifiable
from protocol import Withdrawal, envelope
from tests.equipment.alliance import House
from tests.equipment.candidates import EMAIL, NAME, PHONE, Candidates, Walker
from tests.equipment.letters import carry
from tests.equipment.referring import accept, received


@pytest.fixture
def walker(candidates: Candidates) -> Walker:
    """Somebody who has agreed to two companies."""
    _, token = candidates.invite()
    walker = candidates.walker(token)
    walker.arrive("biwa", "bridge", share_progress="yes")
    walker.agree("biwa", "bridge")
    return walker


@pytest.fixture
def page(candidates: Candidates, walker: Walker) -> str:
    """The path of the person's status page, once both companies have the card."""
    carry(candidates.alliance)
    (mail,) = candidates.mails("receipt")
    found = re.search(r"(/s/[A-Za-z0-9_-]{22})\n", mail.text)
    assert found
    return found[1]


@pytest.fixture
def stranger(candidates: Candidates) -> Walker:
    """Somebody to whom the receipt was passed on."""
    return candidates.walker("x" * 22)


def steps(walker: Walker, page: str) -> dict[str, str]:
    text = walker.get(page).text
    return dict(re.findall(r'id="state-([a-z]+)" data-step="([a-z-]+)"', text))


def prove(candidates: Candidates, walker: Walker, page: str) -> None:
    # The newest code is found by its time.
    candidates.web.clock.move(1)

    walker.post(f"{page}/code/send", {}, page=f"{page}/data")
    answer = walker.post(f"{page}/code", {"code": candidates.code()}, page=f"{page}/data")
    assert answer.status_code == 302


def test_looking_at_the_pages_changes_nothing(
    candidates: Candidates, walker: Walker, page: str
) -> None:
    before = candidates.rows()
    for path in ("", "/withdraw", "/withdraw?company=biwa", "/stop", "/data", "/erase"):
        for _ in range(3):
            assert walker.get(page + path).status_code in (200, 302)
    assert candidates.rows() == before
    assert steps(walker, page) == {"biwa": "waiting", "bridge": "waiting"}


def test_one_company_is_taken_back_and_proves_it(
    candidates: Candidates, walker: Walker, page: str
) -> None:
    asking = walker.get(f"{page}/withdraw?company=biwa").text
    assert "株式会社biwa" in asking
    assert "株式会社bridge" not in asking
    hidden = re.search(r'name="company" value="([^"]*)"', asking)
    assert hidden
    answer = walker.post(f"{page}/withdraw", {"company": hidden[1]}, page=f"{page}/withdraw")
    assert answer.status_code == 302
    assert steps(walker, page) == {"biwa": "erasing", "bridge": "waiting"}
    carry(candidates.alliance)
    assert steps(walker, page) == {"biwa": "erased", "bridge": "waiting"}
    assert received(candidates.alliance["biwa"]).state == "withdrawn"
    assert received(candidates.alliance["bridge"]).state == "received"
    # Once more changes nothing, and there is no button for it.
    before = candidates.rows()
    walker.post(f"{page}/withdraw", {"company": "biwa"}, page=f"{page}/withdraw")
    assert candidates.rows() == before
    assert 'id="withdraw-biwa"' not in walker.get(page).text


def test_all_are_taken_back_after_the_profile_was_released_and_the_records_stay(
    candidates: Candidates, walker: Walker, page: str
) -> None:
    """DOMAIN 8, check 4."""
    biwa = candidates.alliance["biwa"]
    accept(biwa, received(biwa).id)
    carry(candidates.alliance)
    assert received(biwa).profile_blob is not None
    walker.post(f"{page}/withdraw", {}, page=f"{page}/withdraw")
    carry(candidates.alliance)
    assert steps(walker, page) == {"biwa": "erased", "bridge": "erased"}
    with candidates.node.database.reading() as session:
        assert session.scalars(select(models.Consent.state)).all() == ["withdrawn"]
    for house in candidates.alliance.others("aoba"):
        with house.database.reading() as session:
            blobs = session.scalars(select(models.ReferralIn.profile_blob)).all()
            keys = session.scalars(select(models.PersonKey.wrapped)).all()
        assert not any((*blobs, *keys)), house.id
    # Art. 29 here and Art. 30 there, of the profile that biwa had, can still be read.
    assert ("biwa", NAME) in on_record(candidates.alliance["aoba"], "provided")
    assert on_record(biwa, "received") == [("aoba", NAME)]
    assert "3年間" in walker.get(page).text


def on_record(house: House, register: str) -> list[tuple[str, str]]:
    with house.database.reading() as session:
        rows = list(records.every(session, house.context, records.Filters(register)))
    return [(each.row.peer, each.name) for each in rows]


def test_a_company_that_is_silent_is_shown_as_late(
    candidates: Candidates, walker: Walker, page: str
) -> None:
    walker.post(f"{page}/withdraw", {}, page=f"{page}/withdraw")
    candidates.web.clock.move(15 * 86_400)
    assert steps(walker, page) == {"biwa": "erasing-late", "bridge": "erasing-late"}


def test_the_data_is_shown_and_erased_only_behind_a_code(
    candidates: Candidates, walker: Walker, stranger: Walker, page: str
) -> None:
    for path in ("/data", "/data.json", "/erase"):
        text = stranger.get(page + path).text
        assert all(word not in text for word in (NAME, EMAIL, PHONE))
    stranger.post(f"{page}/code/send", {}, page=f"{page}/data")
    wrong = stranger.post(f"{page}/code", {"code": "000000"}, page=f"{page}/data")
    assert wrong.status_code == 422
    answer = stranger.post(f"{page}/erase", {}, page=page)
    assert answer.location.endswith("/data")
    with candidates.node.database.reading() as session:
        assert session.scalar(select(models.PersonKey.erased_at)) is None
    # The person went the whole way in this browser: the mailbox is proven in it.
    shown = walker.get(f"{page}/data").text
    assert all(word in shown for word in (NAME, EMAIL, "株式会社biwa"))


def test_everything_is_in_the_file(candidates: Candidates, stranger: Walker, page: str) -> None:
    prove(candidates, stranger, page)
    answer = stranger.get(f"{page}/data.json")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
    copy = json.loads(answer.data)
    assert copy["person"]["email"] == EMAIL
    assert copy["consent"]["profile"]["basics"]["name"] == NAME
    assert copy["consent"]["receipt"]["kind"] == "consent-receipt"
    assert [each["company"] for each in copy["sent"]] == ["株式会社biwa", "株式会社bridge"]
    assert {each["to"] for each in copy["records"]} == {"株式会社biwa", "株式会社bridge"}
    assert "card" in copy["records"][0]["items"]
    assert 'id="records"' in stranger.get(f"{page}/data").text


def test_erasing_destroys_the_key_and_asks_everybody(
    candidates: Candidates, walker: Walker, page: str
) -> None:
    before = walker.get(f"{page}/erase").text
    assert "3年間" in before
    walker.post(f"{page}/erase", {}, page=f"{page}/erase")
    carry(candidates.alliance)
    shown = walker.get(page).text
    assert 'id="erased"' in shown
    assert 'id="rights"' not in shown
    assert steps(walker, page) == {"biwa": "erased", "bridge": "erased"}
    with candidates.node.database.reading() as session:
        key = session.scalars(select(models.PersonKey)).one()
        applicant = session.scalars(select(models.Applicant)).one()
        assert (key.wrapped, applicant.person_blob, applicant.email_index) == (None, b"", None)
        assert session.scalars(select(models.Consent.sealed_blob)).all() == [b""]
    (mail,) = candidates.mails("erasure")
    assert mail.to == EMAIL
    assert page in mail.text
    # Twice is once; and there is no mailbox left to send a code to.
    rows = candidates.rows()
    walker.post(
        f"{page}/erase",
        {},
        page=page,
    )
    assert candidates.rows() == rows
    assert "6桁" not in walker.get(f"{page}/data").text


def test_do_not_write_again_is_honoured_and_nothing_else_changes(
    candidates: Candidates, walker: Walker, page: str
) -> None:
    walker.post(f"{page}/stop", {}, page=f"{page}/stop")
    assert steps(walker, page) == {"biwa": "waiting", "bridge": "waiting"}
    with candidates.node.database.reading() as session:
        (applicant,) = session.scalars(select(models.Applicant.id)).all()
        found = notifiable(session, candidates.node.context, [applicant])
    assert found.excluded == {applicant: "suppressed"}


def test_an_old_link_and_a_wrong_address_take_nothing_back(
    candidates: Candidates, walker: Walker, page: str
) -> None:
    before = candidates.rows()
    link = walker.get(walker.arrival).text
    assert "withdraw" not in link
    for path in (f"/s/{'A' * 22}/withdraw", f"/s/{'A' * 22}/erase", f"/s/{walker.token}/stop"):
        answer = walker.post(path, {}, page=page)
        assert answer.status_code == 404
    assert candidates.rows() == before


def test_the_withdrawal_says_nothing_about_the_person(
    candidates: Candidates, walker: Walker, page: str
) -> None:
    walker.post(f"{page}/withdraw", {"company": "biwa"}, page=f"{page}/withdraw")
    with candidates.node.database.reading() as session:
        sealed = session.scalars(
            select(models.OutboxEntry.envelope).where(models.OutboxEntry.kind == "withdrawal")
        ).one()
    document = envelope.open(
        envelope.parse(sealed), candidates.alliance["biwa"].context.keyring.sealing
    )
    assert set(json.loads(document.payload)) == {"erase_by", "referral", "withdrawn_at"}
    assert Withdrawal.parse(document.payload).referral


def test_no_answer_is_said_on_the_page_and_in_one_mail(
    candidates: Candidates, walker: Walker, page: str
) -> None:
    aoba, biwa = candidates.alliance["aoba"], candidates.alliance["biwa"]
    with biwa.database.reading() as session:
        days = biwa.context.charter(session).policy.answer_days
        until = referrals.last_day(biwa.context, days, received(biwa).due_at)
    candidates.web.clock.move(until - aoba.context.now() + 1)
    with candidates.node.database.transaction() as session:
        assert consents.end_unanswered(session, candidates.node.context) == 1
    with candidates.node.database.transaction() as session:
        assert consents.end_unanswered(session, candidates.node.context) == 0
    assert steps(walker, page) == {"biwa": "no-answer", "bridge": "no-answer"}
    (mail,) = candidates.mails("no-answer")
    assert (mail.to, page in mail.text) == (EMAIL, True)
    assert "・株式会社biwa\n・株式会社bridge" in mail.text


def test_a_correction_reaches_every_company_that_has_the_profile(
    candidates: Candidates, walker: Walker, page: str
) -> None:
    biwa, bridge = (candidates.alliance[name] for name in ("biwa", "bridge"))
    accept(biwa, received(biwa).id)
    carry(candidates.alliance)
    shown = walker.get(f"{page}/correct").text
    assert 'value="髙﨑"' in shown
    mended = {"family_name": "高崎", "given_name": "汐莉", "phone": "090-1111-2222"}
    wrong = walker.post(
        f"{page}/correct", {**mended, "family_kana": "たかさき1"}, page=f"{page}/correct"
    )
    assert wrong.status_code == 422
    answer = walker.post(f"{page}/correct", mended, page=f"{page}/correct")
    assert answer.status_code == 302
    assert "1社" in walker.get(f"{page}/data").text
    assert carry(candidates.alliance) == []
    with biwa.database.transaction() as session:
        row = received(biwa)
        profile = referrals.open_profile(session, biwa.context, row, user_id="hanako")
    assert profile.content["basics"]["name"] == "高崎 汐莉"
    assert profile.content["basics"]["phone"] == "090-1111-2222"
    assert "familyNameKana" not in profile.content["x-jp"]
    # What waited for bridge is the new one, too.
    accept(bridge, received(bridge).id)
    carry(candidates.alliance)
    with bridge.database.transaction() as session:
        row = received(bridge)
        profile = referrals.open_profile(session, bridge.context, row, user_id="hanako")
    assert profile.content["basics"]["name"] == "高崎 汐莉"
    assert json.loads(walker.get(f"{page}/data.json").data)["person"]["name"] == "高崎 汐莉"


def test_corrections_without_end_are_refused_and_change_nothing(
    candidates: Candidates, walker: Walker, page: str
) -> None:
    biwa = candidates.alliance["biwa"]
    accept(biwa, received(biwa).id)
    carry(candidates.alliance)
    for number in range(5):
        values = {"family_name": f"髙﨑{number}"}
        assert walker.post(f"{page}/correct", values, page=f"{page}/correct").status_code == 302
    before = candidates.rows()
    answer = walker.post(f"{page}/correct", {"family_name": "山"}, page=f"{page}/correct")
    assert answer.status_code == 429
    assert candidates.rows() == before
    assert json.loads(walker.get(f"{page}/data.json").data)["person"]["name"] == "髙﨑4"


def test_a_stranger_corrects_nothing(
    candidates: Candidates, walker: Walker, stranger: Walker, page: str
) -> None:
    answer = stranger.post(f"{page}/correct", {"family_name": "山"}, page=page)
    assert answer.location.endswith("/data")
    assert json.loads(walker.get(f"{page}/data.json").data)["person"]["name"] == NAME
