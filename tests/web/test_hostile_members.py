"""What a hostile member writes into its letters, on the pages where HR reads them."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from node import models
from protocol import (
    ACCEPTANCE,
    HIRE,
    PROGRESS,
    REFERRAL,
    Acceptance,
    Grounds,
    Hire,
    Profile,
    Progress,
    Referral,
    limits,
)
from tests.equipment.alliance import Alliance
from tests.equipment.letters import carry
from tests.equipment.referring import CARD, letter
from tests.equipment.season import PEOPLE, Season
from tests.equipment.web_house import Visitor, WebHouse

LAST = limits.TIME_MAX
MARKUP = "<img src=x onerror=alert(1)>"
FORMULA = '=HYPERLINK("http://evil.example","x")'
PAGES = ("/", "/referrals/in", "/referrals/out", "/hires", "/peers", "/points")
FILES = ("/referrals/in/export.csv", "/referrals/out/export.csv", "/hires/export.csv")


@pytest.fixture
def admin(web: WebHouse) -> Visitor:
    return web.signed_in("admin")


def offer(alliance: Alliance) -> str:
    """Bridge refers somebody to aoba, with a time and words of its choice; aoba's id."""
    now = alliance.clock.now()
    grounds = Grounds("consent0001", LAST, MARKUP[:40], "0" * 64, ("name",), MARKUP)
    card = replace(CARD, occupation=FORMULA, skills=(MARKUP,))
    profile = Profile.from_json({"basics": {"name": MARKUP, "email": f"{MARKUP}@example.jp"}})
    referral = Referral("of-a-hostile-member", card, grounds, now, LAST, profile)
    letter(alliance["bridge"], "aoba", REFERRAL, referral.encode())
    assert carry(alliance) == []
    with alliance["aoba"].database.reading() as session:
        return session.scalars(select(models.ReferralIn.id)).one()


def answer(alliance: Alliance) -> str:
    """Bridge accepts, tells a step and a hire, all at the end of time; our referral."""
    bridge = alliance["bridge"]
    referral = Season(alliance).refer("aoba", "bridge", PEOPLE[0])
    carry(alliance)
    for kind, document in (
        (ACCEPTANCE, Acceptance(referral, LAST, 1, "never-to-be-paid", bytes(32))),
        (PROGRESS, Progress(referral, "offer", LAST)),
        (HIRE, Hire(referral, "9999-12-31", 0, "", bytes(32), LAST)),
    ):
        letter(bridge, "aoba", kind, document.encode())
        carry(alliance)
    return referral


def test_the_last_moment_of_all_breaks_no_page(alliance: Alliance, admin: Visitor) -> None:
    ours = (f"/referrals/in/{offer(alliance)}", f"/referrals/out/{answer(alliance)}")
    for path in (*PAGES, *FILES, *ours):
        assert admin.get(path).status_code == 200, path


def test_words_of_a_peer_are_text_on_every_page_and_in_every_file(
    alliance: Alliance, admin: Visitor
) -> None:
    own = offer(alliance)
    for path in (*PAGES, f"/referrals/in/{own}", f"/referrals/in/{own}/profile"):
        page = admin.get(path).get_data(as_text=True)
        assert MARKUP not in page, path
    cells = admin.get("/referrals/in/export.csv").get_data(as_text=True)
    assert "\"'=HYPERLINK" in cells
