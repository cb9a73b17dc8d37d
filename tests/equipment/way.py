"""The applicant's way in a real browser, with a look at each page before going on."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.equipment import pdf_files
from tests.equipment.candidates import Candidates

Look = Callable[[Page], None]


class Way:
    """A person on the way from the link to the status page."""

    def __init__(self, page: Page, candidates: Candidates, look: Look | None) -> None:
        self.page, self.candidates, self.look = page, candidates, look

    def code(self) -> str:
        """The code that was mailed last."""
        return self.candidates.code()

    def walk(self, address: str, token: str, language: str = "ja") -> None:
        """The whole way, to two of three companies."""
        self.arrive(address, token, language)
        self.choose("biwa", "bridge")
        self.prove()
        self.tell()
        self.agree("biwa", "bridge")

    def arrive(self, address: str, token: str, language: str = "ja") -> None:
        self.page.goto(f"{address}/l/{token}")
        if language != "ja":
            self.page.click(f"#language-{language}")
        self.at("#start")
        self.page.click("#start")

    def at(self, control: str) -> None:
        """We are on the page that has this control; it is for everyone."""
        expect(self.page.locator(control)).to_be_visible()
        if self.look:
            self.look(self.page)

    def go_on(self, control: str) -> None:
        self.page.click("#submit")
        self.at(control)

    def choose(self, *members: str) -> None:
        self.at("#partners")
        expect(self.page.locator("[name=partner]:checked")).to_have_count(0)
        for member in members:
            self.page.check(f"#partner-{member}")
        self.go_on("#how")

    def prove(self) -> None:
        self.page.check("#share_progress")
        self.go_on("#send")
        self.enter_code("#about")

    def enter_code(self, control: str) -> None:
        """Ask for a code, and enter it as it stands in the mail."""
        self.page.click("#send")
        self.at("#code")
        self.page.fill("#code", self.code())
        self.go_on(control)

    def tell(self) -> None:
        self.page.fill("#city", "港区")
        self.page.select_option("#occupation", "研究・技術の職業")
        self.go_on("#experience")
        self.page.fill("#experience_years", "6")
        self.page.fill("#skills", "Python\nPostgreSQL")
        self.page.fill("#work-0-name", "株式会社緑商事")
        self.page.fill("#work-0-start", "2020-04")
        self.page.click("#more-work")
        self.at("#work-1-name")
        expect(self.page.locator("#work-0-name")).to_have_value("株式会社緑商事")
        self.page.set_input_files(
            "#file", {"name": "cv.pdf", "mimeType": "application/pdf", "buffer": pdf_files.sound()}
        )
        self.page.click("#attach")
        self.at("#attached")
        self.go_on("#agreement")

    def agree(self, *members: str) -> None:
        expect(self.page.locator("[name=agree]:checked")).to_have_count(0)
        for member in members:
            self.page.check(f"#agree-{member}")
        self.go_on("#done")
        self.page.click("#to-status")
        self.at("#withdraw-all")
