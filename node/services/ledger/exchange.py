"""What two nodes tell each other of their ledgers: vectors, pages of certificates.  SPEC §6.5."""

import json
from collections.abc import Mapping

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services import charter as charters
from node.services.ledger import rejoining
from node.services.ledger.books import SQLBooks
from node.services.ledger.votes import receive_certificate
from protocol import Pull, PullAnswer, errors, lacking, limits, state_digest


def pull_body(session: Session, context: Context) -> bytes:
    """Our question to a peer: here is where we stand."""
    charter = context.charter(session)
    return Pull(SQLBooks(session).vector(), charter.version).encode()


def answer_pull(session: Session, context: Context, body: bytes) -> bytes:
    """A page of what the asker lacks, and where we stand ourselves."""
    pull = Pull.parse(body)
    version = context.charter(session).version
    if pull.charter_version > version:
        raise errors.EpochMismatch(f"our charter is version {version}", epoch=version)
    books = SQLBooks(session)
    ours = books.vector()
    if pull.charter_version < version:
        ours = _within_cut(session, pull.charter_version, ours)
    ranges = lacking(pull.vector, ours)
    page = certificates(session, ranges)
    total = sum(last - first + 1 for first, last in ranges.values())
    return PullAnswer(
        vector=ours,
        state=state_digest(books.heads()),
        certificates=tuple(page),
        more=len(page) < total,
    ).encode()


def _within_cut(session: Session, epoch: int, ours: Mapping[str, int]) -> Mapping[str, int]:
    """What has a certificate of its own up to the end of an epoch: the rest stands in a decree."""
    cut = charters.of_epoch(session, epoch + 1).cut
    assert cut is not None
    return {account: last for account in ours if (last := cut.certified(account))}


def certificates(session: Session, ranges: Mapping[str, tuple[int, int]]) -> list[bytes]:
    """Certificates of these ranges, as many as one page holds, in the order of applying.

    Whatever a certificate builds on stands before it, so that whoever takes the page in this order
    can apply all of it, and the next page after it.
    """
    if not ranges:
        return []
    table = models.LedgerCertificate
    wanted = or_(
        *(
            and_(table.account == account, table.sequence.between(first, last))
            for account, (first, last) in ranges.items()
        )
    )
    rows = session.scalars(
        select(table.document)
        .where(wanted)
        .order_by(table.position, table.account, table.sequence)
        .limit(limits.PULL_CERTIFICATES_MAX)
    )
    page: list[bytes] = []
    # Base64 and JSON around it make four of three bytes.
    left = limits.PULL_BYTES_MAX * 2 // 3
    for document in rows:
        left -= len(document)
        if left < 0:
            break
        page.append(document)
    return page


def absorb(session: Session, context: Context, answer: PullAnswer) -> int:
    """Apply a page that a peer sent; the number of certificates that were new here."""
    return sum(receive_certificate(session, context, each) for each in answer.certificates)


def remember(session: Session, context: Context, member: str, answer: PullAnswer) -> None:
    """Note where a peer stands, for the pages that compare its digest with ours.

    While we recover, a peer whose whole ledger is applied here has been read to its end.
    """
    peer = models.Peer
    session.execute(
        update(peer)
        .where(peer.member == member)
        .values(
            head_digest=answer.state,
            vector=json.dumps(dict(answer.vector), sort_keys=True),
            seen_at=context.now(),
        )
    )
    rejoining.note_vector(session, context, member, answer.vector)
