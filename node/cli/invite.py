"""`tasuki invite`: the sponsor's part of joining.  PEER 4."""

import os
from pathlib import Path
from typing import Any

import click

from node.cli.charter_drafts import say_draft
from node.cli.entrance import Failed, as_json, ask, opened, plainly, say_json, write_new
from node.services import joining
from protocol import Member, fingerprint
from protocol import joining as telephone

GROUPS = 6


@click.group()
def invite() -> None:
    """Bring a new member in: invite, hear its fingerprint, write the draft.

    \b
    1. tasuki invite write delta --domain delta.example.jp
       and hand the file over by another way than this network: it holds a secret.
    2. The newcomer runs   tasuki join request invitation-delta.json
       while you are on the telephone; read your fingerprint to it.
    3. tasuki invite admit delta
       asks for two groups of the newcomer's fingerprint and writes the draft.
    4. The newcomer signs it with   tasuki join accept invitation-delta.json
       and as soon as enough members approve, its node belongs.
    """


@invite.command(
    epilog="Example: tasuki invite write delta --domain delta.example.jp",
    short_help="Write an invitation for one member, good for seven days.",
)
@click.argument("member")
@click.option("--domain", required=True, help="Where its node will be, such as delta.example.jp.")
@click.option("--out", type=click.Path(path_type=Path), help="File; invitation-MEMBER.json.")
@as_json
@plainly
def write(member: str, domain: str, out: Path | None, json_: bool) -> None:
    """Write an invitation; writing it again makes the earlier file worthless."""
    out = out or Path(f"invitation-{member}.json")
    node = opened()
    try:
        with node.database.transaction() as session:
            file = joining.invite(session, node.context, member, domain, actor="cli")
            write_new(out, file.encode(), mode=0o600)
    finally:
        node.close()
    if json_:
        say_json({"expires_at": file.invitation.expires_at, "file": str(out), "member": member})
        return
    click.echo(
        f"{out} is written. It holds a secret: hand it over by another way than this network,\n"
        "and not by ordinary mail. It is good once, for seven days.\n\n"
        "Your fingerprint, to read aloud on the telephone when the newcomer asks for it:\n\n"
        f"    {file.invitation.fingerprint}"
    )


@invite.command("list", epilog="Example: tasuki invite list")
@as_json
@plainly
def list_(*, json_: bool) -> None:
    """List the invitations of this member, and how far each has come."""
    node = opened()
    try:
        with node.database.reading() as session:
            views = joining.invitations(session, node.context)
    finally:
        node.close()
    if json_:
        say_json({"invitations": [_as_json(view) for view in views]})
        return
    for view in views:
        click.echo(f"{view.member}  {view.domain}  {view.state}")
    if not views:
        click.echo("Nobody is invited.")


@invite.command(
    epilog="Example: tasuki invite admit delta --limit 20",
    short_help="Check who answered, and write the draft that brings it in.",
)
@click.argument("member")
@click.option("--limit", type=int, help="Points it may owe; else as in its card.")
@click.option("--votes", type=int, help="How many votes certify from then on (q).")
@click.option("--liars", type=int, help="How many liars that survives (b); with --votes.")
@click.option("--heard", help="All six groups as they were read to you, instead of two asked for.")
@as_json
@plainly
def admit(
    member: str,
    limit: int | None,
    votes: int | None,
    liars: int | None,
    heard: str | None,
    json_: bool,
) -> None:
    """Check the newcomer's fingerprint over the telephone, and write the draft.

    Call the number that you know, not one from the invitation's answer.
    """
    if (votes is None) != (liars is None):
        raise click.UsageError("--votes and --liars belong together.")
    node = opened()
    try:
        with node.database.reading() as session:
            card = joining.invitation(session, node.context, member).card
        if card is None:
            raise joining.NotAnswered(member)
        if not json_:
            _describe(card)
        typed = ask_groups("The newcomer reads its fingerprint.", "--heard", heard)
        with node.database.transaction() as session:
            view = joining.admit(
                session,
                node.context,
                member,
                typed,
                credit_limit=limit,
                quorum=None if votes is None or liars is None else (votes, liars),
                actor="cli",
            )
    finally:
        node.close()
    say_draft(view, json_=json_)
    if not json_:
        click.echo("\nThe newcomer signs it next: tasuki join accept FILE")


def ask_groups(who: str, option: str, heard: str | None) -> dict[int, str]:
    """Two groups of a fingerprint, drawn by us and typed by a person; or all six, by a script."""
    if heard is not None:
        groups = heard.split()
        if len(groups) != GROUPS:
            raise Failed(f"A fingerprint has {GROUPS} groups of five digits.")
        return dict(enumerate(groups))
    click.echo(who)
    drawn = telephone.asked_groups(os.urandom(1))
    return {at: ask(f"Type group {at + 1} of {GROUPS}", option) for at in drawn}


def _describe(card: Member) -> None:
    click.echo(f"{card.legal_name} ({card.id})")
    click.echo(f"  {card.address}\n  {card.representative}\n  {card.url}")


def _as_json(view: joining.InvitationView) -> dict[str, Any]:
    return {
        "domain": view.domain,
        "draft": view.draft.hex() if view.draft else None,
        "expires_at": view.expires_at,
        "fingerprint": fingerprint(view.card.identity_key) if view.card else None,
        "member": view.member,
        "state": view.state,
    }
