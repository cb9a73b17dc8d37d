"""Each rule of a decree is there for a reason: without it the explorer finds a broken promise."""

from pathlib import Path

import pytest

from tests.protocol.decree.mutants import BY_TEST, MUTANTS, Mutant, explore, failing, grow


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_missing_rule_breaks_a_promise(mutant: Mutant, tmp_path: Path) -> None:
    grow(mutant, tmp_path)
    said = explore(mutant, tmp_path)
    assert f"Broken: {mutant.promise}" in said


@pytest.mark.parametrize("mutant", BY_TEST, ids=lambda mutant: mutant.name)
def test_a_missing_rule_fails_the_test_that_is_there_for_it(mutant: Mutant, tmp_path: Path) -> None:
    grow(mutant, tmp_path)
    said = failing(mutant, tmp_path)
    assert f"{mutant.promise}" in said
    assert " failed" in said
    assert "error" not in said.lower()


def test_no_charter_lets_two_of_three_decide_when_one_may_lie(tmp_path: Path) -> None:
    """The one world that the rules do not even let begin."""
    unchanged = Mutant("nothing", "seat.py", (), "two_of_three", "")
    grow(unchanged, tmp_path)
    assert "charter-invalid: q=2 of 3 would let 1 liars" in explore(unchanged, tmp_path)
