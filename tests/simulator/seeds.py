"""The seeds that the test suite runs: those that once found something, then the first ones."""

from pathlib import Path

FIRST = 80


def findings() -> dict[int, str]:
    """Seed -> what it found, as `seeds.txt` keeps it."""
    found = {}
    for line in (Path(__file__).parent / "seeds.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            seed, _, cause = line.partition(" ")
            found[int(seed)] = cause.strip()
    return found


def fixed_seeds() -> list[int]:
    known = list(findings())
    return known + [seed for seed in range(1, FIRST + 1) if seed not in known]
