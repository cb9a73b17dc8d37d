"""The pages of a company whose decree is still to come: each says something, and none breaks."""

from collections.abc import Iterator

import pytest

from node.database import Database
from tests.equipment.alliance import Alliance
from tests.equipment.databases import Databases
from tests.equipment.newcomers import invite, newcomer
from tests.equipment.web_house import WebHouse
from tests.web.test_unstorable import filled, rules


@pytest.fixture
def waiting(alliance: Alliance, sqlite_databases: Databases) -> Iterator[WebHouse]:
    """Delta, which has signed its draft and holds version 1."""
    with sqlite_databases.fresh() as url:
        database = Database(url)
        delta = newcomer(alliance, database)
        delta.enter(invite(alliance["aoba"]))
        yield WebHouse(delta.house)
        database.close()


def test_every_page_of_a_node_that_belongs_not_yet_is_a_page(waiting: WebHouse) -> None:
    admin = waiting.signed_in("admin")
    broken = [
        rule
        for rule in rules(waiting, "GET")
        if admin.get(filled(rule, "there")).status_code >= 500
    ]
    assert broken == []


def test_it_says_that_it_waits_for_the_members(waiting: WebHouse) -> None:
    page = waiting.signed_in("admin").get("/").get_data(as_text=True)
    assert "みなと採用連合" in page
    assert "承認を待っています" in page
