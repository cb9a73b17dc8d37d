"""The receipt: signed, in words and for programs, and the status page its mail leads to."""

import hashlib
import html
import json
import re
from dataclasses import replace

import pytest

from node import models
from node.config_values import smtp_server
from node.mail import Mailer
from node.services import persons
from node.worker.notices import send_due_mails
from protocol import CONSENT_RECEIPT, ConsentReceipt, SignedDocument, verify
from tests.equipment.candidates import EMAIL, FAMILY, GIVEN, NAME, PHONE, Candidates, Walker
from tests.equipment.smtp import MailServer
from tests.equipment.web_house import WebHouse

DAY_S = 86_400


@pytest.fixture
def walker(candidates: Candidates) -> Walker:
    """Somebody who has agreed to two companies."""
    _, token = candidates.invite()
    walker = candidates.walker(token)
    walker.arrive("biwa", "bridge", share_progress="yes")
    walker.agree("biwa", "bridge")
    return walker


def test_the_privacy_policy_is_linked_on_every_page_and_named_in_the_receipt(
    candidates: Candidates,
) -> None:
    policy = "https://www.aoba.example.jp/privacy/?lang=ja&x=1"
    house = candidates.web.house
    settings = replace(house.context.settings, privacy_url=policy)
    house = replace(house, context=replace(house.context, settings=settings))
    candidates = Candidates(candidates.alliance, WebHouse(house))
    _, token = candidates.invite()
    walker = candidates.walker(token)
    page = walker.get(walker.arrival).get_data(as_text=True)
    assert f'href="{html.escape(policy)}"' in page
    walker.arrive("biwa")
    walker.agree("biwa")
    (mail,) = candidates.mails("receipt")
    assert json.loads(mail.attachments[0][2])["policyUrl"] == policy


def status_path(candidates: Candidates) -> str:
    (mail,) = candidates.mails("receipt")
    found = re.search(r"(/s/[A-Za-z0-9_-]{22})\n", mail.text)
    assert found
    return found[1]


def referral(candidates: Candidates, member: str, **changed: object) -> None:
    """Set what became of a referral, as the letters of `member` would."""
    with candidates.node.database.transaction() as session:
        row = session.query(models.ReferralOut).filter_by(recipient=member).one()
        for name, value in changed.items():
            setattr(row, name, value)


def delivered(candidates: Candidates, state: str = "delivered") -> None:
    with candidates.node.database.transaction() as session:
        for row in session.query(models.OutboxEntry):
            row.state = state
            row.lease = row.lease_until = None
            if state == "delivered":
                row.receipt, row.delivered_at = b"receipt", candidates.web.clock.now()
            else:
                row.error_code = "document-invalid"


def step(walker: Walker, path: str, member: str) -> str:
    found = re.search(rf'id="state-{member}" data-step="([a-z-]+)"', walker.get(path).text)
    assert found
    return found[1]


def test_the_receipt_comes_by_mail_in_words_and_as_files(
    candidates: Candidates, walker: Walker, mail_server: MailServer
) -> None:
    settings = replace(candidates.node.settings, smtp=smtp_server(mail_server.url))
    mailer = Mailer(settings, candidates.node.clock)
    send_due_mails(replace(candidates.node, mailer=mailer))

    receipt = mail_server.to(EMAIL)[-1]
    body = receipt.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert text.startswith(f"{NAME} 様")
    for words in (
        "株式会社biwa",
        "株式会社bridge",
        "13-ユ-999901",
        "180日後",
        "取り消せます",
        "/s/",
    ):
        assert words in text
    assert "株式会社seeds" not in text
    names = [part.get_filename() for part in receipt.iter_attachments()]
    assert names == ["consent-receipt.json", "consent-receipt.signed.json"]
    readable, signed = (part.get_content() for part in receipt.iter_attachments())
    document = SignedDocument.parse(signed)
    assert json.loads(readable) == json.loads(document.payload)


def test_the_receipt_is_proven_and_says_what_was_on_the_page(
    candidates: Candidates, walker: Walker
) -> None:
    (mail,) = candidates.mails("receipt")
    document = SignedDocument.parse(mail.attachments[1][2].encode())
    keys = candidates.alliance.charter.keys
    receipt = verify(document, CONSENT_RECEIPT, keys, ConsentReceipt.parse).body

    (grounds, _) = candidates.grounds()
    assert receipt.page_hash == grounds.page_hash
    assert receipt.text_version == grounds.text_version
    assert receipt.id == grounds.consent
    assert [purpose.partner.member for purpose in receipt.purposes] == ["biwa", "bridge"]
    assert all(purpose.items == grounds.items for purpose in receipt.purposes)
    assert receipt.controller.member == "aoba"
    assert receipt.network == "127.0.0.0/24"
    assert not any(canary in mail.attachments[0][2] for canary in (FAMILY, GIVEN, EMAIL, PHONE))


def test_the_record_keeps_the_very_page_and_the_receipt(
    candidates: Candidates, walker: Walker
) -> None:
    node = candidates.node
    with node.database.reading() as session:
        row = session.query(models.Consent).one()
        person = session.query(models.Applicant).one().person_id
        cipher = persons.cipher(session, node.context, person)
        kept = json.loads(cipher.decrypt("consents.sealed_blob", row.id, row.sealed_blob))
    assert row.page_hash == hashlib.sha256(kept["page"].encode()).digest()
    words = html.unescape(kept["page"])
    assert "株式会社biwaへ送ることに同意します" in words
    assert kept["receipt"]["kind"] == CONSENT_RECEIPT


def test_the_status_page_changes_nothing_and_shows_no_name(
    candidates: Candidates, walker: Walker
) -> None:
    path = status_path(candidates)
    before = candidates.rows()

    stranger = candidates.walker("")
    for _ in range(20):
        page = stranger.get(path)
        assert page.status_code == 200
        assert not any(canary in page.text for canary in (FAMILY, GIVEN, EMAIL))
    assert candidates.rows() == before
    assert "03-0000-0000" in page.text
    assert "3年間保管します" in page.text


@pytest.mark.parametrize("token", ["x" * 22, "short", "あ", "%2e%2e"])
def test_an_unknown_status_page_says_where_to_find_the_right_one(
    candidates: Candidates, token: str
) -> None:
    answer = candidates.walker("").get(f"/s/{token}")
    assert answer.status_code == 404
    assert "お問い合わせ先" in answer.text


def test_the_link_itself_opens_no_status_page(candidates: Candidates, walker: Walker) -> None:
    assert walker.get(f"/s/{walker.token}").status_code == 404


def test_the_status_follows_the_referral(candidates: Candidates, walker: Walker) -> None:
    path = status_path(candidates)
    assert step(walker, path, "biwa") == "sending"

    delivered(candidates)
    assert step(walker, path, "biwa") == "waiting"
    candidates.web.clock.move(14 * DAY_S)
    assert step(walker, path, "biwa") == "late"

    now = candidates.web.clock.now()
    referral(candidates, "biwa", state="released", released_at=now)
    assert step(walker, path, "biwa") == "selection"
    referral(candidates, "biwa", stage_code="interview_2")
    page = walker.get(path).text
    assert "二次面接" in page
    referral(candidates, "biwa", stage_code="declined_by_company")
    assert step(walker, path, "biwa") == "closed"
    referral(candidates, "biwa", state="hired", stage_code="hired")
    assert step(walker, path, "biwa") == "hired"

    for state, shown in (
        ("declined", "closed"),
        ("already_known", "known"),
        ("expired", "no-answer"),
    ):
        referral(candidates, "bridge", state=state)
        assert step(walker, path, "bridge") == shown


def test_what_could_not_be_delivered_is_not_called_received(
    candidates: Candidates, walker: Walker
) -> None:
    delivered(candidates, "refused")
    assert step(walker, status_path(candidates), "biwa") == "undelivered"


def test_a_step_that_may_not_be_told_is_not_shown(candidates: Candidates, walker: Walker) -> None:
    referral(candidates, "biwa", state="released", stage_code="interview_2", shares_progress=False)
    assert "二次面接" not in walker.get(status_path(candidates)).text
