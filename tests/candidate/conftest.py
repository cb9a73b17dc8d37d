"""The applicant's pages of `aoba`, on both databases, with three partners."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from node.database import Database
from protocol import Policy
from tests.equipment.alliance import MEMBERS, Alliance, found_alliance
from tests.equipment.candidates import Candidates
from tests.equipment.databases import Databases
from tests.equipment.web_house import WebHouse


@pytest.fixture
def policy() -> Policy:
    """The charter's policy; a test may ask for another."""
    return Policy()


@pytest.fixture
def alliance(database: Database, sqlite_databases: Databases, policy: Policy) -> Iterator[Alliance]:
    """`aoba` on either engine; the partners only receive."""
    with ExitStack() as stack:
        others = [Database(stack.enter_context(sqlite_databases.fresh())) for _ in MEMBERS[1:]]
        yield found_alliance([database, *others], policy=policy)
        for each in others:
            each.close()


@pytest.fixture
def candidates(alliance: Alliance) -> Candidates:
    return Candidates(alliance, WebHouse(alliance["aoba"]))
