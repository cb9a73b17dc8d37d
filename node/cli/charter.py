"""`tasuki charter`: what is in force here, and the proof of it for anybody.  PEER 4."""

from pathlib import Path
from typing import Any

import click

from node.cli import charter_drafts
from node.cli.entrance import FILE, Failed, as_json, opened, plainly, say_json, write_new
from node.services import charter as charters
from protocol import Change, Charter, decree, fingerprint


@click.group()
def charter() -> None:
    """Show the charter in force, and verify charters without a node.

    \b
    To change it, while the nodes run:
    1. One member runs    tasuki charter draft --limit biwa=30
    2. The others look    tasuki charter status
       and approve        tasuki charter approve 5e1c9a0277d04b18
    3. As soon as enough have approved, the nodes bring it into force by themselves.
    """


charter.add_command(charter_drafts.draft)
charter.add_command(charter_drafts.approve)
charter.add_command(charter_drafts.status)


@charter.command(
    epilog="Example: tasuki charter show --out minato.json",
    short_help="Show the charter in force at this node.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="File for all versions with their proofs."
)
@as_json
@plainly
def show(out: Path | None, json_: bool) -> None:
    """Show who belongs, with fingerprints to read aloud, and how many votes are enough."""
    node = opened()
    try:
        with node.database.transaction() as session:
            in_force, chain = charters.in_force(session), charters.chain(session)
    finally:
        node.close()
    if out is not None:
        write_new(out, chain)
    if json_:
        say_json(_as_json(in_force))
        return
    describe(in_force)
    click.echo(f"\nThe digest of this version:\n\n    {in_force.digest.hex()}")
    if out is not None:
        click.echo(
            f"\n{out} is written. Anybody verifies it: tasuki charter verify {out} --digest …"
        )


@charter.command(
    epilog=f"Example: tasuki charter verify minato.json --digest {'5e' * 32}",
    short_help="Prove a file of charters, on any machine.",
)
@click.option("--digest", required=True, help="Digest of version 1, from the paper agreement.")
@click.argument("chain_file", type=FILE)
@as_json
@plainly
def verify(digest: str, chain_file: Path, json_: bool) -> None:
    """Prove each version in a file by the signatures of the members of the one before.

    Needs no node, no settings and no network. What it starts from is the digest of version 1 that
    is printed in the agreement on paper. The exit code is 1 when anything is not proven.
    """
    report = decree.verify_chain(chain_file.read_bytes(), _digest(digest))
    if json_:
        say_json(_report(report))
    else:
        for enactment, version in zip(report.enactments, report.charters, strict=True):
            _tell(enactment, version)
        if report:
            click.echo(f"All {len(report.charters)} versions are proven. In force:\n")
            describe(report.charters[-1])
    if report.refusal is not None:
        refusal, proven = report.refusal, len(report.charters)
        raise Failed(
            f"Proven up to version {proven}, and no further. "
            f"{refusal.code}: {refusal.sentence()} ({refusal.detail})"
        )


def describe(version: Charter) -> None:
    """A charter as people compare it: its members, and their fingerprints to read aloud."""
    click.echo(f"{version.name} ({version.alliance}), charter version {version.version}")
    click.echo(
        f"{len(version.members)} members; {version.q} votes certify an order (q={version.q}, "
        f"b={version.b})\n"
    )
    for member in version.members:
        click.echo(f"  {member.id:12} {member.legal_name}  {member.url}")
        click.echo(f"  {'':12} {fingerprint(member.identity_key)}")
    if version.closed:
        click.echo(f"\nAccounts that are closed: {', '.join(version.closed)}")


def _digest(text: str) -> bytes:
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise click.BadParameter("64 hexadecimal digits, as in the agreement", param_hint="digest")
    return digest


def _tell(enactment: decree.Enactment, version: Charter) -> None:
    verb = "founded" if enactment.version == 1 else f"agreed, {enactment.needed} were needed"
    click.echo(f"Version {enactment.version}: {', '.join(enactment.signed)} {verb}")
    if enactment.missing:
        click.echo(f"  did not sign: {', '.join(enactment.missing)}")
    changes = [_change(change) for change in enactment.changes]
    if enactment.version > 1:
        click.echo(f"  changes: {', '.join(changes) or 'none'}")
    click.echo(f"  digest: {version.digest.hex()}\n")


def _change(change: Change) -> str:
    return f"{change.kind.value} {change.member}".rstrip()


def _as_json(version: Charter) -> dict[str, Any]:
    return {
        "alliance": version.alliance,
        "b": version.b,
        "closed": list(version.closed),
        "digest": version.digest.hex(),
        "members": [
            {
                "fingerprint": fingerprint(member.identity_key),
                "id": member.id,
                "legal_name": member.legal_name,
                "role": member.role,
                "url": member.url,
            }
            for member in version.members
        ],
        "name": version.name,
        "q": version.q,
        "version": version.version,
    }


def _report(report: decree.ChainReport) -> dict[str, Any]:
    return {
        "in_force": _as_json(report.charters[-1]) if report.charters else None,
        "proven": bool(report),
        "refusal": None if report.refusal is None else report.refusal.code,
        "versions": [
            {
                "changes": [_change(change) for change in each.changes],
                "digest": each.digest.hex(),
                "missing": list(each.missing),
                "needed": each.needed,
                "signed": list(each.signed),
                "version": each.version,
            }
            for each in report.enactments
        ],
    }
