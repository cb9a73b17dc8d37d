"""An applicant on a phone: from the mail's link, page by page, to a consent.  DOMAIN 2.4."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from node.cli.demo.browser import Browser
from node.cli.demo.mailbox import Mail, Mailbox
from node.cli.demo.pages import Value
from node.cli.demo.people import Person
from node.cli.demo.workshop import Place

Wait: TypeAlias = Callable[[Callable[[], Mail | None], str], Mail]

OCCUPATION = "研究・技術の職業"
WORK = (
    ("Webシステムの設計と開発", "社内業務システムの内製化を三年間担当しました。"),
    ("インフラの運用", "クラウドへの移行計画を立て、夜間作業を半分に減らしました。"),
    ("プロジェクト管理", "十名のチームで納期と品質の両方を預かりました。"),
    ("顧客サポート", "問い合わせの記録から手順書を書き、応対時間を短くしました。"),
)
SKILLS = (
    "Python\nSQL\nAWS",
    "Linux\nネットワーク\nTerraform",
    "プロジェクト管理\n要件定義",
    "顧客対応\n手順書作成\n英語",
)


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person decides: to which members, how, and what may be told back."""

    members: tuple[str, ...]
    profile_at_once: bool = False
    hide_source: bool = False
    hide_stage: bool = False
    share_progress: bool = True


class Visit:
    """One person, one link, one browser."""

    def __init__(self, place: Place, person: Person, mailbox: Mailbox, wait: Wait) -> None:
        self._browser = Browser(place.url)
        self._person = person
        self._mailbox = mailbox
        self._wait = wait

    def consent(self, choice: Choice) -> str:
        """Go the whole way; the address of the status page."""
        notice = self._mail(lambda mail: "/l/" in mail.link, "the notice with its link")
        browser = self._browser
        page = browser.open(notice.link)
        page = browser.submit(page, "/l/start")
        page = browser.submit(page, "partners", {"partner": list(choice.members)}, press="submit")
        ticks: dict[str, Value] = {
            "hide_source": ["yes"] if choice.hide_source else [],
            "share_progress": ["yes"] if choice.share_progress else [],
        }
        order = "profile" if choice.profile_at_once else "card"
        page = browser.submit(page, "how", {"order": order, **ticks})
        # The same person may have been written to by another member before.
        seen = len(self._mailbox.to(self._person.email))
        page = browser.submit(page, "/l/code/send")
        code = self._mail(lambda mail: not mail.link and bool(mail.code), "the code", seen).code
        page = browser.submit(page, "enter-code", {"code": code})
        if not page.path.endswith("/about"):
            page = browser.open("/l/about")
        page = browser.submit(page, "about", self._about())
        page = browser.submit(page, "experience", self._experience())
        if not page.path.endswith("/check"):
            raise page.unexpected("the last check should follow")
        page = browser.submit(page, "agreement", {"agree": list(choice.members)})
        if not page.path.endswith("/done"):
            raise page.unexpected("the consent should be given")
        self._mail(lambda mail: "/s/" in mail.link, "the receipt", seen)
        return page.link("to-status")

    def take_back(self, status: str) -> None:
        """Take the consent back for every company, from the status page."""
        browser = self._browser
        asking = browser.open(browser.open(status).link("withdraw-all"))
        page = browser.submit(asking, "ask-once")
        if page.has("withdraw-all"):
            raise page.unexpected("nothing should be left to take back")

    def _about(self) -> dict[str, Value]:
        return {
            "family_name": self._person.family,
            "given_name": self._person.given,
            "occupation": OCCUPATION,
            "label": self._person.job,
            "available_from": "2027-04",
        }

    def _experience(self) -> dict[str, Value]:
        at = self._person.number % len(WORK)
        title, told = WORK[at]
        return {
            "experience_years": str(2 + self._person.number % 12),
            "skills": SKILLS[at],
            "work-0-name": "株式会社みほん",
            "work-0-position": title,
            "work-0-start": "2021-04",
            "work-0-summary": told,
            "summary": "チームで働くことが好きです。",
        }

    def _mail(self, wanted: Callable[[Mail], bool], name: str, seen: int = 0) -> Mail:
        """The newest mail to this person that is wanted, once it has come after those seen."""

        def look() -> Mail | None:
            mails = self._mailbox.to(self._person.email)[seen:]
            return next((mail for mail in reversed(mails) if wanted(mail)), None)

        return self._wait(look, f"{name} should reach {self._person.email}")
