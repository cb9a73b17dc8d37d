"""`tasuki restore`: a node back from its backup; its peers fill the gap.  PEER 4."""

from pathlib import Path

import click
from sqlalchemy.orm import Session

from node.backup_file import with_code
from node.cli.backup import SHEET_OPTION, read_code, unpack
from node.cli.entrance import Failed, as_json, load_settings, plainly, say_json
from node.config import Settings
from node.database import Database
from node.installation import Node
from node.services import restores
from node.services.backups import Head
from protocol import reports_needed


@click.command(epilog="Example: tasuki restore tasuki-aoba-20261124-030000.backup")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@SHEET_OPTION
@as_json
@plainly
def restore(file: Path, sheet: Path | None, *, json_: bool) -> None:
    """Bring a node back from a backup, into an empty data folder and database.

    The node that the backup was made of must never run again. Once started, the restored one asks
    its peers what happened since: until enough of them have answered it signs nothing and takes no
    letters, which wait at their senders. Notices that waited to be mailed are not sent by
    themselves, since they may have left after the backup: HR decides, batch by batch.
    """
    settings = load_settings()
    _refuse_what_is_not_empty(settings)
    node, head, tally = unpack(settings, file, with_code(read_code(sheet)), quiet=json_, then=_mark)
    try:
        with node.database.reading() as session:
            needed = reports_needed(node.context.charter(session))
    finally:
        node.close()
    if json_:
        say_json({"charter": head.charter_digest, "made_at": head.made_at, "rows": tally.total})
        return
    click.echo(f"""
Restored: {tally.total} rows of {head.member} in {head.alliance}. The charter of the backup is

    {head.charter_digest}

Compare it with the digest in the paper agreement. Then start the node: it rejoins by itself once
{needed} peers have told it what happened since the backup.
""")


def _mark(session: Session, node: Node, head: Head) -> None:
    """In the transaction of the rows: a node that has them is recovering, whatever happens next."""
    restores.begin(session, node.context, head.made_at)


def _refuse_what_is_not_empty(settings: Settings) -> None:
    if settings.key_file.exists():
        raise Failed(f"{settings.key_file} is there: restore into an empty data folder.")
    database = Database(settings.database_url, unsafe=settings.unsafe_database)
    try:
        if database.revision() is not None:
            raise Failed("The database is not empty: restore into a new one.")
    finally:
        database.close()
