"""`tasuki charter draft`, `approve`, `status`: how members agree on the next version.  LEDGER 5."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import click

from node.cli.entrance import FILE, Failed, as_json, opened, plainly, read_document, say_json
from node.installation import Node
from node.services import charter as charters
from node.services import decrees
from protocol import (
    DRAFT,
    MEMBER,
    WITNESS,
    Change,
    Charter,
    Policy,
    next_draft,
)

# Enough of a digest to tell two drafts apart when it is read over the telephone.
DIGITS_SHOWN = 16
WHOLE_NUMBERS = tuple(each.name for each in fields(Policy) if each.type == "int")


@click.command(
    epilog="Example: tasuki charter draft --limit biwa=30",
    short_help="Propose a change of the charter to the other members.",
)
@click.option(
    "--limit", "limits", multiple=True, metavar="MEMBER=POINTS", help="Points it may owe."
)
@click.option("--votes", type=int, metavar="Q", help="How many votes certify (q).")
@click.option("--liars", type=int, metavar="B", help="How many liars that survives (b).")
@click.option("--policy", multiple=True, metavar="RULE=NUMBER", help="Such as answer_days=7.")
@click.option("--expel", multiple=True, metavar="MEMBER", help="It goes; its account is closed.")
@click.option("--leave", is_flag=True, help="We go; our account is closed.")
@click.option("--witness", multiple=True, metavar="MEMBER", help="It votes and keeps no account.")
@click.option("--full-member", multiple=True, metavar="MEMBER", help="A witness gets an account.")
@click.option("--file", type=FILE, help="One of tasuki keys rotate --out.")
@click.option("--nothing", is_flag=True, help="Change nothing: closes a month's books.")
@as_json
@plainly
def draft(
    nothing: bool,
    json_: bool,
    file: Path | None,
    **asked: Any,  # noqa: ANN401 (click's options)
) -> None:
    """Write the next version of the charter, sign it, and approve of it.

    The running node tells the other members at once. As soon as enough of them approve, the
    nodes bring it into force by themselves; until then it binds nobody.
    """
    if sum((nothing, file is not None, any(asked.values()))) != 1:
        raise click.UsageError("Name at least one change, or --nothing or --file alone.")
    node = opened()
    try:
        with node.database.transaction() as session:
            if file is not None:
                view = decrees.offer(session, node.context, read_document(file, DRAFT), actor="cli")
            else:
                charter = charters.in_force(session)
                if asked.pop("leave"):
                    asked["expel"] += (_leaving(charter, node.context.member_id),)
                written = next_draft(charter, **_changes(charter, asked))
                view = decrees.propose(session, node.context, written, actor="cli")
    finally:
        node.close()
    say_draft(view, json_=json_)


@click.command(
    epilog="Example: tasuki charter approve 5e1c9a0277d04b18",
    short_help="Approve of a draft, or take that back.",
)
@click.argument("digest")
@click.option("--take-back", is_flag=True, help="Approve no longer, until the decision begins.")
@as_json
@plainly
def approve(digest: str, take_back: bool, json_: bool) -> None:
    """Approve of the draft whose digest begins like this; `tasuki charter status` lists them.

    Compare the digest with whoever proposed it, over the telephone.
    """
    node = opened()
    try:
        with node.database.transaction() as session:
            chosen = _named(digest, decrees.views(session, node.context))
            view = decrees.approve(
                session, node.context, chosen.digest, on=not take_back, actor="cli"
            )
    finally:
        node.close()
    say_draft(view, json_=json_)


@click.command(
    epilog="Example: tasuki charter status",
    short_help="Show the drafts: who approves, and who is missing.",
)
@as_json
@plainly
def status(*, json_: bool) -> None:
    """Show the version in force, and each draft with what it changes and what it waits for."""
    node = opened()
    try:
        in_force, views = _read(node)
    finally:
        node.close()
    if json_:
        say_json({"drafts": [_as_json(view) for view in views], "version": in_force.version})
        return
    click.echo(f"Version {in_force.version} is in force.")
    for view in views:
        click.echo()
        _describe(view)
    if not views:
        click.echo("There is no draft of another one.")


def _read(node: Node) -> tuple[Charter, list[decrees.DraftView]]:
    with node.database.transaction() as session:
        return charters.in_force(session), decrees.views(session, node.context)


def _changes(charter: Charter, asked: dict[str, Any]) -> dict[str, object]:
    members = {member.id: member for member in charter.members}
    for name, points in _pairs(asked["limits"], "--limit"):
        known = _known(name, charter)
        members[known] = replace(members[known], credit_limit=points)
    for role, names in ((WITNESS, asked["witness"]), (MEMBER, asked["full_member"])):
        for name in names:
            known = _known(name, charter)
            members[known] = replace(members[known], role=role)
    for name in asked["expel"]:
        members.pop(_known(name, charter), None)
    changes: dict[str, object] = {"members": tuple(members.values())}
    for field, number in (("q", asked["votes"]), ("b", asked["liars"])):
        if number is not None:
            changes[field] = number
    rules = dict(_pairs(asked["policy"], "--policy"))
    if unknown := rules.keys() - set(WHOLE_NUMBERS):
        raise click.BadParameter(f"{min(unknown)} is none of {', '.join(WHOLE_NUMBERS)}")
    if rules:
        changes["policy"] = replace(charter.policy, **rules)  # type: ignore[arg-type]
    return changes


def _leaving(charter: Charter, us: str) -> str:
    """Ourselves: the draft has our node's signature, so it reads as leaving, not as expelling."""
    if len(charter.members) == 1:
        raise Failed("We are the last member: nobody is there to leave. Stop this node instead.")
    return _known(us, charter)


def _pairs(texts: tuple[str, ...], option: str) -> list[tuple[str, int]]:
    found = []
    for text in texts:
        name, _, number = text.partition("=")
        if not (name and number.isascii() and number.isdigit()):
            raise click.BadParameter(f"{text}: write NAME=NUMBER", param_hint=option)
        found.append((name, int(number)))
    return found


def _known(name: str, charter: Charter) -> str:
    if name not in charter.by_id:
        raise click.BadParameter(
            f"There is no member {name}. The members are: {', '.join(charter.by_id)}"
        )
    return name


def _named(digits: str, views: list[decrees.DraftView]) -> decrees.DraftView:
    found = [view for view in views if view.digest.hex().startswith(digits.lower())]
    if len(found) != 1:
        which = "No draft begins" if not found else "More than one draft begins"
        raise Failed(f"{which} with {digits}. Look at: tasuki charter status")
    return found[0]


def say_draft(view: decrees.DraftView, *, json_: bool) -> None:
    """A draft as a person or a script reads it."""
    if json_:
        say_json(_as_json(view))
    else:
        _describe(view)


def _describe(view: decrees.DraftView) -> None:
    click.echo(f"Draft {view.digest.hex()[:DIGITS_SHOWN]} of version {view.version}")
    click.echo(f"  changes: {', '.join(map(_words, view.changes)) or 'none'}")
    click.echo(f"  approved by {', '.join(view.approving) or 'nobody'}; {view.needed} are needed")
    if view.missing:
        click.echo(f"  not yet: {', '.join(view.missing)}")
    if view.lacks:
        click.echo(f"  it waits for signatures as well: {view.lacks}")


def _words(change: Change) -> str:
    return f"{change.kind.value} {change.member}".rstrip()


def _as_json(view: decrees.DraftView) -> dict[str, Any]:
    return {
        "approving": list(view.approving),
        "changes": [_words(change) for change in view.changes],
        "digest": view.digest.hex(),
        "lacks": view.lacks,
        "missing": list(view.missing),
        "needed": view.needed,
        "ready": view.is_ready,
        "version": view.version,
    }
