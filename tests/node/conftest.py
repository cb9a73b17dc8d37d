"""Fixtures of the node's service tests."""

from collections.abc import Iterator

import pytest

from tests.equipment.alliance import Alliance
from tests.equipment.referring import alliance_on


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def alliance(request: pytest.FixtureRequest) -> Iterator[Alliance]:
    """Four members in this process, on four databases of one engine."""
    with alliance_on(request.getfixturevalue(f"{request.param}_databases")) as founded:
        yield founded
