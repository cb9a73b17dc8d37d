"""A node with its pages, for every test of a page."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page

from node.database import Database
from tests.equipment.alliance import MEMBERS, Alliance, found_alliance
from tests.equipment.databases import Databases
from tests.equipment.referring import alliance_on
from tests.equipment.season import Season
from tests.equipment.web_house import PASSWORD, Visitor, WebHouse

SignIn = Callable[[Page, str], None]


@pytest.fixture
def alliance(sqlite_databases: Databases) -> Iterator[Alliance]:
    """The four members of the demo, founded, each on a fresh SQLite database."""
    with ExitStack() as stack:
        databases = [Database(stack.enter_context(sqlite_databases.fresh())) for _ in MEMBERS]
        yield found_alliance(databases)
        for database in databases:
            database.close()


@pytest.fixture
def season(alliance: Alliance) -> Season:
    """The alliance with verbs for what its members do with referrals and points."""
    return Season(alliance)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def season_on(request: pytest.FixtureRequest) -> Iterator[Season]:
    """The same on each engine, for pages whose queries matter."""
    with alliance_on(request.getfixturevalue(f"{request.param}_databases")) as alliance:
        yield Season(alliance)


@pytest.fixture
def web(alliance: Alliance, tmp_path: Path) -> WebHouse:
    """The pages of `aoba`, with a folder of its own for files."""
    house = alliance["aoba"]
    settings = replace(house.context.settings, data_dir=tmp_path)
    return WebHouse(replace(house, context=replace(house.context, settings=settings)))


@pytest.fixture
def visitor(web: WebHouse) -> Visitor:
    """Somebody who has not signed in."""
    return web.visitor()


@pytest.fixture
def signed_in(web: WebHouse) -> Callable[[str], Visitor]:
    """`signed_in("recruiter")` is a visitor with that role."""
    return web.signed_in


@pytest.fixture
def address(web: WebHouse) -> Iterator[str]:
    """Where a browser finds the pages of `web`."""
    with web.served() as served:
        yield served


@pytest.fixture(params=["desk", "phone"])
def page(request: pytest.FixtureRequest) -> Page:
    """A browser's page; whatever asks for it runs at 1280 px and at 390 px."""
    shown: Page = request.getfixturevalue(request.param)
    return shown


@pytest.fixture
def sign_in(web: WebHouse, address: str) -> SignIn:
    """`sign_in(page, "admin")` goes through the sign-in page, as a person would."""

    def through_the_page(page: Page, role: str) -> None:
        user = web.user(role)
        page.goto(f"{address}/sign-in")
        page.fill("#login", user.login)
        page.fill("#password", PASSWORD)
        page.click("#submit")
        page.wait_for_url(f"{address}/")

    return through_the_page
