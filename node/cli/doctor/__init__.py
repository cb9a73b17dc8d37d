"""`tasuki doctor`: is this installation well, and if not, what to do.  PEER 5."""

import click

from node import config
from node.cli.doctor import alliance, entrance_hall, inside
from node.cli.doctor.findings import OK, WRONG, Finding, shown
from node.cli.entrance import Failed, as_json, plainly, say_json
from node.config import Settings, SettingsInvalid


@click.command(
    epilog="Example: tasuki doctor --json",
    short_help="Look whether this node is well, and say what to do.",
)
@as_json
@plainly
def doctor(*, json_: bool) -> None:
    """Look at the keys, the database, mail, clock, proxy and every peer, and say what to do.

    Run it as the node's own user, while the node runs. It changes nothing. The exit code is 1
    when something is wrong; a warning alone is none.
    """
    findings = examine()
    wrong = sum(finding.state == WRONG for finding in findings)
    if json_:
        say_json({"findings": [finding.to_json() for finding in findings], "wrong": wrong})
    else:
        for finding in findings:
            click.echo(shown(finding))
    if wrong:
        raise Failed(f"{wrong} of {len(findings)} are not well; what to do stands below each.")


def examine() -> list[Finding]:
    """Everything there is to find; what builds on something broken is left out."""
    try:
        settings = config.load()
    except SettingsInvalid as invalid:
        return [
            Finding("settings", WRONG, problem, "Correct the line in the environment file.")
            for problem in invalid.problems
        ]
    findings = [Finding("settings", OK, "every line can be read"), *inside.look(settings)]
    if not _broken(findings, "keys", "database"):
        findings += _outside(settings)
    return findings


def _outside(settings: Settings) -> list[Finding]:
    with alliance.opened(settings) as visit:
        findings = alliance.look_at_charter(visit)
        findings += entrance_hall.look(settings, visit)
        if visit.charter is not None:
            findings += alliance.look_at_ledger(visit)
        if visit.charter is not None and visit.departure is None:
            findings += alliance.look_at_peers(visit)
    return findings


def _broken(findings: list[Finding], *names: str) -> bool:
    return any(finding.state == WRONG and finding.name in names for finding in findings)
