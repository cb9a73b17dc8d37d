"""Suspensions: two members hold a third's letters back for 72 hours, without a decree.  PEER 4.

The first to sign writes the document, the second signs the same; each tells the others what it has,
as with drafts, so that whoever was away learns of it. In force it ends by itself, or with its
epoch. Our own block of a member is `membership`'s: it concerns nobody else.
"""

from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services import audit
from node.services import charter as charters
from protocol import SUSPENSION, Charter, SignedDocument, Suspension, errors, limits, sign, standing


@dataclass(frozen=True, slots=True)
class SuspensionView:
    """A suspension as people see it: of whom, by whom, and whether it is in force yet."""

    member: str
    since: int
    until: int
    signers: tuple[str, ...]
    is_complete: bool


@dataclass(frozen=True, slots=True)
class News:
    """What is told to the others; the member that it names hears of it once it is in force."""

    digest: bytes
    member: str
    document: bytes
    is_complete: bool


def suspend(session: Session, context: Context, member: str, *, actor: str) -> SuspensionView:
    """Sign the suspension of a member: the one that another member began, or a new one.

    Saying the same twice changes nothing. MeasureInvalid when it was suspended in this epoch.
    """
    charters.require_both(session, context.member_id, member)
    charter = _held(session, context)
    if member == context.member_id:
        raise errors.MeasureInvalid("a member cannot suspend itself")
    now = context.now()
    rows = [row for row in _rows(session, charter) if row.member == member]
    if any(row.complete and _until(row) <= now for row in rows):
        raise errors.MeasureInvalid(f"{member} was suspended before in this epoch")
    # Two may begin in the same moment: all sign the older, and it is the same one everywhere.
    row = next((row for row in rows if row.complete), rows[0] if rows else None)
    if row is None:
        body = Suspension(charter.alliance, charter.epoch, member, now)
        document = sign(SUSPENSION, body.encode(), context.signing(charter))
    else:
        document = _document(row)
    if context.member_id not in _signers(document, charter):
        document = document.add(context.signing(charter))
    if row is None or document.encode() != row.document:
        audit.record(session, context, actor=actor, action="suspension.signed", subject=member)
    return _view(_keep(session, context, charter, document), charter)


def receive(session: Session, context: Context, body: bytes) -> bytes:
    """Keep what a peer has heard of a suspension; what we have of it ourselves."""
    document = SignedDocument.parse(body, bytes_max=limits.SUSPENSION_BYTES_MAX)
    return _keep(session, context, _held(session, context), document).document


def in_force(session: Session, context: Context) -> tuple[Suspension, ...]:
    """The suspensions that hold letters back at this moment."""
    charter, now = charters.if_any(session), context.now()
    if charter is None:
        return ()
    rows = (row for row in _rows(session, charter) if row.complete)
    return tuple(_body(row) for row in rows if row.since <= now < _until(row))


def held(session: Session, context: Context) -> dict[str, int]:
    """The members to which nothing is sent at present, and until when; all, if it is us."""
    current = {each.member: each.until for each in in_force(session, context)}
    ours = current.get(context.member_id)
    if ours is None:
        return current
    return dict.fromkeys(context.charter(session).by_id, ours)


def news(session: Session, context: Context) -> list[News]:
    """What is not over yet, to be told to the others."""
    charter, now = context.charter(session), context.now()
    rows = [row for row in _rows(session, charter) if now < _until(row)]
    return [News(row.digest, row.member, row.document, row.complete) for row in rows]


def views(session: Session, context: Context) -> list[SuspensionView]:
    """Every suspension that is in force or waits for a second member, the oldest first."""
    charter, now = charters.if_any(session), context.now()
    rows = _rows(session, charter) if charter is not None else []
    return [_view(row, charter) for row in rows if charter is not None and now < _until(row)]


def forget(session: Session, epoch: int) -> None:
    """A suspension ends with its epoch."""
    table = models.Suspension
    session.execute(delete(table).where(table.epoch <= epoch))


def _held(session: Session, context: Context) -> Charter:
    """The charter, its row held: two who tell us the same thing do so one after the other.

    What is over and never had a second member is forgotten, and may be begun anew.
    """
    charter, table, halves = context.charter(session), models.Charter, models.Suspension
    session.execute(select(table.version).where(table.version == charter.version).with_for_update())
    ended = halves.since <= context.now() - limits.SUSPENSION_S
    session.execute(delete(halves).where(~halves.complete, ended))
    return charter


def _keep(
    session: Session, context: Context, charter: Charter, document: SignedDocument
) -> models.Suspension:
    now, rows = context.now(), _rows(session, charter)
    earlier = [_body(row) for row in rows if row.complete]
    suspension, signers = standing.read_suspension(document, charter, now, earlier)
    row = session.get(models.Suspension, document.digest)
    if row is None:
        if len(signers) < standing.SUSPENDERS:
            _require_room(charter, rows, suspension, signers, now)
        row = models.Suspension(
            digest=document.digest,
            epoch=suspension.epoch,
            member=suspension.member,
            since=suspension.since,
            complete=False,
            document=document.joined().encode(),
            received_at=now,
        )
        session.add(row)
    else:
        row.document = _document(row).joined(document.signatures).encode()
    everybody = _signers(_document(row), charter) - {row.member}
    if not row.complete and len(everybody) >= standing.SUSPENDERS:
        row.complete = True
        audit.record(
            session,
            context,
            actor="peer",
            action="member.suspended",
            subject=row.member,
            detail=f"until {_until(row)} by {len(everybody)} members",
        )
    session.flush()
    return row


def _require_room(
    charter: Charter,
    rows: list[models.Suspension],
    suspension: Suspension,
    signers: frozenset[str],
    now: int,
) -> None:
    """Nobody fills our disk with its word alone, and what is over needs no second member."""
    if suspension.until <= now:
        raise errors.MeasureInvalid("it is over, and never had a second member")
    open_ = [row for row in rows if not row.complete and row.member == suspension.member]
    for signer in signers:
        mine = sum(signer in _signers(_document(row), charter) for row in open_)
        if mine >= limits.SUSPENSIONS_OPEN_MAX:
            raise errors.RateLimited(f"{mine} suspensions by {signer} are open already")


def _rows(session: Session, charter: Charter) -> list[models.Suspension]:
    """All of this epoch that still mean something, the oldest first."""
    table = models.Suspension
    query = select(table).where(table.epoch == charter.epoch).order_by(table.since, table.digest)
    return list(session.scalars(query))


def _signers(document: SignedDocument, charter: Charter) -> set[str]:
    """Who signed; each signature was proven when it came."""
    return {charter.keys[each.keyid][1] for each in document.signatures}


def _document(row: models.Suspension) -> SignedDocument:
    return SignedDocument.parse(row.document, bytes_max=limits.SUSPENSION_BYTES_MAX)


def _body(row: models.Suspension) -> Suspension:
    return Suspension.parse(_document(row).payload)


def _until(row: models.Suspension) -> int:
    return row.since + limits.SUSPENSION_S


def _view(row: models.Suspension, charter: Charter) -> SuspensionView:
    signers = _signers(_document(row), charter) - {row.member}
    names = tuple(each for each in charter.by_id if each in signers)
    return SuspensionView(row.member, row.since, _until(row), names, row.complete)
