"""HR at its desk: signs in at a node and does its work on the node's own pages."""

from node.cli.demo.browser import Browser
from node.cli.demo.cast import Company
from node.cli.demo.pages import File
from node.cli.demo.workshop import Place, User

# What a person who prepares notices ticks off before asking for approval.
CHECKS = ["recipients", "sender", "variables", "jobs"]
BOARD = "/referrals/in?state=received"
# The list narrowed to those who came as far as an interview and wait for an answer.
TO_BE_TOLD = "/applicants?status=rejected&from_stage=interview_1&told=no&limit=100"


class Desk:
    """One user at one node."""

    def __init__(self, place: Place, role: str) -> None:
        self.place = place
        user = place.user(role)
        self.browser = Browser(place.url)
        page = self.browser.open("/sign-in")
        page = self.browser.submit(
            page, "sign-in", {"login": user.login, "password": user.password}
        )
        if page.path == "/sign-in":
            raise page.unexpected(f"{user.login} could not sign in")

    # --- Users. ---

    def add_user(self, login: str, name: str, role: str) -> User:
        """Add a user, with a password that the node makes and shows once."""
        page = self.browser.open("/users/new")
        page = self.browser.submit(page, "new-user", {"name": name, "login": login, "role": role})
        user = User(login, page.text_of("password"), name, role)
        self.place.users.append(user)
        return user

    # --- Applicants and notices. ---

    def import_file(self, name: str, content: bytes) -> tuple[int, int]:
        """Import a CSV file; how many people were new, and how many rows were handed back."""
        page = self.browser.open("/applicants/import")
        file = File(name, content, "text/csv")
        page = self.browser.submit(page, "upload-form", {"file": file, "encoding": "auto"})
        page = self.browser.submit(page, "columns-form")
        new, broken = _number(page.text_of("count-new")), _number(page.text_of("count-failed"))
        page = self.browser.submit(
            page, "confirmation", {"accept_broken": "yes"} if broken else None
        )
        if not page.path.endswith("/done"):
            raise page.unexpected("the import is not done")
        return new, broken

    def prepare_notices(self, company: Company) -> tuple[str, int]:
        """Choose all who wait for an answer after an interview; the batch, and its people."""
        page = self.browser.open(TO_BE_TOLD)
        chosen = page.boxes("chosen")
        if not chosen:
            raise page.unexpected("nobody waits for an answer")
        page = self.browser.submit(
            page, "applicants-form", {"chosen": chosen}, press="notices-chosen"
        )
        batch = page.path
        page = self.browser.submit(
            page,
            "draft-form",
            {
                "sender_name": company.recruiter,
                "sender_department": "人事部",
                "sender_phone": "03-0000-0001",
                "sender_email": f"recruit@{company.id}.example.jp",
            },
        )
        page = self.browser.open(page.link("to-confirm"))
        self.browser.submit(page, "confirmation", {"checked": CHECKS})
        return batch, len(chosen)

    def approve_notices(self, batch: str) -> None:
        """Look at a batch that a colleague prepared, and approve it."""
        page = self.browser.open(batch)
        self.browser.submit(page, "confirmation", {"checked": CHECKS})

    def not_told(self, batch: str) -> tuple[int, int]:
        """Whose mail of a batch was refused, and who was left out, by the page of the batch."""
        page = self.browser.open(batch)
        return page.rows("failed"), page.rows("left")

    # --- Referrals. ---

    def write_rule(self, monthly_cap: int) -> None:
        """Let a rule accept cards, so many a month."""
        page = self.browser.open("/referrals/rule")
        self.browser.submit(page, "rule-form", {"active": "yes", "monthly_cap": str(monthly_cap)})

    def waiting(self) -> list[str]:
        """The referrals that wait for an answer, oldest first."""
        return list(reversed(self.browser.open(BOARD).boxes("chosen")))

    def answer(self, referrals: list[str], answer: str) -> None:
        """Accept or decline them, through the page that asks once more."""
        page = self.browser.open(BOARD)
        page = self.browser.submit(
            page, "board-form", {"chosen": referrals}, press=f"{answer}-chosen"
        )
        self.browser.submit(page, "/referrals/in/answers")

    def declare_known(self, referral: str) -> None:
        """Answer "already known" with the day of the referral that came first, as filled in."""
        page = self.browser.open(f"/referrals/in/{referral}")
        page.text_of("others")
        page = self.browser.submit(self.browser.open(page.link("known")), "known-form")
        self.browser.submit(page, "confirmation")

    def move(self, referral: str, stage: str) -> None:
        """Move a person on to a stage of the selection."""
        page = self.browser.open(f"/referrals/in/{referral}")
        self.browser.submit(page, f"stage-{stage}")

    def hire_with_slot(self, referral: str, joins_on: str) -> None:
        """Register a hire with a free-hire slot, through the page that asks once more."""
        page = self.browser.open(f"/referrals/in/{referral}/hire")
        page = self.browser.submit(page, "hire-form", {"joins_on": joins_on, "how": "slot"})
        self.browser.submit(page, "confirmation")


def _number(text: str) -> int:
    """The number in a figure such as 新規 120 名."""
    digits = "".join(sign for sign in text if sign.isascii() and sign.isdigit())
    return int(digits or "0")
