"""The exchange with each peer: a hash chain over envelopes and receipts, and evidence.  PEER 3.

Both sides hold an envelope's and a receipt's digest. Chained per peer they stay proof of what was
exchanged, and in which order this node recorded it, after the content is erased. Evidence is a
signed request kept whole, because it shows what its sender did.
"""

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import TypeAlias, cast

from sqlalchemy import Table, bindparam, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from protocol import b64encode, http, strictjson

# (digest of the envelope, digest of its receipt)
Exchanged: TypeAlias = tuple[bytes, bytes]

LABEL = b"tasuki/v1/exchange\n"
FIRST = bytes(32)  # what the first link follows
# A liar may be shown a hundred times; the hundred-and-first time proves nothing new.
EVIDENCE_ROWS_MAX_PER_PEER = 100


_CHAIN = cast(Table, models.ExchangeLink.__table__)
# Built once: every exchange comes through here, and building costs more than running.
_HOLD = select(models.Peer.member).where(models.Peer.member == bindparam("peer")).with_for_update()
_LAST = (
    select(_CHAIN.c.position, _CHAIN.c.digest)
    .where(_CHAIN.c.peer == bindparam("peer"))
    .order_by(_CHAIN.c.position.desc())
    .limit(1)
)
_ADD = insert(_CHAIN)


def receipt_digest(receipt: bytes) -> bytes:
    """SHA-256 over a signed receipt as it travelled."""
    return hashlib.sha256(receipt).digest()


def append(session: Session, peer: str, exchanged: Sequence[Exchanged]) -> None:
    """Add links to a peer's chain, in the transaction that records the exchanges."""
    if not exchanged:
        return
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        # One writer per chain: the peer's row is held until commit. SQLite has one writer anyway.
        connection.execute(_HOLD, {"peer": peer})
    last = connection.execute(_LAST, {"peer": peer}).first()
    position, digest = (last.position, last.digest) if last else (0, FIRST)
    rows = []
    for envelope, receipt in exchanged:
        position += 1
        digest = _link(digest, envelope, receipt)
        rows.append(
            {
                "peer": peer,
                "position": position,
                "envelope_digest": envelope,
                "receipt_digest": receipt,
                "digest": digest,
            }
        )
    connection.execute(_ADD, rows)


def first_broken(session: Session, peer: str) -> int | None:
    """The position of the first link that does not follow the one before; None when all do."""
    link, previous = models.ExchangeLink, FIRST
    links = select(link).where(link.peer == peer).order_by(link.position)
    with closing(session.scalars(links.execution_options(yield_per=1000))) as stored:
        for position, each in enumerate(stored, start=1):
            follows = _link(previous, each.envelope_digest, each.receipt_digest)
            if each.position != position or each.digest != follows:
                return position
            previous = each.digest
    return None


def _link(previous: bytes, envelope: bytes, receipt: bytes) -> bytes:
    return hashlib.sha256(LABEL + previous + envelope + receipt).digest()


def keep_evidence(
    session: Session, context: Context, *, code: str, subject: str, request: http.VerifiedRequest
) -> None:
    """Keep a peer's signed request as proof; the first for each code and subject."""
    peer, table = request.context.sender, models.Evidence
    kept = session.scalar(select(func.count()).where(table.peer == peer)) or 0
    if kept >= EVIDENCE_ROWS_MAX_PER_PEER:
        return
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    make = postgresql.insert if is_postgresql else sqlite.insert
    session.execute(
        make(table)
        .values(
            peer=peer,
            code=code,
            subject=subject,
            request=_as_signed(request.request),
            at=context.now(),
        )
        .on_conflict_do_nothing()
    )


def _as_signed(request: http.UnverifiedRequest) -> bytes:
    """Everything that the signature covers, and the signature; enough to verify it anywhere."""
    return strictjson.encode(
        {
            "authority": request.authority,
            "body": b64encode(request.body),
            "content_digest": request.digest,
            "path": request.path,
            "peer_context": request.peer_context,
            "signature": b64encode(request.signature.value),
            "signature_params": request.signature.params,
        }
    )


def evidence(session: Session, limit: int = 50) -> Iterable[models.Evidence]:
    """The newest evidence first."""
    return session.scalars(select(models.Evidence).order_by(models.Evidence.at.desc()).limit(limit))
