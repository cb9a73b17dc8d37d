"""What no person types: NUL, and numbers beyond every column, in addresses and in forms.

On PostgreSQL above all, which refuses them where SQLite shrugs.  RELIABILITY I9: no 500.
"""

import re
from collections.abc import Iterator

import pytest

from tests.equipment.season import Season
from tests.equipment.web_house import WebHouse

BEYOND = str(2**63)
# What lists take in their addresses.
ASKED = ("after", "before", "older", "newer", "state", "sender", "recipient", "job", "q", "screen")


@pytest.fixture
def web(season_on: Season) -> WebHouse:
    return WebHouse(season_on.alliance["aoba"])


def rules(web: WebHouse, method: str) -> Iterator[str]:
    """Every page's address, its variables still in it; not the one that ends the visit."""
    for rule in web.app.url_map.iter_rules():
        room, _, view = rule.endpoint.partition(".")
        if room not in ("peer", "static") and view != "sign_out" and method in rule.methods:
            yield rule.rule


def filled(rule: str, text: str) -> str:
    return re.sub(r"<[^>]+>", text, re.sub(r"<int:[^>]+>", BEYOND, rule))


def test_no_address_breaks_a_page(web: WebHouse) -> None:
    admin = web.signed_in("admin")
    for rule in rules(web, "GET"):
        for text in ("a%00b", BEYOND):
            query = "&".join(f"{name}=1~{text}" for name in ASKED)
            for address in (filled(rule, text), f"{filled(rule, 'there')}?{query}"):
                assert admin.get(address).status_code < 500, address


def test_no_form_breaks_a_page(web: WebHouse) -> None:
    admin, stranger = web.signed_in("admin"), web.visitor()
    typed = dict.fromkeys(("login", "password", "token", "name", "chosen", "applicant"), "a\0b")
    for rule in rules(web, "POST"):
        for visitor in (admin, stranger):
            for address in (filled(rule, "a%00b"), filled(rule, "there")):
                assert visitor.post(address, dict(typed)).status_code < 500, address


def test_a_stranger_who_types_it_at_the_door_is_told_to_correct_it(web: WebHouse) -> None:
    answer = web.visitor().post("/sign-in", {"login": "a\0b", "password": "ekiden no tasuki"})
    assert answer.status_code == 422
    assert "value-invalid" in answer.get_data(as_text=True)
