"""Looking at the ledger: one certificate with its voters, and our state beside every peer's.

What is shown here is read from the stored bytes, never from the columns beside them, so that a
changed index cannot make a certificate look like another.  PEER 5, DOMAIN 2.1 R11.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.refusals import NotThere, Refusal
from node.services import charter as charters
from node.services.ledger.accounts import state
from protocol import (
    Order,
    ProtocolError,
    SignedDocument,
    limits,
    parse_certificate,
    verify_certificate,
)


class CertificateUnknown(Refusal, code="certificate-unknown", status=404):
    """There is no certificate in this place of the ledger."""


@dataclass(frozen=True, slots=True)
class CertificateView:
    """A stored certificate: the order in it, and what it says of who voted; nothing proven yet."""

    order: Order
    order_digest: bytes
    order_document: SignedDocument
    vote_document: SignedDocument
    voters: tuple[str, ...]
    quorum: int
    document: bytes
    applied_at: int


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place, in the accounts' order, where two nodes have not applied the same."""

    account: str
    sequence: int
    ours: int
    theirs: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Our state beside a peer's, as it told us at `seen_at`.

    `verdict`: equal; behind (they lack what we have); ahead (we lack what they have); apart (each
    lacks something); different (the same numbers, another content: never by itself); unknown.
    """

    member: str
    verdict: str
    digest: bytes | None
    seen_at: int | None
    first: Difference | None


def certificate(
    session: Session,
    context: Context,  # noqa: ARG001 (as every service is called)
    account: str,
    sequence: int,
) -> CertificateView:
    """The certificate applied in a place; CertificateUnknown when there is none."""
    row = _stored(session, account, sequence)
    charter = charters.of_epoch(session, row.epoch)
    order, vote = parse_certificate(row.document)
    body = Order.parse(order.payload)
    # Members are counted, never signatures: the owner's order is the owner's vote.
    keyids = [each.keyid for each in (*order.signatures, *vote.signatures)]
    members = dict.fromkeys(charter.keys[keyid][1] for keyid in keyids if keyid in charter.keys)
    return CertificateView(
        order=body,
        order_digest=order.digest,
        order_document=order,
        vote_document=vote,
        voters=tuple(members),
        quorum=charter.q,
        document=row.document,
        applied_at=row.applied_at,
    )


def check(
    session: Session,
    context: Context,  # noqa: ARG001 (as every service is called)
    account: str,
    sequence: int,
) -> ProtocolError | None:
    """Verify the stored certificate again, every signature of it; None when all of it holds."""
    row = _stored(session, account, sequence)
    try:
        verify_certificate(row.document, charters.of_epoch(session, row.epoch))
    except ProtocolError as refusal:
        return refusal
    return None


def _stored(session: Session, account: str, sequence: int) -> models.LedgerCertificate:
    # No column holds a larger number, and an address may carry any.
    row = (
        session.get(models.LedgerCertificate, (account, sequence))
        if sequence <= limits.SEQUENCE_MAX
        else None
    )
    if row is None:
        raise CertificateUnknown(f"{account} {sequence}")
    return row


def compare(session: Session, context: Context) -> list[Comparison]:
    """Our state beside that of every other member, in the charter's order."""
    ours, digest = state(session)
    peers = {row.member: row for row in session.scalars(select(models.Peer))}
    found = []
    for member in context.charter(session).members:
        if member.id == context.member_id:
            continue
        peer = peers.get(member.id)
        if peer is None or peer.head_digest is None or peer.vector is None:
            found.append(Comparison(member.id, "unknown", None, None, None))
            continue
        theirs: dict[str, int] = json.loads(peer.vector)
        verdict = "equal" if peer.head_digest == digest else _verdict(ours, theirs)
        first = None if verdict == "equal" else _first_difference(ours, theirs)
        found.append(Comparison(member.id, verdict, peer.head_digest, peer.seen_at, first))
    return found


def heads_beside(
    session: Session, context: Context, member: str
) -> tuple[Comparison, list[tuple[str, int, int]]]:
    """A peer's last word beside ours: how it compares, and every account's head, ours and theirs.

    NotThere for who is no other member.
    """
    found = {each.member: each for each in compare(session, context)}.get(member)
    if found is None:
        raise NotThere
    peer = session.get(models.Peer, member)
    theirs: dict[str, int] = json.loads(peer.vector) if peer and peer.vector else {}
    ours, _digest = state(session)
    accounts = sorted({*ours, *theirs})
    return found, [(each, ours.get(each, 0), theirs.get(each, 0)) for each in accounts]


def _verdict(ours: Mapping[str, int], theirs: Mapping[str, int]) -> str:
    accounts = {*ours, *theirs}
    they_lack = any(ours.get(each, 0) > theirs.get(each, 0) for each in accounts)
    we_lack = any(theirs.get(each, 0) > ours.get(each, 0) for each in accounts)
    if they_lack and we_lack:
        return "apart"
    if they_lack or we_lack:
        return "behind" if they_lack else "ahead"
    return "different"


def _first_difference(ours: Mapping[str, int], theirs: Mapping[str, int]) -> Difference | None:
    for account in sorted({*ours, *theirs}):
        here, there = ours.get(account, 0), theirs.get(account, 0)
        if here != there:
            return Difference(account, min(here, there) + 1, here, there)
    return None
