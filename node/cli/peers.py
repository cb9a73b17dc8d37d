"""`tasuki peers`: the other members' nodes, and what can be done without a decree.  PEER 4."""

from typing import Any

import click

from node.cli.entrance import as_json, moment, opened, plainly, say_json
from node.installation import Node
from node.services import measures, membership
from node.services.measures import SuspensionView
from node.services.membership import PeerView


@click.group()
def peers() -> None:
    """List the other members' nodes; block one, or suspend it with another member."""


@peers.command("list", epilog="Example: tasuki peers list", short_help="How each peer stands.")
@as_json
@plainly
def list_(*, json_: bool) -> None:
    """List the other members: reachable or not, what waits for them, and the measures on them."""
    node = opened()
    try:
        with node.database.reading() as session:
            views = membership.peers(session, node.context)
            suspensions = measures.views(session, node.context)
    finally:
        node.close()
    if json_:
        told = [_suspension(each) for each in suspensions]
        say_json({"peers": [_peer(view) for view in views], "suspensions": told})
        return
    for view in views:
        click.echo(f"{view.member:<12} {view.connection:<10} {view.queued} waiting  {view.url}")
    for each in suspensions:
        click.echo(_words(each))


@peers.command(epilog="Example: tasuki peers block bridge", short_help="Take no letters of it.")
@click.argument("member")
@as_json
@plainly
def block(member: str, *, json_: bool) -> None:
    """Refuse what a member sends, at once and until you unblock it.

    Votes, the ledger and decrees go on. It sees that it is blocked, and nobody is told why.
    """
    _block(member, on=True, json_=json_)


@peers.command(epilog="Example: tasuki peers unblock bridge", short_help="Take its letters again.")
@click.argument("member")
@as_json
@plainly
def unblock(member: str, *, json_: bool) -> None:
    """Take again what a member sends. It comes when that member resumes, or says hello."""
    _block(member, on=False, json_=json_)


def _block(member: str, *, on: bool, json_: bool) -> None:
    node = opened()
    try:
        with node.database.transaction() as session:
            membership.block(session, node.context, member, on=on, actor="cli")
    finally:
        node.close()
    if json_:
        say_json({"blocked": on, "member": member})
    else:
        click.echo(f"{member} is blocked." if on else f"{member} is not blocked any more.")


@peers.command(
    epilog="Example: tasuki peers suspend bridge",
    short_help="Suspend it for 72 hours, together with another member.",
)
@click.argument("member")
@as_json
@plainly
def suspend(member: str, *, json_: bool) -> None:
    """Sign that a member is suspended for 72 hours; it is, once a second member has signed too.

    The running node tells the others. From then on every node refuses that member's letters and
    holds its own back; votes, the ledger and decrees go on. It ends by itself, and can be had once
    under each version of the charter: use the time to decide on a draft.
    """
    node = opened()
    try:
        view = _suspend(node, member)
    finally:
        node.close()
    if json_:
        say_json(_suspension(view))
    else:
        click.echo(_words(view))


def _suspend(node: Node, member: str) -> SuspensionView:
    with node.database.transaction() as session:
        return measures.suspend(session, node.context, member, actor="cli")


def _words(view: SuspensionView) -> str:
    by, until = ", ".join(view.signers), moment(view.until)
    if view.is_complete:
        return f"{view.member} is suspended until {until}, by {by}."
    return (
        f"{view.member}: signed by {by}; a second member has to sign as well before {until}:\n"
        f"    tasuki peers suspend {view.member}"
    )


def _peer(view: PeerView) -> dict[str, Any]:
    return {
        "blocked": view.blocked,
        "last_error": view.last_error_code,
        "last_success_at": view.last_success_at,
        "member": view.member,
        "queued": view.queued,
        "refused": view.refused,
        "state": view.connection,
        "suspended_until": view.suspended_until,
        "url": view.url,
    }


def _suspension(view: SuspensionView) -> dict[str, Any]:
    return {
        "in_force": view.is_complete,
        "member": view.member,
        "signers": list(view.signers),
        "since": view.since,
        "until": view.until,
    }
