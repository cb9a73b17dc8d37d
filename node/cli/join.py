"""`tasuki join`: the newcomer's part of joining.  PEER 4."""

from pathlib import Path

import click

from node.cli.charter import describe
from node.cli.entrance import (
    FILE,
    Failed,
    as_json,
    opened,
    plainly,
    read_document,
    say_json,
)
from node.cli.found import identity_from, sheet_option
from node.cli.init import CARD_FILE
from node.cli.invite import ask_groups
from node.installation import Node
from node.services import joining as joinings
from node.transport import TransportFailure
from protocol import (
    MEMBER_CARD,
    Charter,
    InvitationFile,
    JoinAnswer,
    Member,
    MemberCard,
    ProtocolError,
    SignedDocument,
    decree,
    fingerprint,
    joining,
    problems,
)

REQUESTS_PATH = "/join/v1/requests"
ACCEPTANCES_PATH = "/join/v1/acceptances"


@click.group()
def join() -> None:
    """Join an alliance that invited this member.

    \b
    0. tasuki init
       makes this member's keys, its card and its recovery sheet.
    1. tasuki join request invitation-delta.json
       on the telephone with the sponsor, whom you call under a number that you know.
    2. When the sponsor has written the draft:
       tasuki join accept invitation-delta.json
       signs it with the recovery sheet. From then on, start the node with `tasuki serve`:
       it belongs as soon as enough members have approved, and catches up by itself.
    """


@join.command(
    epilog="Example: tasuki join request invitation-delta.json",
    short_help="Answer an invitation, on the telephone with the sponsor.",
)
@click.argument("file", type=FILE)
@click.option("--heard", help="All six groups as they were read to you, instead of two asked for.")
@as_json
@plainly
def request(file: Path, heard: str | None, json_: bool) -> None:
    """Check the sponsor's fingerprint, and send it this member's card, sealed."""
    node = opened()
    try:
        invitation = InvitationFile.parse(file.read_bytes())
        sponsor = _sponsor(invitation, _proven(invitation, invitation.charters))
        typed = ask_groups(f"{sponsor.legal_name} reads its fingerprint.", "--heard", heard)
        joining.verify_spoken(sponsor.identity_key, typed)
        _, card = _card(node)
        _ask(node, invitation, card)
    finally:
        node.close()
    print_ = fingerprint(MemberCard.verify(card).member.identity_key)
    if json_:
        say_json({"fingerprint": print_, "sponsor": sponsor.id})
        return
    click.echo(
        f"\n{sponsor.legal_name} has your answer. Now read your own fingerprint aloud:\n\n"
        f"    {print_}\n\n"
        f"It runs: tasuki invite admit {invitation.invitation.member}"
    )


@join.command(
    epilog="Example: tasuki join accept invitation-delta.json",
    short_help="Sign the draft that brings this member in.",
)
@click.argument("file", type=FILE)
@sheet_option
@as_json
@plainly
def accept(file: Path, recovery_sheet: Path | None, json_: bool) -> None:
    """Read the draft, sign it with both keys, and hold to the alliance from then on."""
    node = opened()
    try:
        invitation = InvitationFile.parse(file.read_bytes())
        us, card = _card(node)
        answer = _ask(node, invitation, card)
        charters = _proven(invitation, answer.charters)
        charter = charters[-1]
        if us.id not in charter.by_id:
            document, draft = _draft(answer, us, charter)
            if not json_:
                describe(draft)
            identity = identity_from(recovery_sheet)
            if identity.verify_key.raw != us.identity_key:
                raise Failed("This is another member's recovery code.")
            _hold(node, invitation)
            signed = document.add(identity).add(node.keyring.signing)
            _post(node, _sponsor(invitation, charters), ACCEPTANCES_PATH, signed.encode())
        else:
            _hold(node, invitation)
    finally:
        node.close()
    if json_:
        say_json({"alliance": charter.alliance, "joined": us.id in charter.by_id})
        return
    click.echo(
        "\nSigned. Start this node with `tasuki serve`: as soon as enough members have approved,\n"
        "it belongs to the alliance, and reads the ledger from its first order on."
    )


def _hold(node: Node, invitation: InvitationFile) -> None:
    with node.database.transaction() as session:
        joinings.enter(session, node.context, invitation, actor="cli")


def _proven(invitation: InvitationFile, charters: bytes) -> tuple[Charter, ...]:
    report = decree.verify_chain(charters, invitation.invitation.founding)
    if report.refusal is not None:
        raise report.refusal
    return report.charters


def _sponsor(invitation: InvitationFile, charters: tuple[Charter, ...]) -> Member:
    return joining.verify_sponsor(invitation.invitation, charters[0], charters[-1])


def _card(node: Node) -> tuple[Member, SignedDocument]:
    """This member as its card describes it; Failed when the card has other keys than the node."""
    card = read_document(node.settings.data_dir / CARD_FILE, MEMBER_CARD)
    us = MemberCard.verify(card).member
    held = node.keyring.signing.verify_key.raw, node.keyring.sealing.public.raw
    if (us.signing_key, us.sealing_key) != held:
        raise Failed(f"{CARD_FILE} has other keys than this node. Run tasuki init anew.")
    return us, card


def _ask(node: Node, invitation: InvitationFile, card: SignedDocument) -> JoinAnswer:
    sponsor = _sponsor(invitation, _proven(invitation, invitation.charters))
    sealed = joining.seal_request(invitation.invitation, card, sponsor)
    return JoinAnswer.parse(_post(node, sponsor, REQUESTS_PATH, sealed))


def _draft(answer: JoinAnswer, us: Member, charter: Charter) -> tuple[SignedDocument, Charter]:
    """The draft that brings us in, as it was signed so far, and what it says."""
    if answer.draft is None:
        raise Failed(
            f"There is no draft for {us.id} yet. The sponsor runs: tasuki invite admit {us.id}"
        )
    return answer.draft, joining.verify_draft_of(us, answer.draft, charter)


def _post(node: Node, sponsor: Member, path: str, body: bytes) -> bytes:
    try:
        status, answer = node.transport.post_unproven(sponsor.url, path, body)
    except TransportFailure as failure:
        raise Failed(f"{sponsor.url} does not answer ({failure.code}). Try again later.") from None
    if status == 200:
        return answer
    try:
        refusal: Exception = problems.parse_problem(answer).to_error()
    except ProtocolError:
        refusal = Failed(f"{sponsor.url} answers with status {status}, and not as a node does.")
    raise refusal
