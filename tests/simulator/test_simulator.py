"""The simulator holds over its fixed seeds, replays exactly, and notices each broken rule."""

import json
import os
import subprocess
import sys
from collections import Counter

import pytest

from tests.equipment.source import ROOT
from tests.simulator.mutants import MUTANTS, Mutant
from tests.simulator.runs import Outcome, run
from tests.simulator.seeds import fixed_seeds

# The mutants that the design names for everything but the charter's decrees.
NAMED = (
    "no fence; no adopt; adopt any of the highest; q too low; 2 of 3; lock reports without the "
    "owner's signature; vote before the lock is durable; fence flag not durable; limit checked at "
    "apply; votes counted per signature; lock overwritten on re-proposal"
)
# What the fixed seeds must reach, or they say nothing about it.
REACHED = (
    "lost",
    "repeated",
    "late",
    "not reached",
    "partitioned",
    "crashed",
    "lost writes that were not synced",
    "restored from a backup",
    "cloned",
    "a liar signs twice",
    "a liar overdraws",
    "a liar names what nobody has seen",
    "a liar certifies alone",
    "a liar votes unseen",
    "a liar promises falsely",
    "a liar takes a later incarnation",
    "a liar's order is certified",
    "fenced",
    "promised",
    "restored: abstains, and fences",
    "refused abstaining",
    "found at its start that it had forgotten",
    "found that its key signed twice",
    "unlocked a place for which it had signed twice",
    "resumed with nothing open",
    "adopted what others had locked",
    "reissued its own",
    "stopped by a fence of its own key",
    "evidence stored",
)


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    return [run(seed) for seed in fixed_seeds()]


def test_every_invariant_holds_in_every_run_of_the_fixed_seeds(outcomes: list[Outcome]) -> None:
    broken = [f"seed {each.seed}: {each.broken}\n{each.where}" for each in outcomes if each.broken]
    assert not broken, "\n".join(
        ["A run broke; `python -m tests.simulator --first-seed SEED --trace` replays it.", *broken]
    )


def test_the_fixed_seeds_reach_every_fault_and_every_way_of_recovery(
    outcomes: list[Outcome],
) -> None:
    counts = sum((each.counts for each in outcomes), Counter[str]())
    missed = [what for what in REACHED if not counts[what]]
    assert not missed, "no run came there: a rule that is never reached is not tested"


def test_a_seed_replays_exactly_in_another_process(outcomes: list[Outcome]) -> None:
    """Another process hashes its strings otherwise, so that the order of a set would show."""
    seeds = [each.seed for each in outcomes if each.seed < 20]
    said = simulator("--first-seed", "1", "--seeds", "19", "--json", hash_seed="7")
    again = {each["seed"]: each["fingerprint"] for each in map(json.loads, said.splitlines())}
    assert {each.seed: each.fingerprint for each in outcomes if each.seed in seeds} == again


def test_the_mutants_are_those_that_the_design_names() -> None:
    assert set(NAMED.split("; ")) <= {mutant.name for mutant in MUTANTS}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_mutant_is_killed_within_the_fixed_seeds(mutant: Mutant) -> None:
    said = simulator("--fixed", "--until-broken", "--json", "--mutant", mutant.name)
    last = json.loads(said.splitlines()[-1])
    assert last["broken"], f"nobody noticed in {len(fixed_seeds())} runs: {mutant.name}"
    # A mutant that cannot even be made kills nothing.
    assert last["broken"].partition(":")[0] in ("Violation", "AssertionError"), last


def simulator(*words: str, hash_seed: str = "0") -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulator", *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    assert not done.stderr, done.stderr
    return done.stdout
