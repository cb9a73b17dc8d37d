"""Numbered cases: what is done to a peer, and what the specification says must come of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from node.cli.conformance.caller import Caller, Deviation, NotApplicable

Run: TypeAlias = Callable[[Caller], None]

PASSED = "passed"
FAILED = "failed"
SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that is done, by its number for ever; `section` is of SPEC.md."""

    number: int
    title: str
    section: str
    expected: str
    run: Run


@dataclass(frozen=True, slots=True)
class Result:
    """How a case went; `got` is what the peer did, where that was another thing."""

    case: Case
    outcome: str
    got: str = ""

    def to_json(self) -> dict[str, object]:
        """The result for a script."""
        return {
            "case": self.case.number,
            "title": self.case.title,
            "section": self.case.section,
            "expected": self.case.expected,
            "outcome": self.outcome,
            "got": self.got,
        }


def carry_out(case: Case, caller: Caller) -> Result:
    """Run one case."""
    try:
        case.run(caller)
    except Deviation as deviation:
        return Result(case, FAILED, str(deviation))
    except NotApplicable as reason:
        return Result(case, SKIPPED, str(reason))
    return Result(case, PASSED)


@dataclass
class Chapter:
    """Cases of one subject, in the order in which they are run."""

    cases: list[Case]

    def case(self, number: int, title: str, section: str, expected: str) -> Callable[[Run], Run]:
        """Add the function below as a case."""

        def added(run: Run) -> Run:
            assert number not in {case.number for case in self.cases}, number
            self.cases.append(Case(number, title, section, expected, run))
            return run

        return added

    def refusals(self, rows: Iterable[tuple[int, str, str, str, Run]]) -> None:
        """Add cases that end in a refusal; each row names its code."""
        for number, title, section, code, run in rows:
            self.case(number, title, section, f"the refusal {code}")(run)
