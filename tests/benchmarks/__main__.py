"""Run benchmarks and print their figures: `python -m tests.benchmarks [NAME...] [--json]`."""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict

from tests.benchmarks.registry import Benchmark, Figure, all_benchmarks

Row = tuple[str, Figure]


def measure(chosen: dict[str, Benchmark]) -> Iterator[Row]:
    """Figures as they come, so that a long run shows where it is."""
    for name, function in chosen.items():
        for figure in function():
            yield name, figure


def print_table(rows: Iterator[Row]) -> None:
    print(f"{'benchmark':<18} {'what':<44} {'measured':>12} {'unit':<10} must")
    for name, figure in rows:
        verdict = "" if not figure.must else "reached" if figure.is_reached else "NOT REACHED"
        print(
            f"{name:<18} {figure.what:<44} {figure.value:>12,.2f} {figure.unit:<10} "
            f"{figure.must} {verdict}".rstrip(),
            flush=True,
        )


def print_json(rows: Iterator[Row]) -> None:
    figures = [
        {"benchmark": name, **asdict(figure), "reached": figure.is_reached} for name, figure in rows
    ]
    print(json.dumps(figures, ensure_ascii=False, indent=1))


def main() -> int:
    """Measure what is named, or everything; always 0, since figures are for people to judge."""
    benchmarks = all_benchmarks()
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("name", nargs="*", help=f"any of: {', '.join(benchmarks)}")
    parser.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.name) - set(benchmarks))
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]}; there are: {', '.join(benchmarks)}")
    chosen = {name: benchmarks[name] for name in arguments.name or benchmarks}
    (print_json if arguments.json else print_table)(measure(chosen))
    return 0


if __name__ == "__main__":
    sys.exit(main())
