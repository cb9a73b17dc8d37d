"""`tasuki keys`: which keys this node has, and new ones in their place.  PEER 4, LEDGER 5."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from node import keyring_file
from node.cli.entrance import Failed, as_json, opened, plainly, say_json, write_new
from node.cli.found import identity_from, sheet_option
from node.installation import Node
from node.services import keys as own_keys
from node.services.keys import PairView, State
from protocol import SignedDocument

WORDS = {
    State.IN_USE: "in use",
    State.STAGED: "staged, waiting for a decree",
    State.KEPT: "kept for letters on their way",
}


@click.group()
def keys() -> None:
    """Show this node's signing and sealing keys, and replace them.

    The identity key is not among them: it is on the recovery sheet.
    """


@keys.command(epilog="Example: tasuki keys show --json")
@as_json
@plainly
def show(*, json_: bool) -> None:
    """Show the keys in the key file: in use, staged for the next charter, kept from before."""
    node = opened()
    try:
        with node.database.reading() as session:
            views = own_keys.views(session, node.context)
        if json_:
            say_json({"keys": [_as_json(view) for view in views]})
            return
        for view in views:
            click.echo(_describe(node, view))
        if not any(view.state is State.IN_USE for view in views):
            click.echo("None of them is the key that a charter names for this node.")
    finally:
        node.close()


@keys.command(
    epilog="Example: tasuki keys rotate --recovery-sheet sheet.txt",
    short_help="Draw new keys for this node, and propose them to the members.",
)
@sheet_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Write the draft into a file as well, for another member to bring in.",
)
@as_json
@plainly
def rotate(recovery_sheet: Path | None, out: Path | None, *, json_: bool) -> None:
    """Draw new signing and sealing keys, and propose them to the other members.

    The members' nodes approve by themselves, since the identity key on the recovery sheet signs
    for it. Once the decree is in force this node signs with the new keys, without a restart; the
    old ones stay in the key file until letters that were sealed to them have come.

    Run it again when another decree came first: the same new keys are proposed once more. A node
    that lost the key which the charter names cannot tell its draft round: give --out, and let
    another member bring the file in with tasuki charter draft --file.
    """
    node = opened()
    try:
        document, is_told = _rotate(node, recovery_sheet, out)
        with node.database.reading() as session:
            views = own_keys.views(session, node.context)
    finally:
        node.close()
    staged = next(view for view in views if view.state is State.STAGED)
    if json_:
        say_json({"draft": document.digest.hex(), "told": is_told, "staged": _as_json(staged)})
        return
    click.echo(f"New keys are staged: {staged.signing_keyid}")
    click.echo(f"Their fingerprint:   {staged.fingerprint}")
    if is_told:
        click.echo("\nThe members' nodes decide by themselves: tasuki charter status")
    else:
        click.echo(f"\nAnother member brings it in: tasuki charter draft --file {out}")


def _rotate(node: Node, sheet: Path | None, out: Path | None) -> tuple[SignedDocument, bool]:
    with node.database.reading() as session:
        charter = node.context.charter(session)
        named = own_keys.ever_named(session, node.context)
    is_told = node.context.holds_key(charter)
    if not is_told and out is None:
        raise Failed(
            "This node does not hold the key that the charter names, so it cannot tell others of "
            "a draft. Give --out FILE, and let another member bring the file in."
        )
    identity = identity_from(sheet)
    own_keys.require_identity(node.context, charter, identity)
    # On the disk before anything leaves: a key that peers seal to is never lost by a crash.
    keyring_file.change(
        node.settings.key_file,
        node.settings.read_passphrase(),
        lambda held: own_keys.with_staged(held, named, node.clock.now()),
    )
    node.keyring.look_again()
    with node.database.transaction() as session:
        document = own_keys.rotate(session, node.context, identity, actor="cli")
    if out is not None:
        write_new(out, document.encode())
    return document, is_told


def _describe(node: Node, view: PairView) -> str:
    lines = [
        f"{WORDS[view.state]}",
        f"  signing key   {view.signing_keyid}",
        f"  fingerprint   {view.fingerprint}",
        f"  sealing key   {view.sealing_keyid}",
        f"  since         {_day(node, view.since)}",
    ]
    if view.until is not None:
        lines.append(f"  dropped after {_day(node, view.until)}")
    return "\n".join(lines)


def _day(node: Node, at: int) -> str:
    if at == 0:
        return "tasuki init"
    return f"{datetime.fromtimestamp(at, node.settings.time_zone):%Y-%m-%d %H:%M}"


def _as_json(view: PairView) -> dict[str, Any]:
    return {
        "fingerprint": view.fingerprint,
        "sealing_key": view.sealing_keyid,
        "signing_key": view.signing_keyid,
        "since": view.since,
        "state": view.state.value,
        "until": view.until,
    }
