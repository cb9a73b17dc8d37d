"""Findings: what was looked at, how it is, and what to do about it."""

from dataclasses import asdict, dataclass

import click

OK = "ok"
WARNING = "warning"
WRONG = "wrong"
COLOURS = {OK: "green", WARNING: "yellow", WRONG: "red"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `advice` says what to do, and is empty when nothing is."""

    name: str
    state: str
    text: str
    advice: str = ""

    def to_json(self) -> dict[str, str]:
        """The finding for a script."""
        return asdict(self)


def shown(finding: Finding) -> str:
    """The finding for a person; colour only repeats what the word says."""
    state = click.style(f"{finding.state:8}", fg=COLOURS[finding.state])
    line = f"{state} {finding.name:10} {finding.text}"
    return f"{line}\n{'':20}{finding.advice}" if finding.advice else line
