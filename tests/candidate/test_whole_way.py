"""The applicant's whole way on a phone, in each language: from the link to nothing being left.

One house serves all three, since what is looked at are the pages: each is for everyone, speaks the
language that was chosen, and fits the phone. The mails are real ones, out of a mail server.
"""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from email.message import EmailMessage

import pytest
from playwright.sync_api import Page, expect

from node import models
from node.config import parse
from node.database import Database
from node.i18n import APPLICANT_LANGUAGES, tag_of
from node.worker.notices import send_due_mails
from tests.equipment import browser as browsers
from tests.equipment.alliance import MEMBERS, House, found_alliance
from tests.equipment.candidates import NAME, Candidates
from tests.equipment.databases import Databases
from tests.equipment.letters import carry
from tests.equipment.referring import accept
from tests.equipment.smtp import MailServer, mail_server
from tests.equipment.way import Way
from tests.equipment.web_house import WebHouse

pytestmark = pytest.mark.browser

# Words of the mails about the code, the receipt, the question, a code again, and the erasure.
SUBJECTS = {
    "ja": ("確認コード", "内容の控え", "お送りしてよいか", "確認コード", "削除が完了しました"),
    "ja-easy": ("の番号", "同意（どうい）した内容", "送ってもいいですか", "の番号", "消しました"),
    "en": ("Your code", "Your receipt", "May we send", "Your code", "has been erased"),
}
HIRAGANA = re.compile("[ぁ-ん]")


@dataclass(frozen=True)
class Served:
    """`aoba`, whose pages are served and whose mails arrive."""

    candidates: Candidates
    address: str
    mails: MailServer

    def mails_to(self, email: str) -> list[EmailMessage]:
        """What arrived for a person, once everything that waits was sent."""
        while send_due_mails(self.candidates.node):
            pass
        return self.mails.to(email)


@pytest.fixture(scope="module")
def served(sqlite_databases: Databases) -> Iterator[Served]:
    with ExitStack() as stack:
        opened = [Database(stack.enter_context(sqlite_databases.fresh())) for _ in MEMBERS]
        for each in opened:
            stack.callback(each.close)
        mails = stack.enter_context(mail_server())
        alliance = found_alliance(opened)
        aoba = alliance["aoba"]
        with_mail = {
            "TASUKI_MEMBER_ID": "aoba",
            "TASUKI_PUBLIC_URL": aoba.context.settings.public_url,
            "TASUKI_SMTP_URL": mails.url,
            "TASUKI_MAIL_FROM": "saiyo@aoba.example.jp",
        }
        context = replace(aoba.context, settings=parse(with_mail))
        alliance.houses["aoba"] = House(context, aoba.database)
        candidates = Candidates(alliance, WebHouse(alliance["aoba"]))
        address = stack.enter_context(candidates.web.served())
        yield Served(candidates, address, mails)


@dataclass
class Look:
    """A look at each page: for everyone, in the right language, and no wider than the phone."""

    language: str
    looks: int = 0

    def __call__(self, page: Page) -> None:
        browsers.check_accessibility(page)
        assert page.evaluate("document.documentElement.lang") == tag_of(self.language), page.url
        current = page.locator(f"#language-{self.language}[aria-current=true]")
        expect(current).to_have_text(APPLICANT_LANGUAGES[self.language])
        if self.language == "en":
            said = page.inner_text("#main")
            assert not HIRAGANA.search(said), f"{page.url} is not all English:\n{said}"
        self.looks += 1


class MailedWay(Way):
    """The way of somebody who reads real mails."""

    def __init__(self, page: Page, served: Served, email: str, look: Look) -> None:
        super().__init__(page, served.candidates, look)
        self.served, self.email = served, email

    def newest(self) -> EmailMessage:
        return self.served.mails_to(self.email)[-1]

    def code(self) -> str:
        found = re.search(r"\b(\d{6})\b", text_of(self.newest()))
        assert found
        return found[1]

    def prove(self) -> None:
        self.page.check("#order-ask")
        super().prove()

    def press(self, control: str, then: str) -> None:
        """Press what is there, and look at the page it leads to."""
        self.page.click(control)
        self.at(then)

    def step_of(self, member: str, step: str) -> None:
        """How things stand there."""
        expect(self.page.locator(f"#state-{member}")).to_have_attribute("data-step", step)


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


@pytest.mark.parametrize("language", APPLICANT_LANGUAGES)
def test_the_whole_way_on_a_phone(served: Served, phone: Page, language: str) -> None:
    candidates = served.candidates
    applicant, token = candidates.invite()
    email = candidates.email_of(applicant)
    way = MailedWay(phone, served, email, look := Look(language))
    way.walk(served.address, token, language)
    carry(candidates.alliance)
    biwa = candidates.alliance["biwa"]
    with biwa.database.reading() as session:
        (waiting,) = session.query(models.ReferralIn).filter_by(state="received")
    accept(biwa, waiting.id)
    carry(candidates.alliance)

    # In another browser, by the mail with the question alone: it speaks as was agreed.
    candidates.web.clock.move(61)
    phone.context.clear_cookies()
    status = re.search(r"/s/[\w-]{22}", text_of(way.newest()))
    assert status
    phone.goto(served.address + status[0])
    way.at("#interest-biwa")
    way.step_of("bridge", "waiting")
    way.press("#no-biwa", "#partner-biwa")
    way.press("#withdraw-bridge", "#ask-once")
    way.press("#submit", "#partner-bridge")
    carry(candidates.alliance)
    phone.reload()
    way.at("#state-bridge")
    way.step_of("biwa", "erased")
    way.step_of("bridge", "erased")

    # What is personal asks for a code again.
    phone.click("#data")
    way.at("#send")
    way.enter_code("#application")
    with phone.expect_download() as download:
        phone.click("#download")
    copy = json.loads(download.value.path().read_text(encoding="utf-8"))
    assert copy["person"]["name"] == NAME
    assert copy["consent"]["language"] == language
    way.press("#correct", "#correct #summary")
    phone.go_back()
    way.press("#erase", "#ask-once")
    way.press("#submit", "#erased")

    subjects = [str(mail["Subject"]) for mail in served.mails_to(email)]
    for words, subject in zip(SUBJECTS[language], subjects, strict=True):
        assert words in subject
    assert look.looks >= 18
