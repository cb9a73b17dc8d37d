"""Referrals sent with their deliveries in words, and the page of peers with its buttons."""

from dataclasses import replace

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from node import models
from node.services import links, measures
from protocol import Charter, limits
from tests.equipment.peers import Answer, Caller
from tests.equipment.season import DAY_S, PEOPLE, Season
from tests.equipment.web_house import WebHouse


def text(answer: TestResponse) -> str:
    assert answer.status_code == 200, answer.status_code
    return answer.get_data(as_text=True)


def peer(season: Season, member: str) -> models.Peer:
    with season.alliance["aoba"].database.reading() as session:
        return session.scalars(select(models.Peer).where(models.Peer.member == member)).one()


def change(season: Season, member: str, **values: object) -> None:
    with season.alliance["aoba"].database.transaction() as session:
        session.query(models.Peer).filter_by(member=member).update(values)


def outbox(season: Season) -> models.OutboxEntry:
    with season.alliance["aoba"].database.reading() as session:
        return session.scalars(select(models.OutboxEntry)).one()


def test_the_way_of_a_referral_from_consent_to_certified_point(
    season: Season, web: WebHouse
) -> None:
    sent = season.refer("aoba", "biwa", PEOPLE[0])
    recruiter = web.signed_in("recruiter")
    page = text(recruiter.get(f"/referrals/out/{sent}"))
    assert "本人が専用リンクを開封" not in page, "nobody opened a link in this season"
    assert "本人が同意" in page
    assert "送信待ち" in page
    assert "次回送信：まもなく" in page

    season.carry()
    season.answer("biwa", season.received("biwa", "aoba", sent))
    season.carry()
    page = text(recruiter.get(f"/referrals/out/{sent}"))
    assert "署名付きの受領証を受け取りました" in page
    assert "受入と引き換えにプロフィールを提供" in page
    assert "ポイントは約束済み" in page
    season.certify_all()
    page = text(recruiter.get(f"/referrals/out/{sent}"))
    assert "ポイントが台帳に記載されました" in page
    assert "/points/certificates/biwa/1" in page
    viewer = text(web.signed_in("viewer").get(f"/referrals/out/{sent}"))
    assert "台帳" not in viewer


def test_that_the_link_was_opened_is_the_first_step_of_a_referral(
    season: Season, web: WebHouse
) -> None:
    house = season.alliance["aoba"]
    sent = season.refer("aoba", "biwa", PEOPLE[0])
    with house.database.transaction() as session:
        row = session.get_one(models.ReferralOut, sent)
        link = links.of_consent(session, row.consent_id)
        assert link is not None
        links.mark_opened(session, house.context, link.id)
    page = text(web.signed_in("recruiter").get(f"/referrals/out/{sent}"))
    assert page.index("本人が専用リンクを開封") < page.index("本人が同意")

    person = text(web.signed_in("recruiter").get(f"/applicants/{row.applicant_id}"))
    assert "専用リンクの開封" in person
    assert "まだ開かれていません" not in person
    assert "まだありません" in person, "the season's consents close no link"


def test_lists_of_sent_referrals_filter_and_count(season_on: Season) -> None:
    for number, member in enumerate(("biwa", "seeds", "seeds")):
        season_on.refer("aoba", member, PEOPLE[number])
    season_on.carry()
    reader = WebHouse(season_on.alliance["aoba"]).signed_in("viewer")
    page = text(reader.get("/referrals/out"))
    assert page.count('id="open-') == 3
    assert page.count("到達済み") == 3
    assert "髙橋 真紀" in page
    assert text(reader.get("/referrals/out?recipient=seeds")).count('id="open-') == 2
    assert text(reader.get("/referrals/out?state=declined")).count('id="open-') == 0
    assert text(reader.get("/referrals/out?state=nonsense")).count('id="open-') == 3
    table = reader.get("/referrals/out/export.csv?recipient=biwa").get_data().decode("utf-8-sig")
    assert len(table.splitlines()) == 2
    assert "髙橋" not in table


def test_a_delivery_that_does_not_succeed_says_why_and_what_is_next(
    season: Season, web: WebHouse
) -> None:
    sent = season.refer("aoba", "biwa", PEOPLE[0])
    now = season.clock.now()
    with season.alliance["aoba"].database.transaction() as session:
        session.query(models.OutboxEntry).update({"attempts": 3, "error_code": "not-reached"})
    change(season, "biwa", state="open", failures=6, next_attempt_at=now + 1800)
    page = text(web.signed_in("viewer").get(f"/referrals/out/{sent}"))
    assert "これまでに3回試行" in page
    assert "先方のサーバーに接続できません" in page
    assert "次回送信：2027/01/15" in page

    change(season, "biwa", stopped_code="paused")
    page = text(web.signed_in("viewer").get(f"/referrals/out/{sent}"))
    assert "自社の管理者が送信を一時停止しています" in page
    with season.alliance["aoba"].database.transaction() as session:
        session.query(models.OutboxEntry).update(
            {"state": "refused", "error_code": "consent-withdrawn"}
        )
    page = text(web.signed_in("viewer").get(f"/referrals/out/{sent}"))
    assert "受取拒否" in page
    assert "consent" not in page.lower(), "the code is put into words"


def test_the_page_of_peers_says_how_each_stands(season: Season, web: WebHouse) -> None:
    season.refer("aoba", "seeds", PEOPLE[0])
    now = season.clock.now()
    change(season, "biwa", last_success_at=now - 120)
    change(season, "seeds", state="open", failures=7, next_attempt_at=now + 600,
           last_error_code="tls-failed", last_error_at=now)  # fmt: skip
    change(season, "bridge", stopped_code="peer-blocked")
    page = text(web.signed_in("admin").get("/peers"))
    for said in ("正常", "2分前", "接続できません", "暗号化通信を確立できませんでした",
                 "送信停止中", "4社中3社の承認", "b = 1", "2030/03/31まで有効"):  # fmt: skip
        assert said in page
    assert season.alliance.charter.digest.hex() in page
    season.clock.move(4 * 365 * DAY_S)
    assert "2030/03/31で期限切れ" in text(web.signed_in("admin").get("/peers"))


def test_keys_are_shown_as_people_read_them_out(season: Season, web: WebHouse) -> None:
    page = text(web.signed_in("admin").get("/peers/biwa"))
    prints = page.split('id="fingerprints"', 1)[1]
    digits = [part.split("<")[0] for part in prints.split('class="code prints">')[1:]]
    assert len(digits) == 3
    assert all(len(each.split()) == 6 for each in digits)
    for nobody in ("aoba", "nobody"):
        missing = web.signed_in("admin").get(f"/peers/{nobody}")
        assert (missing.status_code, "not-there" in missing.get_data(as_text=True)) == (404, True)


@pytest.mark.parametrize("role", ["recruiter", "approver", "viewer"])
def test_peers_are_an_administrators_matter(season: Season, web: WebHouse, role: str) -> None:
    visitor = web.signed_in(role)
    assert visitor.get("/peers").status_code == 403
    for act in ("retry", "pause", "resume", "test", "requeue/x"):
        assert visitor.post(f"/peers/biwa/{act}").status_code == 403
    assert peer(season, "biwa").stopped_code is None


def test_sending_is_paused_and_taken_up_again(season: Season, web: WebHouse) -> None:
    admin = web.signed_in("admin")
    assert admin.post("/peers/seeds/pause").status_code == 302
    sent = season.refer("aoba", "seeds", PEOPLE[0])
    season.carry()
    assert outbox(season).state == "queued"
    assert admin.post("/peers/seeds/resume").status_code == 302
    season.carry()
    assert outbox(season).state == "delivered"
    assert season.received("seeds", "aoba", sent)
    with season.alliance["aoba"].database.reading() as session:
        acts = list(session.scalars(select(models.AuditEntry.action)))
    assert {"peer.paused", "peer.resumed"} <= set(acts)


def test_what_waits_is_sent_at_once(season: Season, web: WebHouse) -> None:
    season.refer("aoba", "seeds", PEOPLE[0])
    later = season.clock.now() + 3000
    change(season, "seeds", state="open", failures=9, next_attempt_at=later)
    with season.alliance["aoba"].database.transaction() as session:
        session.query(models.OutboxEntry).update({"next_attempt_at": later})
    assert web.signed_in("admin").post("/peers/seeds/retry").status_code == 302
    assert peer(season, "seeds").state == "closed"
    season.carry()
    assert outbox(season).state == "delivered"


def test_a_refused_letter_is_sent_again_on_demand(season: Season, web: WebHouse) -> None:
    season.refer("aoba", "seeds", PEOPLE[0])
    with season.alliance["aoba"].database.transaction() as session:
        session.query(models.OutboxEntry).update({"state": "refused", "error_code": "too-large"})
    admin = web.signed_in("admin")
    letter = outbox(season).id
    assert "対応が必要な送信物" in text(admin.get("/peers/seeds"))
    assert admin.post(f"/peers/seeds/requeue/{letter}").status_code == 302
    assert outbox(season).state == "queued"
    admin.post(f"/peers/seeds/requeue/{letter}")
    assert "再送できません" in text(admin.get("/peers/seeds"))


def test_a_test_of_the_connection_tells_what_came_of_it(season: Season, web: WebHouse) -> None:
    """Nobody listens at the peer's address here, so the answer is known."""
    admin = web.signed_in("admin")
    assert admin.post("/peers/biwa/test").status_code == 302
    page = text(admin.get("/peers/biwa"))
    assert "接続テストに失敗しました" in page
    assert "not-reached" in page
    assert peer(season, "biwa").failures == 1


class AtTheDoor:
    """A transport without a wire: signed requests go straight into the other member's door."""

    def __init__(self, season: Season) -> None:
        self._alliance = season.alliance

    def post(self, charter: Charter, member: str, path: str, body: bytes) -> Answer:
        us, them = self._alliance["aoba"], self._alliance[member]
        answer = Caller(us, them, charter).call(body, path=path)
        assert answer.is_proven
        return answer


def test_a_test_that_succeeds_says_so_and_notes_the_clock(season: Season, web: WebHouse) -> None:
    web.node = replace(web.node, transport=AtTheDoor(season))  # type: ignore[arg-type]
    admin = web.signed_in("admin")
    admin.post("/peers/biwa/test")
    assert "接続テストに成功しました" in text(admin.get("/peers/biwa"))
    found = peer(season, "biwa")
    assert (found.skew_s, found.failures) == (0, 0)
    assert found.last_success_at == season.clock.now()


def test_a_suspension_stands_on_the_page_of_peers_until_it_ends(
    season: Season, web: WebHouse
) -> None:
    aoba, biwa = season.alliance["aoba"], season.alliance["biwa"]
    admin = web.signed_in("admin")
    with biwa.database.transaction() as session:
        measures.suspend(session, biwa.context, "bridge", actor="cli")
        (told,) = measures.news(session, biwa.context)
    with aoba.database.transaction() as session:
        measures.receive(session, aoba.context, told.document)
    page = text(admin.get("/peers"))
    assert "株式会社biwaが株式会社bridgeの利用停止を求めています。" in page
    assert "tasuki peers suspend bridge" in page
    assert "利用停止中" not in page

    with aoba.database.transaction() as session:
        measures.suspend(session, aoba.context, "bridge", actor="cli")
        (whole,) = measures.news(session, aoba.context)
    page = text(admin.get("/peers"))
    assert "利用停止中" in page
    assert "株式会社aoba、株式会社biwaが署名しました" in page
    assert "まで利用を停止されています" in text(admin.get("/peers/bridge"))
    assert "利用停止中" in text(admin.get("/"))

    bridge = season.alliance["bridge"]
    with bridge.database.transaction() as session:
        measures.receive(session, bridge.context, whole.document)
    assert "貴社は" in text(WebHouse(bridge).signed_in("recruiter").get("/"))
    season.clock.move(limits.SUSPENSION_S)
    for path in ("/peers", "/peers/bridge", "/"):
        assert "利用停止中" not in text(web.signed_in("admin").get(path)), path
