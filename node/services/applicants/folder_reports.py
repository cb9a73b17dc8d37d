"""Folder reports: the text file beside a file of the watched folder; numbers, never a value.

It lies where others may read, so it names rows by their number and our own fields only: what stands
in the first row of a file may be the titles of its columns, or a person.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from node.services.applicants import columns, rows
from node.services.applicants.refusals import FileRefused
from node.services.applicants.reports import Finding, Report

Say = Callable[..., str]


def imported(say: Say, report: Report, at: int, zone: ZoneInfo) -> str:
    """Return what a file brought, and when; the same for the same file put down again."""
    when = datetime.fromtimestamp(at, zone).strftime("%Y-%m-%d %H:%M")
    head = say("This file was imported on %(when)s.", when=when)
    counts = say(
        "Rows: %(rows)s. New: %(new)s, changed: %(changed)s, as before: %(same)s.",
        rows=report.rows,
        new=report.created,
        changed=report.updated,
        same=report.unchanged,
    )
    return _text([head, counts, *_findings(say, report.warnings, rows.WARNINGS)])


def refused(say: Say, refusal: FileRefused, report: Report | None = None) -> str:
    """Return why a file was not imported, and where to look in it."""
    lines = [say("This file was not imported."), say(refusal.sentence())]
    facts = refusal.facts
    if "byte" in facts:
        lines.append(say("Row %(row)s, byte %(byte)s.", row=facts["row"], byte=facts["byte"]))
    elif "row" in facts:
        lines.append(say("Row %(row)s.", row=facts["row"]))
    missing = facts.get("fields")
    if isinstance(missing, tuple):
        names = "、".join(say(columns.FIELDS[name]) for name in missing)
        lines.append(say("Missing: %(names)s", names=names))
    if report is not None:
        lines += _findings(say, report.problems, rows.PROBLEMS)
    lines.append(
        say("Put it into the folder again once it is corrected, or import it in the browser.")
    )
    return _text([*lines, refusal.code])


def _findings(
    say: Say, found: Mapping[str, Finding], sentences: Mapping[str, str]
) -> Iterator[str]:
    for code, one in found.items():
        numbers = ", ".join(map(str, one.rows))
        more = " …" if one.count > len(one.rows) else ""
        yield f"- {say(sentences[code])} " + say("Rows: %(numbers)s", numbers=f"{numbers}{more}")


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
