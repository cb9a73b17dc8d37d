"""`tasuki backup` and `tasuki backup-key`: one encrypted file, and the proof that it restores."""

import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from sqlalchemy.orm import Session

from node import backup_file, keyring_file
from node.backup_file import BackupWriter, Recipient, Unseal, with_code
from node.cli.entrance import (
    Failed,
    as_json,
    ask,
    load_settings,
    opened,
    plainly,
    say_json,
    write_new,
)
from node.clock import SystemClock
from node.config import Settings
from node.installation import Node
from node.opening import open_node
from node.services import audit, backups
from node.services.backups import Head, Tally
from node.services.ledger import Verification

SHEET_OPTION = click.option(
    "--sheet",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with the backup's recovery code; asked for without it.",
)


class Told(Protocol):
    """How far it is."""

    def __call__(self, done: int, total: int) -> None: ...


# What else belongs into the transaction that stores the rows.
Then = Callable[[Session, Node, Head], None]


@dataclass(frozen=True, slots=True)
class Proven:
    """What a rehearsal found: the backup restores to this."""

    head: Head
    tally: Tally
    certificates: int
    digest: str


@click.command("backup-key", epilog="Example: tasuki backup-key backup-sheet.txt")
@click.argument("sheet", type=click.Path(path_type=Path))
@plainly
def backup_key(sheet: Path) -> None:
    """Make a recipient of backups; its secret goes onto paper.

    The line it prints belongs into TASUKI_BACKUP_RECIPIENTS. The secret is needed to restore, and
    nowhere else: make it on a machine that is not the node, and keep the paper in the safe.
    """
    recipient, code = backup_file.new_recipient()
    paper = f"""襷 Tasuki — バックアップ復旧シート / Backup recovery sheet

宛先 / recipient      {recipient}

復旧コード / recovery code
    {code}

このコードは、バックアップの復元にだけ使います。
印刷して金庫に保管し、このファイルは削除してください。
This code opens backups. Print it, put it in the safe and delete this file.
"""
    write_new(sheet, paper.encode(), mode=0o600)
    click.echo(str(recipient))


@click.command(epilog="Example: tasuki backup /var/backups/tasuki --rehearse")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--recipient", "named", multiple=True, help="Instead of TASUKI_BACKUP_RECIPIENTS.")
@click.option("--rehearse", is_flag=True, help="Prove that it restores.")
@SHEET_OPTION
@as_json
@plainly
def backup(
    target: Path, named: tuple[str, ...], sheet: Path | None, *, rehearse: bool, json_: bool
) -> None:
    """Write one encrypted file with everything, while the node runs.

    TARGET is a new file, or a folder in which it gets a name by the time. With --rehearse it is
    restored into a scratch place beside the data, and every signature of the ledger is proven
    again; a TARGET that is there already is only rehearsed, with the recovery code of one of its
    recipients.
    """
    settings = load_settings()
    if rehearse and target.is_file():
        unseal, path, tally = with_code(read_code(sheet)), target, None
    else:
        path = target / _name(settings) if target.is_dir() else target
        tally, unseal = _make(settings, path, named, quiet=json_)
    proven = _rehearse(settings, path, unseal, quiet=json_) if rehearse else None
    _report(path, tally, proven, json_=json_)


def _name(settings: Settings) -> str:
    at = datetime.fromtimestamp(SystemClock().now(), settings.time_zone)
    return f"tasuki-{settings.member_id}-{at:%Y%m%d-%H%M%S}.backup"


def _make(
    settings: Settings, path: Path, named: tuple[str, ...], *, quiet: bool
) -> tuple[Tally, Unseal]:
    recipients = [Recipient.parse(each) for each in named or settings.backup_recipients]
    if not recipients:
        raise Failed("Nobody could open it: set TASUKI_BACKUP_RECIPIENTS (tasuki backup-key).")
    if path.exists():
        raise Failed(f"{path} is there already and is not overwritten.")
    # Beside it, and given its name once it is whole and on the disk.
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    node = opened()
    try:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            writer = BackupWriter(file, recipients)
            tally = _write(node, settings, writer, quiet=quiet)
            writer.finish()
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
        with node.database.transaction() as session:
            backups.note(session, node.context, "backup.made", tally)
    finally:
        node.close()
        part.unlink(missing_ok=True)
    return tally, lambda _sealed: writer.key


def _write(node: Node, settings: Settings, writer: BackupWriter, *, quiet: bool) -> Tally:
    revision = node.database.revision()
    assert revision is not None
    key_file = settings.key_file.read_bytes()
    with row_bar("Backing up", quiet=quiet) as told, node.database.reading() as session:
        return backups.write(session, node.context, revision, key_file, writer.put, told)


def _rehearse(settings: Settings, path: Path, unseal: Unseal, *, quiet: bool) -> Proven:
    """Restore into a scratch place, prove everything there, and clear it away."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="rehearsal-", dir=settings.data_dir) as folder:
        scratch = replace(settings, data_dir=Path(folder), database_url="")
        node, head, tally = unpack(scratch, path, unseal, quiet=quiet)
        try:
            with node.database.reading() as session:
                run = Verification(session)
                wrong = [str(finding) for finding in run.findings() if finding is not None]
                broken = audit.verify(session)
        finally:
            node.close()
    if broken is not None:
        wrong.append(f"audit {broken}: does not follow the entry before it")
    if wrong:
        raise Failed("The backup is whole, and what is in it is not:\n  " + "\n  ".join(wrong))
    node = opened()
    try:
        with node.database.transaction() as session:
            backups.note(session, node.context, "backup.rehearsed", tally)
    finally:
        node.close()
    return Proven(head, tally, run.done, run.digest.hex())


def unpack(
    settings: Settings, path: Path, unseal: Unseal, *, quiet: bool, then: Then | None = None
) -> tuple[Node, Head, Tally]:
    """Restore a backup into an empty place: keys, schema, rows and `then`, in one transaction."""
    with path.open("rb") as file:
        lines = backup_file.lines(file, unseal)
        head, tally = backups.read_head(lines)
        if settings.member_id != head.member:
            raise Failed(f"This is a backup of {head.member}; TASUKI_MEMBER_ID says otherwise.")
        keyring_file.place(settings.key_file, head.key_file)
        node = None
        try:
            node = open_node(settings)
            node.database.upgrade(head.revision)
            with row_bar("Restoring", quiet=quiet) as told, node.database.transaction() as session:
                far = partial(told, total=head.rows)
                backups.load(session, node.context, lines, tally, far)
                if then is not None:
                    then(session, node, head)
            node.database.upgrade()
        except BaseException:
            # Keys without their database would stand in the way of the next try.
            settings.key_file.unlink()
            if node is not None:
                node.close()
            raise
    return node, head, tally


def read_code(sheet: Path | None) -> str:
    """The recovery code from a sheet's file, or typed from its paper."""
    if sheet is None:
        return ask("Recovery code (from the backup sheet)", "--sheet", hidden=True)
    for line in sheet.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.count("-") >= 13 and " " not in line.strip():
            return line.strip()
    raise Failed(f"{sheet} has no recovery code in it.")


@contextmanager
def row_bar(doing: str, *, quiet: bool) -> Iterator[Told]:
    """A bar on the terminal; call what it gives with rows done and rows in all."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    disable = quiet or not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=disable) as bar:
        task = bar.add_task(doing, total=None)

        def told(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield told


def _report(path: Path, tally: Tally | None, proven: Proven | None, *, json_: bool) -> None:
    if json_:
        told: dict[str, object] = {"file": str(path), "bytes": path.stat().st_size}
        found = tally or (proven.tally if proven else None)
        told["rows"] = found.total if found else 0
        told["rehearsed"] = proven is not None
        if proven is not None:
            told |= {"certificates": proven.certificates, "digest": proven.digest}
        say_json(told)
        return
    if tally is not None:
        click.echo(f"{path}: {tally.total} rows, {path.stat().st_size} bytes")
    if proven is not None:
        click.echo(
            f"It restores: {proven.tally.total} rows and {proven.certificates} certificates were "
            f"proven in a scratch place; digest {proven.digest}"
        )
