"""`tasuki retention`: what is kept how long, and what will go; a dry run of the nightly job."""

import click
from rich.console import Console
from rich.table import Table

from node.cli.entrance import as_json, opened, plainly, say_json
from node.services import retention
from node.services.retention import Review

WORDS = {
    "applicants": "people not hired, since their notice",
    "profiles": "profiles of others' people, since the selection ended",
    "provided": "records of what we gave (Art. 29)",
    "received": "records of what we received (Art. 30)",
}


@click.command("retention", epilog="Example: tasuki retention --json")
@click.option("--now", is_flag=True, help="Destroy what is due at once, instead of within an hour.")
@as_json
@plainly
def retention_(json_: bool, *, now: bool) -> None:
    """Show what is kept how long, and what will go.

    Nothing is changed without --now: this is the dry run.

    A running node destroys what is due by itself, every hour.
    """
    node = opened()
    gone: dict[str, int] = {}
    try:
        while now:
            with node.database.transaction() as session:
                batch = retention.destroy_due(session, node.context)
            gone = {kind: gone.get(kind, 0) + count for kind, count in batch.items()}
            if not any(batch.values()):
                break
        with node.database.reading() as session:
            found = retention.review(session, node.context)
    finally:
        node.close()
    if json_:
        kinds = {one.kind: {"days": one.days, "held": one.held, "due": one.due} for one in found}
        say_json({"kinds": kinds, "destroyed": gone})
        return
    _show(found)
    if now:
        click.echo(", ".join(f"{count} {kind}" for kind, count in gone.items()) + " destroyed")


def _show(found: list[Review]) -> None:
    table = Table("Kind", "Kept (days)", "Held", "Due now", "Due within 30 days")
    for one in found:
        soon = str(one.soon - one.due)
        table.add_row(WORDS[one.kind], str(one.days), str(one.held), str(one.due), soon)
    Console().print(table)
