"""Hires and points: a hire with fee or slot, the statement, certificates, the comparison."""

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from node import models
from node.cli.doctor.alliance import Visit, look_at_ledger
from node.cli.doctor.findings import WRONG
from node.services import erasures, hires, ledger
from node.services.ledger import StatementLine, evidence, tenure
from protocol import b64encode, evidence_of, sign, verify_order
from tests.equipment.peers import node_of
from tests.equipment.season import PEOPLE, Season
from tests.equipment.web_house import Visitor, WebHouse

HIRE = {"joins_on": "2027-04-01", "annual_pay_yen": "6200000"}


def text(answer: TestResponse) -> str:
    assert answer.status_code == 200, answer.status_code
    return answer.get_data(as_text=True)


def earn(season: Season, points: int) -> None:
    """Other members accept so many of aoba's people, and it is certified."""
    for number in range(points):
        season.accepted("aoba", ("biwa", "seeds")[number % 2], PEOPLE[number % len(PEOPLE)])
    season.certify_all()


def count(season: Season) -> int:
    with season.alliance["aoba"].database.reading() as session:
        return session.scalar(select(func.count()).select_from(models.Hire)) or 0


def balance(season: Season) -> int:
    aoba = season.alliance["aoba"]
    with aoba.database.reading() as session:
        return ledger.position(session, aoba.context).available


def test_a_hire_with_a_slot_shows_its_cost_first_and_costs_no_fee(
    season: Season, web: WebHouse
) -> None:
    earn(season, 11)
    own = season.accepted("bridge", "aoba", PEOPLE[6])
    season.certify_all()
    recruiter = web.signed_in("recruiter")
    assert "現在 10 → 利用後 0" in text(recruiter.get(f"/referrals/in/{own}/hire"))
    wish = HIRE | {"how": "slot"}
    asked = text(recruiter.post(f"/referrals/in/{own}/hire", wish))
    assert "10ポイント" in asked
    assert count(season) == 0

    done = text(recruiter.post(f"/referrals/in/{own}/hire", wish | {"confirmed": "yes"}))
    assert "入社を登録しました" in done
    assert balance(season) == 0
    season.carry()
    season.certify_all()
    page = text(recruiter.get("/hires"))
    assert "無料採用枠（手数料0円）" in page
    assert "−10" in page
    assert "台帳に記載済み" in page
    theirs = text(WebHouse(season.alliance["bridge"]).signed_in("recruiter").get("/hires"))
    assert "+10" in theirs


def test_without_a_slot_none_is_offered_and_none_is_taken(season: Season, web: WebHouse) -> None:
    own = season.accepted("bridge", "aoba", PEOPLE[6])
    recruiter = web.signed_in("recruiter")
    page = text(recruiter.get(f"/referrals/in/{own}/hire"))
    assert 'id="how-slot"' not in page
    assert "あと11ポイント" in page
    refused = recruiter.post(
        f"/referrals/in/{own}/hire", HIRE | {"how": "slot", "confirmed": "yes"}
    )
    assert refused.status_code == 409
    assert "slot-missing" in refused.get_data(as_text=True)
    assert (count(season), season.row_in("aoba", own).state) == (0, "profile_received")


def test_a_fee_goes_to_an_agency_only(season: Season, web: WebHouse) -> None:
    maker, agency = (season.accepted(each, "aoba", PEOPLE[6]) for each in ("biwa", "bridge"))
    recruiter = web.signed_in("recruiter")
    wish = HIRE | {"how": "fee", "fee_yen": "1800000", "confirmed": "yes"}
    refused = recruiter.post(f"/referrals/in/{maker}/hire", wish)
    assert refused.status_code == 409
    assert "fee-not-allowed" in refused.get_data(as_text=True)
    assert count(season) == 0
    assert "1,800,000" in text(recruiter.post(f"/referrals/in/{agency}/hire", wish))
    assert "1,800,000円" in text(recruiter.get("/hires"))
    assert "1,800,000" not in text(web.signed_in("viewer").get("/hires"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"joins_on": ""},
        {"joins_on": "2027-02-30"},
        {"how": ""},
        {"how": "gift"},
        {"fee_yen": "-1"},
        {"fee_yen": "lots"},
        {"annual_pay_yen": "100000001"},
        {"how": "slot", "fee_yen": "5"},
    ],
    ids=lambda wrong: " ".join(f"{key}={value}" for key, value in wrong.items()),
)
def test_a_hire_that_makes_no_sense_is_refused(
    season: Season, web: WebHouse, wrong: dict[str, str]
) -> None:
    own = season.accepted("bridge", "aoba", PEOPLE[6])
    wish = HIRE | {"how": "fee", "confirmed": "yes"} | wrong
    refused = web.signed_in("recruiter").post(f"/referrals/in/{own}/hire", wish)
    assert refused.status_code == 422
    assert 'id="form-errors"' in refused.get_data(as_text=True)
    assert (count(season), season.row_in("aoba", own).state) == (0, "profile_received")


def test_a_person_is_hired_once(season: Season, web: WebHouse) -> None:
    own = season.accepted("bridge", "aoba", PEOPLE[6])
    season.hire("aoba", own, slot=False)
    refused = web.signed_in("recruiter").post(
        f"/referrals/in/{own}/hire", HIRE | {"how": "fee", "confirmed": "yes"}
    )
    assert refused.status_code == 409
    assert "hire-registered" in refused.get_data(as_text=True)
    assert count(season) == 1


def test_a_hire_that_its_person_does_not_share_is_only_counted(
    season: Season, web: WebHouse
) -> None:
    own = season.accepted("aoba", "biwa", PEOPLE[3], share=False)
    season.move("biwa", own, "interview_1")
    season.hire("biwa", own, slot=False)
    season.carry()
    recruiter = web.signed_in("recruiter")
    page = text(recruiter.get("/hires"))
    assert "非共有" in page
    assert "2027/04/01" not in page
    with season.alliance["aoba"].database.reading() as session:
        (hire,) = hires.list_hires(session, limit=5).rows
    assert hire.referral_id not in page
    sent = text(recruiter.get(f"/referrals/out/{hire.referral_id}"))
    for secret in ("一次面接", "2027/04/01", ">採用<"):
        assert secret not in sent
    assert hire.referral_id not in text(recruiter.get("/referrals/out?state=hired"))
    assert hire.referral_id in text(recruiter.get("/referrals/out?state=released"))
    table = recruiter.get("/referrals/out/export.csv").get_data().decode("utf-8-sig")
    assert "一次面接" not in table
    assert "加藤" not in table, "the file names nobody"


@pytest.mark.parametrize("share", [True, False])
def test_that_it_keeps_a_hire_is_told_only_where_the_person_shares_it(
    season: Season, web: WebHouse, *, share: bool
) -> None:
    own = season.accepted("aoba", "biwa", PEOPLE[3], share=share)
    season.hire("biwa", own, slot=False)
    aoba = season.alliance["aoba"]
    # Taken back before the news of the hire is there.
    with aoba.database.transaction() as session:
        consent = session.scalars(select(models.ReferralOut.consent_id)).one()
        assert erasures.withdraw(session, aoba.context, consent) == 1
    season.carry()
    with aoba.database.reading() as session:
        assert session.scalars(select(models.Erasure.kept)).one() == "hire,record"
    page = text(web.signed_in("recruiter").get("/erasures"))
    assert ("雇用に必要な情報" in page.split("<tbody", 1)[1].split("</tbody>")[0]) == share


def test_the_page_of_points_says_how_far_the_next_slot_is(season_on: Season) -> None:
    earn(season_on, 7)
    season_on.accepted("aoba", "bridge", PEOPLE[8])  # promised, not certified
    page = text(WebHouse(season_on.alliance["aoba"]).signed_in("approver").get("/points"))
    assert "次の無料採用枠まで、あと3ポイント" in page
    assert 'aria-label="10ポイント中7ポイント"' in page
    promised = page.split('id="promised"', 1)[1].split("stat-value", 1)[1][:10]
    assert ">1" in promised


def test_the_balance_is_counted_back_day_by_day(season_on: Season) -> None:
    aoba = season_on.alliance["aoba"]
    earn(season_on, 2)
    season_on.days(3)
    earn(season_on, 1)
    season_on.accepted("biwa", "aoba", PEOPLE[9])
    season_on.certify_all()
    season_on.days(1)
    with aoba.database.reading() as session:
        found = ledger.balances(session, aoba.context, days=6)
    assert [points for _at, points in found] == [0, 2, 2, 2, 2, 2]
    assert [aoba.context.day_of(at) for at, _points in found][-1] == aoba.context.day_of(
        season_on.clock.now()
    )


def lines(season: Season, **where: object) -> list[StatementLine]:
    aoba = season.alliance["aoba"]
    with aoba.database.reading() as session:
        return ledger.statement(session, aoba.context, **where)


def test_the_statement_turns_both_ways(season_on: Season) -> None:
    earn(season_on, 5)
    season_on.accepted("biwa", "aoba", PEOPLE[9])
    season_on.certify_all()
    whole = lines(season_on, limit=50)
    assert len(whole) == 6
    second = lines(season_on, before=ledger.line_key(whole[1]), limit=2)
    assert second == whole[2:4]
    assert lines(season_on, after=ledger.line_key(second[0]), limit=2) == whole[:2]
    assert lines(season_on, after=ledger.line_key(whole[4]), limit=2) == whole[2:4]


def test_the_statement_as_a_file_adds_up(season: Season, web: WebHouse) -> None:
    earn(season, 3)
    answer = web.signed_in("recruiter").get("/points/export.csv")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="points-2027')
    table = answer.get_data().decode("utf-8-sig").splitlines()
    assert sum(int(line.split(",")[3]) for line in table[1:]) == 3
    older = web.signed_in("recruiter").get("/points/export.csv?encoding=cp932")
    assert older.get_data().decode("cp932").splitlines() == table


def test_a_certificate_says_who_voted_and_can_be_verified(season: Season, web: WebHouse) -> None:
    earn(season, 1)
    recruiter = web.signed_in("recruiter")
    page = text(recruiter.get("/points/certificates/biwa/1"))
    assert "口座の企業" in page
    assert "4社中" in page
    assert "&#34;to&#34;:&#34;aoba&#34;" in page
    assert 'id="check-result"' not in page
    assert "この証明書は有効です" in text(recruiter.get("/points/certificates/biwa/1?check=now"))
    file = recruiter.get("/points/certificates/biwa/1/file")
    with season.alliance["aoba"].database.reading() as session:
        stored = session.get(models.LedgerCertificate, ("biwa", 1))
        assert stored
        assert file.get_data() == stored.document
    for path in ("biwa/2", "nobody/1"):
        missing = recruiter.get(f"/points/certificates/{path}")
        assert missing.status_code == 404
        assert "certificate-unknown" in missing.get_data(as_text=True)


def test_a_certificate_that_was_changed_in_the_database_does_not_hold(
    season: Season, web: WebHouse
) -> None:
    earn(season, 1)
    with season.alliance["aoba"].database.transaction() as session:
        stored = session.get(models.LedgerCertificate, ("biwa", 1))
        assert stored
        order, vote = stored.document.split(b',"vote":')
        signature = b64encode(bytes(64)).encode()
        at = order.index(b'"value":"') + len(b'"value":"')
        stored.document = order[:at] + signature + order[at + len(signature) :] + b',"vote":' + vote
    recruiter = web.signed_in("recruiter")
    page = text(recruiter.get("/points/certificates/biwa/1?check=now"))
    assert "この証明書は正しくありません" in page
    assert "有効です" not in page


def comparison(web: WebHouse, reader: Visitor) -> str:
    return text(reader.get("/points")).split('id="ledger-comparison"', 1)[1]


def test_every_peers_ledger_stands_beside_ours(season_on: Season) -> None:
    web = WebHouse(season_on.alliance["aoba"])
    reader = web.signed_in("admin")
    assert comparison(web, reader).count("未照合") == 3
    earn(season_on, 1)
    season_on.compare("aoba")
    assert comparison(web, reader).count("一致") == 3

    # Now we know of an order that they did not have when we asked them.
    earn(season_on, 1)
    behind = comparison(web, reader)
    assert behind.count("先方に未反映の記載があります") == 3
    assert "biwa #2（自社 2まで・先方 1まで）" in behind or "seeds #1" in behind


def test_equal_numbers_with_another_content_are_called_by_their_name(
    season: Season, web: WebHouse
) -> None:
    earn(season, 1)
    season.compare("aoba")
    with season.alliance["aoba"].database.transaction() as session:
        peer = session.get(models.Peer, "seeds")
        assert peer
        peer.head_digest = bytes(32)
    shown = comparison(web, web.signed_in("admin"))
    assert "差異あり" in shown
    assert shown.count("一致") == 2 + 1, "two peers are equal, and the sentence says numbers are"


def test_points_need_an_alliance(season: Season, web: WebHouse) -> None:
    with season.alliance["aoba"].database.transaction() as session:
        session.query(models.Charter).delete()
    refused = web.signed_in("admin").get("/points")
    assert refused.status_code == 409
    assert "not-founded" in refused.get_data(as_text=True)


def test_what_was_signed_twice_stands_on_the_page_with_its_proof(
    season: Season, web: WebHouse
) -> None:
    biwa, aoba = season.alliance["biwa"], season.alliance["aoba"]
    season.accepted("aoba", "biwa", PEOPLE[0])
    with biwa.database.transaction() as session:
        order = ledger.open_order(session, biwa.context)
    assert order is not None
    other = order.body._replace(seen={"seeds": 1}).encode()
    second = sign("order", other, biwa.context.keyring.signing)
    accused = evidence_of(order, verify_order(second, season.alliance.charter))
    recruiter = web.signed_in("recruiter")
    assert 'id="evidence"' not in text(recruiter.get("/points"))
    with aoba.database.transaction() as session:
        evidence.receive(session, aoba.context, accused.encode())
    page = text(recruiter.get("/points"))
    assert "二重に署名された支払い" in page
    file = recruiter.get("/points/evidence/biwa/1/1/file")
    assert file.get_data() == accused.encode()
    assert recruiter.get("/points/evidence/biwa/2/1/file").status_code == 404


def test_an_account_that_another_machine_took_over_says_what_to_do(
    season: Season, web: WebHouse
) -> None:
    aoba = season.alliance["aoba"]
    recruiter = web.signed_in("recruiter")
    with aoba.database.transaction() as session:
        tenure.fence(session, aoba.context, 1, "test")
    assert 'id="fencing"' in text(recruiter.get("/points"))
    with aoba.database.transaction() as session:
        tenure.supersede(session, aoba.context)
    page = text(recruiter.get("/points"))
    assert "別の機器が自社の口座から支払っています" in page
    told = look_at_ledger(Visit(node_of(aoba), season.alliance.charter))
    assert [(each.name, each.state) for each in told] == [("account", WRONG)]


def test_a_peers_accounts_stand_beside_ours(season: Season, web: WebHouse) -> None:
    earn(season, 3)
    season.compare("aoba")
    earn(season, 1)
    recruiter = web.signed_in("recruiter")
    page = text(recruiter.get("/points/comparison/biwa"))
    assert "tasuki ledger diff biwa" in page
    assert 'id="their-digest"' in page
    assert recruiter.get("/points/comparison/aoba").status_code == 404
    assert recruiter.get("/points/comparison/nobody").status_code == 404
