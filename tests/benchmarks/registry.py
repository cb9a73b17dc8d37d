"""What a benchmark is: a named function that yields figures, measured in one run.

To add one: a module beside this one with a function under `@benchmark("name")`. Figures are best
ratios to a floor that is measured in the same run, since machines and moments differ; absolute
numbers stand beside them without a bound. Nothing here is asserted by the test suite.
"""

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number, with what it must reach, if it must reach anything."""

    what: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def must(self) -> str:
        if self.at_most is not None:
            return f"<= {self.at_most:g}"
        return "" if self.at_least is None else f">= {self.at_least:g}"

    @property
    def is_reached(self) -> bool:
        return (self.at_most is None or self.value <= self.at_most) and (
            self.at_least is None or self.value >= self.at_least
        )


Benchmark: TypeAlias = Callable[[], Iterator[Figure]]
_REGISTERED: dict[str, Benchmark] = {}


def benchmark(name: str) -> Callable[[Benchmark], Benchmark]:
    """Register a benchmark under the name by which the command line asks for it."""

    def register(function: Benchmark) -> Benchmark:
        assert name not in _REGISTERED, name
        _REGISTERED[name] = function
        return function

    return register


def all_benchmarks() -> dict[str, Benchmark]:
    """Every benchmark of this folder, by name."""
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if not path.stem.startswith("_"):
            importlib.import_module(f"tests.benchmarks.{path.stem}")
    return dict(sorted(_REGISTERED.items()))
