"""`tasuki found`: the founding of an alliance, from member cards to a charter.  PEER 4."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from node.cli.charter import describe
from node.cli.entrance import (
    FILE,
    Failed,
    as_json,
    ask,
    opened,
    plainly,
    read_document,
    say_json,
    write_new,
)
from node.recovery import parse_code
from node.services import membership
from protocol import (
    CHARTER,
    GENESIS,
    MEMBER_CARD,
    Charter,
    Member,
    MemberCard,
    Policy,
    SignedDocument,
    SigningKey,
    parse_charter,
    propose_quorum,
    sign,
    unsigned_founders,
)

sheet_option = click.option(
    "--recovery-sheet", type=FILE, help="File with the recovery code; asked for without it."
)


@click.group()
def found() -> None:
    """Found an alliance: draft, sign, adopt.

    \b
    1. Every member runs `tasuki init` and sends its member card to one of them.
    2. That one runs   tasuki found draft --alliance minato --name みなと採用連合 cards/*.json
       and reads the fingerprints aloud with every member.
    3. Every member runs   tasuki found sign charter.json   and hands the file on.
    4. Every member runs   tasuki found adopt charter.json   and prints the digest it shows
       in the paper agreement.
    """


@found.command(epilog="Example: tasuki found draft --alliance minato --name みなと採用連合 *.json")
@click.option("--alliance", required=True, help="Short id, such as minato.")
@click.option("--name", required=True, help="Name as people read it.")
@click.option("--credit-limit", type=int, help="Points each may owe; else as in its card.")
@click.option(
    "--redemption",
    default="mutual",
    show_default=True,
    type=click.Choice(["mutual", "agency", "none"]),
    help="Ten points pay for a hire from any member, from agencies only, or never.",
)
@click.option(
    "--out",
    default="charter.json",
    show_default=True,
    type=click.Path(path_type=Path),
    help="File for the draft.",
)
@click.argument("cards", nargs=-1, required=True, type=FILE)
@sheet_option
@plainly
def draft(
    alliance: str,
    name: str,
    credit_limit: int | None,
    redemption: str,
    out: Path,
    cards: tuple[Path, ...],
    recovery_sheet: Path | None,
) -> None:
    """Write charter version 1 over these member cards, and sign it first."""
    members = [MemberCard.verify(read_document(card, MEMBER_CARD)).member for card in cards]
    if credit_limit is not None:
        members = [replace(member, credit_limit=credit_limit) for member in members]
    document = draft_charter(
        members,
        alliance=alliance,
        name=name,
        policy=Policy(redemption=redemption),
        identity=identity_from(recovery_sheet),
    )
    # Reading it back refuses here what everybody would refuse later.
    read_back = parse_charter(document)
    missing = unsigned_founders(document, read_back)
    write_new(out, document.encode())
    describe(read_back)
    click.echo(f"\n{out} is written. It still needs the signatures of: {', '.join(missing)}")


@found.command("sign", epilog="Example: tasuki found sign charter.json")
@click.argument("charter_file", type=FILE)
@sheet_option
@plainly
def sign_(charter_file: Path, recovery_sheet: Path | None) -> None:
    """Sign a draft with this member's identity key. Read what it says before you do."""
    document = read_document(charter_file, CHARTER)
    charter = parse_charter(document)
    describe(charter)
    identity = identity_from(recovery_sheet)
    if any(each.keyid == identity.keyid for each in document.signatures):
        raise Failed("This member has signed the draft already.")
    signed = document.add(identity)
    missing = unsigned_founders(signed, charter)
    charter_file.write_bytes(signed.encode())
    if missing:
        click.echo(f"\nSigned. It still needs the signatures of: {', '.join(missing)}")
    else:
        click.echo(f"\nSigned by all. Every member now runs: tasuki found adopt {charter_file}")


@found.command(
    epilog="Example: tasuki found adopt charter.json",
    short_help="Adopt the charter that all have signed.",
)
@click.argument("charter_file", type=FILE)
@as_json
@plainly
def adopt(charter_file: Path, json_: bool) -> None:
    """Adopt the charter that every founder has signed; from then on this node takes part."""
    document = read_document(charter_file, CHARTER)
    node = opened()
    try:
        with node.database.transaction() as session:
            charter = membership.adopt(session, node.context, document, actor="cli")
    finally:
        node.close()
    if json_:
        say_json({"alliance": charter.alliance, "digest": charter.digest.hex()})
        return
    describe(charter)
    click.echo(f"\nAdopted. Print this digest in the agreement:\n\n    {charter.digest.hex()}")


def draft_charter(
    members: Sequence[Member], *, alliance: str, name: str, policy: Policy, identity: SigningKey
) -> SignedDocument:
    """Charter version 1 over these members with the quorum proposed for so many, signed once."""
    q, b = propose_quorum(len(members))
    charter = Charter(
        alliance=alliance,
        name=name,
        version=GENESIS,
        previous=bytes(32),
        members=tuple(sorted(members, key=lambda member: member.id)),
        q=q,
        b=b,
        policy=policy,
    )
    return sign(CHARTER, charter.encode(), identity)


def identity_on(sheet: Path) -> SigningKey:
    """The identity key on a recovery sheet's file; Failed when there is no code in it."""
    for line in sheet.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.count("-") >= 13 and " " not in line.strip():
            return SigningKey.from_seed(parse_code(line.strip()))
    raise Failed(f"{sheet} has no recovery code in it.")


def identity_from(recovery_sheet: Path | None) -> SigningKey:
    """The identity key from the sheet's file, or typed from its paper."""
    if recovery_sheet is None:
        question = "Recovery code (from the recovery sheet)"
        code = ask(question, "--recovery-sheet", hidden=True)
        return SigningKey.from_seed(parse_code(code))
    return identity_on(recovery_sheet)
