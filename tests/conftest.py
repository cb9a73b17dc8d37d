"""Fixtures every test may ask for: databases, a mail server, a browser; what CI must not skip."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page

from node.cli.demo.postgresql import NoPostgreSQL
from node.database import Database
from tests.equipment import browser as browsers
from tests.equipment import smtp
from tests.equipment.databases import (
    Databases,
    PostgreSQLDatabases,
    SQLiteDatabases,
    postgresql_server,
)

if TYPE_CHECKING:
    from tests.equipment.notices_room import Room

# In CI these are never skipped: a missing program or server is a failure of the set-up.
MUST_RUN_IN_CI = ("browser", "clamd", "dovecot", "nginx", "nodejs", "postgresql", "systemd")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Iterator[None]:  # pytest sends the report in, and takes it out again
    report = yield
    wanted = [name for name in MUST_RUN_IN_CI if item.get_closest_marker(name)]
    if (
        os.environ.get("TESTS_MUST_NOT_SKIP")
        and report.skipped
        and wanted
        and not hasattr(report, "wasxfail")
    ):
        report.outcome = "failed"
        report.longrepr = (
            f"{item.nodeid} needs {' and '.join(wanted)} and was skipped, which CI does not "
            f"allow: install what is missing in .ci/run. It said: {report.longrepr}"
        )
    return report


def migrate(url: str) -> None:
    """Bring an empty database to today's schema, with the node's own migrations."""
    # The test server runs without fsync, which a node otherwise refuses.
    database = Database(url, unsafe=True)
    try:
        database.upgrade()
    finally:
        database.close()


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory: pytest.TempPathFactory) -> Databases:
    return SQLiteDatabases(tmp_path_factory.mktemp("sqlite"), migrate)


@pytest.fixture(scope="session")
def postgresql_databases() -> Iterator[Databases]:
    with ExitStack() as stack:
        try:
            url_of = stack.enter_context(postgresql_server())
        except NoPostgreSQL as reason:
            pytest.skip(f"no PostgreSQL server here: {reason}")
        databases = PostgreSQLDatabases(url_of, migrate)
        stack.callback(databases.close)
        yield databases


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A fresh, migrated database; the test runs once on SQLite and once on PostgreSQL."""
    databases: Databases = request.getfixturevalue(f"{request.param}_databases")
    with databases.fresh() as url:
        yield url


@pytest.fixture
def sqlite_url(sqlite_databases: Databases) -> Iterator[str]:
    """A fresh, migrated SQLite database, for what has nothing to do with the engine."""
    with sqlite_databases.fresh() as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The node's own Database on `database_url`: twice, once on each engine."""
    database = Database(database_url, unsafe=True)
    yield database
    database.close()


@pytest.fixture
def mail_server() -> Iterator[smtp.MailServer]:
    with smtp.mail_server() as server:
        yield server


@pytest.fixture
def room(tmp_path: Path, database_url: str, mail_server: smtp.MailServer) -> "Iterator[Room]":
    """A node with HR people in it, ready to send notices; once on each database."""
    from tests.equipment.notices_room import open_room

    with open_room(tmp_path / "node", database_url, mail_server) as opened:
        yield opened


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if browsers.executable() is None:
        pytest.skip("no Chromium on the PATH: apt-get install chromium")
    with browsers.chromium() as browser:
        yield browser


@pytest.fixture
def desk(chromium: Browser) -> Iterator[Page]:
    """A page as HR sees it at the desk, 1280 px wide."""
    with browsers.page_of(chromium, browsers.DESK) as page:
        yield page


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Page]:
    """A page as an applicant sees it on a phone, 390 px wide and touched."""
    with browsers.page_of(chromium, browsers.PHONE) as page:
        yield page


@pytest.fixture
def check_accessibility() -> browsers.AccessibilityCheck:
    """`check_accessibility(page)` fails with axe's findings, or when the page scrolls sideways."""
    return browsers.check_accessibility
