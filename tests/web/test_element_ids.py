"""Ids of fields and buttons stay between releases: scripts press them.  DOMAIN 8, check 12.

`element_ids.txt` is the list of the last release. A new id is added there; one that goes or changes
breaks somebody's robot, so it is taken out only for a reason that the release notes give. To write
the list anew: `ELEMENT_IDS=write ./deploy/run test tests/web/test_element_ids.py`.
"""

import os
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

from node import models
from tests.equipment.season import Season, whole_season
from tests.equipment.web_house import Visitor, WebHouse

LIST = Path(__file__).with_name("element_ids.txt")
# What people and their scripts fill in, choose and press.
PRESSED = {"a", "button", "input", "select", "textarea", "form"}
# The id of a row within the id of an element.
OF_A_ROW = re.compile(r"[0-9a-f]{8,}")


class Ids(HTMLParser):
    """The ids of what can be used on a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs).get("id")
        if tag in PRESSED and named:
            self.found.add(OF_A_ROW.sub("*", named))


def paths(web: WebHouse, ids: dict[str, str]) -> dict[str, str]:
    """Name of a page in the list -> its address in this season."""
    with web.node.database.reading() as session:
        waiting = session.query(models.ReferralIn).filter_by(state="received").first()
        assert waiting
    plain = (
        *("/", "/applicants", "/applicants/import", "/notices", "/templates"),
        *("/templates/new", "/erasures"),
        *("/referrals/in", "/referrals/in/board", "/referrals/rule", "/referrals/in/stages"),
        *("/referrals/out", "/hires", "/points", "/peers", "/records", "/retention"),
        *("/users", "/users/new", "/charter", "/users/me/password"),
    )
    offer, chosen = f"/referrals/in/{waiting.id}", f"/referrals/in/{ids['selected']}"
    rows = {
        "/referrals/in/OFFERED": offer,
        "/referrals/in/OFFERED/accept": f"{offer}/accept",
        "/referrals/in/OFFERED/decline": f"{offer}/decline",
        "/referrals/in/SELECTED": chosen,
        "/referrals/in/SELECTED/known": f"{chosen}/known",
        "/referrals/in/HIRED": f"/referrals/in/{ids['hired']}",
        "/referrals/out/SENT": f"/referrals/out/{ids['sent']}",
    }
    return {path: path for path in plain} | rows


def test_no_element_that_a_script_may_use_has_gone(
    season: Season, web: WebHouse, signed_in: Callable[[str], Visitor]
) -> None:
    pages = paths(web, whole_season(season))
    # The season took weeks, and a session ends long before.
    visitor, found = signed_in("admin"), {}
    for name, path in pages.items():
        answer = visitor.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        found[name] = Ids(answer.get_data(as_text=True)).found
    frame = set.intersection(*found.values())
    own = {f"{name} #{one}" for name, ids in found.items() for one in ids - frame}
    now = "".join(f"{line}\n" for line in sorted(own | {f"(everywhere) #{one}" for one in frame}))
    if os.environ.get("ELEMENT_IDS") == "write":
        LIST.write_text(now)
    assert LIST.read_text() == now
