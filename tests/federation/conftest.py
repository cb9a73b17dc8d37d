"""An alliance of four real node processes, once on each engine."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.equipment.alliance import MEMBERS
from tests.equipment.databases import LONG_TESTS, Databases
from tests.equipment.federation import Federation, founded


@pytest.fixture(params=LONG_TESTS)
def federation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Federation]:
    """Four nodes that are founded and not started; on SQLite, and again on PostgreSQL."""
    with ExitStack() as stack:
        urls: list[str] = []
        if request.param == "postgresql":
            databases: Databases = request.getfixturevalue("postgresql_databases")
            urls = [stack.enter_context(databases.fresh()) for _ in MEMBERS]
        unsafe = {"TASUKI_UNSAFE_DATABASE": "1"}  # the test server runs without fsync
        yield stack.enter_context(founded(tmp_path, database_urls=urls, settings=unsafe))
