"""Debian's Chromium, driven by Playwright, and axe-core to judge what it shows.

Chromium is never downloaded by Playwright: the one on the PATH is the one to test with.
"""

import getpass
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
# Nothing of the browser's own may reach for the network while a test runs.
QUIET = (
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
AXE = Path(__file__).parent.parent / "vendor" / "axe" / "axe.min.js"
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
TIMEOUT_MS = 15_000

DESK = {"viewport": {"width": 1280, "height": 900}}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}


def executable() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    flags = list(QUIET)
    if getpass.getuser() == "root":
        flags.append("--no-sandbox")  # Chromium's sandbox refuses root
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=flags)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Complaints:
    """What the page itself found wrong: errors of scripts, and of its content security policy."""

    lines: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.lines.append(f"{page.url}: {error}"))
        page.on("console", lambda message: self._console(page, message))

    def _console(self, page: Page, message: ConsoleMessage) -> None:
        # A refused form answers 4xx, and Chromium says so; that is no fault of the page.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.lines.append(f"{page.url}: {message.text}")


@contextmanager
def page_of(browser: Browser, shape: dict[str, object]) -> Iterator[Page]:
    """A page in its own profile, in Japanese; fails the test when the page complains."""
    here = {"locale": "ja-JP", "timezone_id": "Asia/Tokyo"}
    context = browser.new_context(**here, **shape)  # type: ignore[arg-type]
    context.set_default_timeout(TIMEOUT_MS)
    complaints = Complaints()
    context.on("page", complaints.watch)
    try:
        yield context.new_page()
    finally:
        context.close()
    assert not complaints.lines, "the page complained:\n" + "\n".join(complaints.lines)


def accessibility_violations(page: Page, *, within: str = "html") -> list[str]:
    """axe-core's findings on the page as it stands, one readable line for each element."""
    # Through the debugger's door: the page's own content security policy stays as strict as it is.
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        """([within, rules]) => axe.run(within, {
            runOnly: {type: "tag", values: rules}, resultTypes: ["violations"], preload: false,
        }).then(result => result.violations.flatMap(rule => rule.nodes.map(node =>
            `${rule.id} (${rule.impact}): ${rule.help}: ${node.html.slice(0, 200)}`)))""",
        [within, list(RULES)],
    )
    return [str(line) for line in found]


def check_accessibility(page: Page) -> None:
    """Fail with axe's own words unless the page is without violations, and fits its width."""
    violations = accessibility_violations(page)
    assert not violations, f"{page.url} is not for everyone:\n" + "\n".join(violations)
    wider = page.evaluate(
        "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wider <= 0, f"{page.url} is {wider} px wider than its window: it scrolls sideways"


AccessibilityCheck = Callable[[Page], None]
