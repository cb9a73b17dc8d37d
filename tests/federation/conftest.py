"""An alliance of four real node processes, once on each engine."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.equipment.alliance import MEMBERS
from tests.equipment.databases import Databases
from tests.equipment.federation import Federation, founded

# Both; CI's short form takes the one that has more to go wrong, since other files here have SQLite.
MARKS = {"sqlite": (), "postgresql": (pytest.mark.postgresql,)}
ENGINES = os.environ.get("FEDERATION_ON", " ".join(MARKS)).split()


@pytest.fixture(params=[pytest.param(each, marks=MARKS[each]) for each in ENGINES])
def federation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Federation]:
    """Four nodes that are founded and not started; on SQLite, and again on PostgreSQL."""
    with ExitStack() as stack:
        urls: list[str] = []
        if request.param == "postgresql":
            databases: Databases = request.getfixturevalue("postgresql_databases")
            urls = [stack.enter_context(databases.fresh()) for _ in MEMBERS]
        unsafe = {"TASUKI_UNSAFE_DATABASE": "1"}  # the test server runs without fsync
        yield stack.enter_context(founded(tmp_path, database_urls=urls, settings=unsafe))
