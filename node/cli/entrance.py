"""What every command shares: opening the node, refusals in one sentence, JSON for scripts.

Exit codes: 0 done, 1 refused or not well, 2 wrong words on the command line.
"""

import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from node import config
from node.config import FILE_VARIABLE, Settings, SettingsInvalid
from node.refusals import Refusal
from protocol import ProtocolError, SignedDocument, limits

if TYPE_CHECKING:
    from node.installation import Node

P = ParamSpec("P")
T = TypeVar("T")


FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
as_json = click.option("--json", "json_", is_flag=True, help="Print JSON for a script.")


class Failed(click.ClickException):
    """A command that could not be carried out; what it said is all there is to say."""

    exit_code = 1


def plainly(command: Callable[P, T]) -> Callable[P, T]:
    """Turn refusals into one line and exit code 1."""

    @wraps(command)
    def carried_out(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except (Refusal, ProtocolError) as refusal:
            detail = f" ({refusal.detail})" if refusal.detail else ""
            raise Failed(f"{refusal.code}: {refusal.sentence()}{detail}") from refusal
        except SettingsInvalid as invalid:
            problems = [*_without_file(), *invalid.problems]
            raise Failed("The settings are wrong:\n  " + "\n  ".join(problems)) from invalid
        except OSError as error:
            # A folder of somebody else's, a full disk: what a file's owner can mend.
            if error.filename is None:
                raise
            raise Failed(f"{error.filename}: {error.strerror}") from error
        except _said_plainly() as error:
            detail = f" ({error})" if str(error) else ""
            sentence = " ".join((type(error).__doc__ or "").split())
            raise Failed(f"{sentence}{detail}") from error

    return carried_out


def _without_file() -> list[str]:
    """What is usually wrong where no settings file was named."""
    if os.environ.get(FILE_VARIABLE):
        return []
    return [
        f"No settings file was read, since {FILE_VARIABLE} is not set. Run: "
        f"{FILE_VARIABLE}=/etc/tasuki/tasuki.env tasuki ..."
    ]


def _said_plainly() -> tuple[type[Exception], ...]:
    """Errors whose docstring is the sentence for whoever typed the command."""
    # Looked up only when something went wrong: help needs neither database nor keys.
    from node import backup_file, keyring_file
    from node.database import DatabaseUnsafe, DatabaseURLInvalid
    from node.migrations import SchemaNewer
    from node.recovery import RecoveryCodeWrong
    from node.web_server import AddressImpossible, PortTaken

    return (
        AddressImpossible,
        backup_file.BackupUnreadable,
        backup_file.NotARecipient,
        backup_file.RecipientInvalid,
        keyring_file.KeyFileMissing,
        keyring_file.KeyFileExists,
        keyring_file.KeyFileExposed,
        keyring_file.KeyFileDamaged,
        keyring_file.PassphraseWrong,
        keyring_file.PassphraseWeak,
        DatabaseUnsafe,
        DatabaseURLInvalid,
        PortTaken,
        SchemaNewer,
        RecoveryCodeWrong,
    )


def ask(question: str, option: str, *, hidden: bool = False) -> str:
    """What somebody types; where nobody can, the option that says it instead."""
    at_terminal = sys.stdin.isatty()
    try:
        return str(click.prompt(question, hide_input=hidden and at_terminal, err=True))
    except click.Abort as abort:
        if at_terminal:
            raise
        raise Failed(f"Nobody can be asked here, without a terminal. Give {option}.") from abort


def load_settings() -> Settings:
    """The settings of this environment, with the log set up as they say."""
    from node import logs

    settings = config.load()
    logs.configure(settings.log_level)
    return settings


def opened() -> "Node":
    """The node that the settings describe, its database at today's schema."""
    from node.opening import open_node

    node = open_node(load_settings())
    node.database.upgrade()
    return node


def say_json(value: Any) -> None:  # noqa: ANN401 (whatever a command has to say)
    """One line of JSON on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, sort_keys=True))


def write_new(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write a file that is not there yet; what a person may have is never overwritten."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.touch(mode=mode, exist_ok=False)
    except FileExistsError as error:
        raise Failed(f"{path} is there already and is not overwritten.") from error
    path.write_bytes(content)


def read_document(path: Path, kind: str) -> SignedDocument:
    """A signed document of that kind from a file; Failed when it is none."""
    try:
        document = SignedDocument.parse(path.read_bytes(), bytes_max=limits.CHARTER_BYTES_MAX)
    except ProtocolError as error:
        raise Failed(f"{path} is not a {kind}: {error.detail or error.code}.") from error
    if document.kind != kind:
        raise Failed(f"{path} is not a {kind} but a {document.kind}.")
    return document


def moment(at: int) -> str:
    """A moment as people read it in a terminal, wherever the other end of the telephone is."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"
