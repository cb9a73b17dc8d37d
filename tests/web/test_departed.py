"""The pages of a company that has left, and those of the members that stayed: none breaks."""

import csv

import pytest

from node.services import ledger
from tests.equipment.departing import expel
from tests.equipment.season import PEOPLE, Season
from tests.equipment.web_house import WebHouse
from tests.web.test_unstorable import filled, rules


@pytest.fixture
def gone(season: Season) -> WebHouse:
    """Bridge, which referred, was referred to and hired, and was expelled."""
    sent = season.accepted("bridge", "biwa", PEOPLE[0])
    season.hire("biwa", sent, slot=False, fee_yen=800_000)
    season.accepted("aoba", "bridge", PEOPLE[1])
    season.offered("aoba", "bridge", PEOPLE[2])
    season.certify_all()
    expel(season.alliance, "bridge", told=["bridge"])
    return WebHouse(season.alliance["bridge"])


def addresses(web: WebHouse) -> list[str]:
    """Every page, for something that is there and for something that is not."""
    found = [filled(rule, "there") for rule in rules(web, "GET")]
    return [*found, *(filled(rule, "biwa") for rule in rules(web, "GET"))]


def test_every_page_of_a_node_that_has_left_is_a_page(gone: WebHouse) -> None:
    admin = gone.signed_in("admin")
    broken = [each for each in addresses(gone) if admin.get(each).status_code >= 500]
    assert broken == []


def test_no_form_of_a_node_that_has_left_breaks(gone: WebHouse) -> None:
    admin = gone.signed_in("admin")
    broken = [
        rule for rule in rules(gone, "POST") if admin.post(filled(rule, "biwa")).status_code >= 500
    ]
    assert broken == []


def test_it_says_that_it_has_left_and_what_stays(gone: WebHouse) -> None:
    admin = gone.signed_in("admin")
    page = admin.get("/").get_data(as_text=True)
    assert "みなと採用連合から離脱しています" in page
    assert "承認を待っています" not in page
    for path in ("/points", "/hires", "/referrals/out", "/referrals/in", "/applicants", "/peers"):
        assert admin.get(path).status_code == 200, path


def test_the_lists_of_those_who_stayed_name_the_company_that_left(
    season: Season, gone: WebHouse
) -> None:
    assert gone.house.id == "bridge"
    admin = WebHouse(season.alliance["aoba"]).signed_in("admin")
    page = admin.get("/referrals/out?recipient=bridge").get_data(as_text=True)
    assert page.count("株式会社bridge") >= 3, "two referrals, and the choice of companies"
    biwa = WebHouse(season.alliance["biwa"]).signed_in("admin")
    assert "株式会社bridge" in biwa.get("/hires").get_data(as_text=True)
    assert "株式会社bridge" in biwa.get("/hires/export.csv").get_data(as_text=True)
    assert "株式会社bridge" in biwa.get("/points").get_data(as_text=True)


def test_every_page_about_a_referral_of_a_company_that_left_is_a_page(
    season: Season, gone: WebHouse
) -> None:
    assert gone.house.id == "bridge"
    for house in ("aoba", "biwa", "bridge"):
        web = WebHouse(season.alliance[house])
        admin = web.signed_in("admin")
        own = [each.id for each in season.referrals(house)]
        assert own
        for rule in rules(web, "GET"):
            for each in own:
                assert admin.get(filled(rule, each)).status_code < 500, (house, rule)


def test_hr_reads_that_the_company_left_and_what_was_not_sent(season: Season) -> None:
    sent = season.refer("aoba", "bridge", PEOPLE[0])
    expel(season.alliance, "bridge")
    recruiter = WebHouse(season.alliance["aoba"]).signed_in("recruiter")
    page = recruiter.get(f"/referrals/out/{sent}").get_data(as_text=True)
    assert "採用連合から離脱したため、送信されませんでした" in page
    front = recruiter.get("/").get_data(as_text=True)
    assert "株式会社bridgeが採用連合から離脱しました。" in front
    assert "1通" in front
    season.days(31)
    assert "離脱しました" not in recruiter.get("/").get_data(as_text=True)


def test_the_settlement_with_a_company_that_left_is_a_page_and_a_file(
    season: Season, gone: WebHouse
) -> None:
    biwa = season.alliance["biwa"]
    admin = WebHouse(biwa).signed_in("recruiter")
    with biwa.database.reading() as session:
        found = ledger.settlement(session, biwa.context, "bridge")
    assert "/points/settlements/bridge" in admin.get("/points").get_data(as_text=True)
    page = admin.get("/points/settlements/bridge").get_data(as_text=True)
    assert "株式会社bridgeとの精算" in page
    assert '<dd id="sum">-1</dd>' in page.replace("−", "-")
    assert found.cut_digest.hex() in page
    rows = list(
        csv.reader(
            admin.get("/points/settlements/bridge/export.csv").data.decode("utf-8-sig").splitlines()
        )
    )
    assert [row[2:5] for row in rows[1:3]] == [["株式会社bridge", "0", "1"]] * 2
    assert rows[2][1] == "合計"
    assert [row[2] for row in rows[3:]] == ["2", found.charter.digest.hex(), found.cut_digest.hex()]
    assert admin.get("/points/settlements/aoba").status_code == 404
    # The company that left has the same, with every other.
    own = gone.signed_in("recruiter").get("/points/settlements/biwa").get_data(as_text=True)
    assert found.cut_digest.hex() in own
    viewer = WebHouse(biwa).signed_in("viewer")
    assert viewer.get("/points/settlements/bridge").status_code == 403
