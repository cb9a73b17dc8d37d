"""`tasuki ledger`: proven again from its signed bytes, or compared.  RELIABILITY F4, F17."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from node import migrations
from node.cli.entrance import Failed, as_json, load_settings, plainly, say_json
from node.cli.ledger_diff import diff
from node.config import Settings
from node.database import Database
from node.services.ledger import Finding, Verification

# What a script is shown; a person fixes the first, and runs it again.
FINDINGS_IN_JSON = 1000


@click.group()
def ledger() -> None:
    """Look at this node's ledger, compare it with a peer's, and prove it again."""


ledger.add_command(diff)


@ledger.command(epilog="Example: tasuki ledger verify")
@as_json
@plainly
def verify(*, json_: bool) -> None:
    """Prove the whole ledger again from its signed bytes; it changes nothing.

    Every signature, every order's place and what it builds on, every balance, and whether what
    this node keeps beside the certificates agrees with them. One line for each thing that is
    wrong; the exit code is 1 when there is any. The node may run meanwhile.
    """
    with _database(load_settings()) as database, database.reading() as session:
        run = Verification(session)
        shown: list[Finding] = []
        count = 0
        for finding in _with_bar(run, quiet=json_):
            count += 1
            if not json_:
                click.echo(str(finding))
            elif len(shown) < FINDINGS_IN_JSON:
                shown.append(finding)
    if json_:
        say_json(_summary(run, shown, count))
    else:
        click.echo(f"{run.done} certificates, {run.entries} entries; digest {run.digest.hex()}")
    if count:
        raise Failed(f"{count} findings: this ledger is not what its members signed.")
    if not json_:
        click.echo("Everything is proven.")


def _with_bar(run: Verification, *, quiet: bool) -> Iterator[Finding]:
    """The findings, while a bar on the terminal shows how far it is."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    disable = quiet or not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=disable) as bar:
        task: TaskID = bar.add_task("Certificates", total=run.total)
        for finding in run.findings():
            if finding is None:
                bar.update(task, completed=run.done)
            else:
                yield finding


def _summary(run: Verification, shown: list[Finding], count: int) -> dict[str, object]:
    return {
        "certificates": run.done,
        "digest": run.digest.hex(),
        "entries": run.entries,
        "findings": [
            {"table": each.table, "place": each.place, "reason": each.reason} for each in shown
        ],
        "vector": dict(run.vector),
        "wrong": count,
    }


@contextmanager
def _database(settings: Settings) -> Iterator[Database]:
    """The database as it is: looking migrates nothing, and needs no key."""
    database = Database(settings.database_url, unsafe=settings.unsafe_database)
    try:
        if database.revision() != migrations.head():
            raise Failed("The database is not at this release's schema: start the node once.")
        yield database
    finally:
        database.close()
