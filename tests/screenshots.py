"""The README's pictures, taken from a running demo: `python -m tests.screenshots DATA MAILBOX`.

    ./deploy/run demo --data /tmp/minato         # leave it running
    .venv/bin/python -m tests.screenshots /tmp/minato http://127.0.0.1:PORT/

DATA is the demo's folder, MAILBOX the address it printed for everybody's mail. The pictures go to
deploy/screenshots/; whoever changes a page takes them again.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.equipment import browser as browsers
from tests.equipment.source import ROOT

FOLDER = ROOT / "deploy" / "screenshots"
# Page -> its address, and how much of it stands in the README: the top says what it is.
DESK_PAGES = {
    "home": ("/", 860),
    "applicants": ("/applicants", 860),
    "referrals-out": ("/referrals/out", 860),
    "points": ("/points", 1500),
}
DESK_HEIGHT = 860
PHONE_HEIGHT = 1100


def sign_in(page: Page, address: str, login: str, password: str) -> None:
    """Sign in as HR does."""
    page.goto(f"{address}/sign-in")
    page.locator("input[name=login]").fill(login)
    page.locator("input[name=password]").fill(password)
    page.locator("main button[type=submit]").click()
    page.wait_for_load_state("networkidle")


def place_of(data: Path, member: str) -> tuple[str, str]:
    """The address of a member's node, and its recruiter's password."""
    places = json.loads((data / "demo.json").read_text(encoding="utf-8"))["places"]
    place = next(each for each in places if each["id"] == member)
    user = next(each for each in place["users"] if each["role"] == "recruiter")
    return f"http://127.0.0.1:{place['port']}", user["password"]


def shoot(page: Page, name: str, height: int) -> None:
    """Keep the top of a page."""
    page.wait_for_load_state("networkidle")
    assert page.viewport_size is not None
    page.set_viewport_size({"width": page.viewport_size["width"], "height": height})
    page.screenshot(path=FOLDER / f"{name}.png")
    print(FOLDER.relative_to(ROOT) / f"{name}.png")


def hr(chromium: Browser, data: Path) -> None:
    """aoba's pages, and the cards that arrived at biwa."""
    with browsers.page_of(chromium, browsers.DESK) as page:
        address, password = place_of(data, "aoba")
        sign_in(page, address, "recruiter", password)
        for name, (path, height) in DESK_PAGES.items():
            page.goto(address + path)
            shoot(page, name, height)
    with browsers.page_of(chromium, browsers.DESK) as page:
        address, password = place_of(data, "biwa")
        sign_in(page, address, "recruiter", password)
        page.goto(f"{address}/referrals/in")
        shoot(page, "referrals-in", DESK_HEIGHT)


def links_in(page: Page, mailbox: str, kind: str) -> Iterator[str]:
    """The private links ("l") or status pages ("s") in everybody's mails, oldest first."""
    page.goto(mailbox)
    mails = page.locator("a").evaluate_all("links => links.map(link => link.href)")
    for mail in reversed(mails):
        page.goto(mail)
        yield from re.findall(rf"http://127\.0\.0\.1:\d+/{kind}/[\w-]+", page.content())


def applicant(chromium: Browser, mailbox: str) -> None:
    """A link that nobody has used yet, the choice of companies behind it, and a status page."""
    with browsers.page_of(chromium, browsers.PHONE) as page:
        for link in list(links_in(page, mailbox, "l")):
            page.goto(link)
            if page.locator("#start").count():
                break
        shoot(page, "link", PHONE_HEIGHT)
        page.locator("#start").click()
        shoot(page, "partners", PHONE_HEIGHT)
    with browsers.page_of(chromium, browsers.PHONE) as page:
        page.goto(next(links_in(page, mailbox, "s")))
        shoot(page, "status", PHONE_HEIGHT)


def main() -> None:
    """Take all of them."""
    data, mailbox = Path(sys.argv[1]), sys.argv[2]
    FOLDER.mkdir(parents=True, exist_ok=True)
    with browsers.chromium() as chromium:
        hr(chromium, data)
        applicant(chromium, mailbox)


if __name__ == "__main__":
    main()
