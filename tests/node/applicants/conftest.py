"""One office for each test, on each database."""

from pathlib import Path

import pytest

from node.database import Database
from tests.equipment.applicants_office import Office, open_office


@pytest.fixture
def office(tmp_path: Path, database: Database) -> Office:
    return open_office(tmp_path / "data", database)
