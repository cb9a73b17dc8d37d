"""The applicant's three languages: chosen on a page, recorded with the consent, and kept to."""

import re

import pytest

from node import models
from node.services.consents.receipts import EASY_TEXT_VERSION, TEXT_VERSION
from protocol import ConsentReceipt, SignedDocument
from tests.equipment.candidates import Candidates, Walker


@pytest.fixture
def walker(candidates: Candidates) -> Walker:
    """Somebody who chose やさしい日本語 with the switch of the first page."""
    _, token = candidates.invite()
    walker = candidates.walker(token)
    values = {"language": "ja-easy", "back": walker.arrival}
    answer = walker.post("/language", values, page=walker.arrival)
    assert answer.location == walker.arrival
    return walker


def test_what_was_chosen_is_agreed_to_and_written_in(
    candidates: Candidates, walker: Walker
) -> None:
    walker.arrive("biwa")
    page = walker.get("/l/check").text
    assert '<html lang="ja">' in page
    walker.agree("biwa")

    code, receipt = candidates.mails()
    assert "今、開いているページに、この番号を入れてください。" in code.text
    assert "「あなたのページ」" in receipt.text
    (grounds,) = candidates.grounds()
    (document,) = (text for name, _, text in receipt.attachments if ".signed." in name)
    signed = ConsentReceipt.parse(SignedDocument.parse(document.encode()).payload)
    assert EASY_TEXT_VERSION != TEXT_VERSION
    # Easy Japanese is Japanese, in words that have a version of their own.
    assert signed.language == "ja"
    assert signed.text_version == grounds.text_version == EASY_TEXT_VERSION
    assert f"番号：{grounds.text_version}" in page
    with candidates.node.database.reading() as session:
        assert session.query(models.Consent).one().language == "ja-easy"


def test_the_status_page_speaks_as_was_agreed_until_another_language_is_chosen(
    candidates: Candidates, walker: Walker
) -> None:
    walker.arrive("biwa")
    walker.agree("biwa")
    (receipt,) = candidates.mails("receipt")
    found = re.search(r"/s/[\w-]{22}", receipt.text)
    assert found
    elsewhere = candidates.walker(walker.token)

    assert "同意（どうい）" in elsewhere.get(found[0]).text
    assert re.search(r"\d{4}年\d{1,2}月\d{1,2}日", elsewhere.get(found[0]).text)
    elsewhere.client.set_cookie("lang", "en")
    assert "How things stand" in elsewhere.get(found[0]).text


def test_hr_is_not_offered_what_is_the_applicants(candidates: Candidates) -> None:
    visitor = candidates.web.signed_in()
    visitor.client.set_cookie("lang", "ja-easy")
    page = visitor.get("/").text
    assert "ja-easy" not in page
    assert "ホーム" in page
