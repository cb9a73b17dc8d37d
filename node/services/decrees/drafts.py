"""Drafts: the next charter before anybody is bound by it, and who approves.  LEDGER 5.

What members say of a draft goes round: each tells the others all that it has heard, and the higher
number is a member's later word. An approval locks nothing and can be taken back until the fence.

Whoever has stopped still approves, of another draft too: the one that it stopped for may have lost
the approval of a member that never meant it, and the epoch has to end in some way.
"""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.refusals import Refusal
from node.services import audit, seats
from node.services import charter as charters
from node.services.ledger import SQLBooks
from protocol import (
    APPROVAL,
    DRAFT,
    GENESIS,
    Approval,
    Change,
    Charter,
    ProtocolError,
    SignedDocument,
    changes_of,
    decree,
    draft_signers,
    errors,
    limits,
    needs_people,
    next_draft,
    read_draft,
    sign,
    verify_draft,
)

# Open at once by one member: more than it wishes for, and no way to fill anybody's disk. A share of
# its own, for whoever filled a common one would let nobody else propose, and no version follow.
DRAFTS_MAX_PER_MEMBER = 8
# Versions in a day, after which nodes leave every further one to people. An alliance of ten changes
# all its keys and closes a month on one day; a member in bad faith would end an epoch every second,
# stop payments each time, and fill the chain that every newcomer reads.
BY_OURSELVES_A_DAY_MAX = 16
DAY_S = 24 * 3600


class DraftUnknown(Refusal, code="draft-unknown", status=404):
    """There is no draft with this digest here. Look at the list of drafts again."""


class DraftClosed(Refusal, code="draft-closed"):
    """The alliance is deciding already, and no approval is taken back now. Wait for the result."""


@dataclass(frozen=True, slots=True)
class DraftView:
    """A draft as people look at it: what it changes, who approves, and what is missing."""

    digest: bytes
    version: int
    charter: Charter
    changes: tuple[Change, ...]
    approving: tuple[str, ...]
    missing: tuple[str, ...]
    needed: int
    # Why it cannot become a charter yet, by the refusal's code; "" when signatures are complete.
    lacks: str
    needs_people: str
    received_at: int

    @property
    def is_ready(self) -> bool:
        return not self.lacks and len(self.approving) >= self.needed


def propose(session: Session, context: Context, draft: Charter, *, actor: str) -> DraftView:
    """Sign a draft with our node's key, keep it and approve of it."""
    charter = _held(session, context)
    document = sign(DRAFT, draft.draft or draft.encode_draft(), context.signing(charter))
    return offer(session, context, document, actor=actor)


def offer(session: Session, context: Context, document: SignedDocument, *, actor: str) -> DraftView:
    """Keep a draft that is signed already, and approve of it, if our node can sign at all."""
    charter = _held(session, context)
    _keep(session, context, charter, document)
    audit.record(
        session, context, actor=actor, action="draft.proposed", subject=document.digest.hex()
    )
    if not context.holds_key(charter):
        return view(session, context, document.digest)
    return approve(session, context, document.digest, on=True, actor=actor)


def approve(
    session: Session, context: Context, digest: bytes, *, on: bool, actor: str
) -> DraftView:
    """Approve of a draft, or take that back; saying the same twice changes nothing."""
    charter = _held(session, context)
    if not on and seats.is_stopped(session, charter):
        raise DraftClosed
    _row(session, charter, digest)
    before = session.get(models.DraftWord, (digest, context.member_id))
    if before is None or before.approves != on:
        number = 1 if before is None else before.number + 1
        word = Approval(charter.alliance, charter.epoch, digest, number, on)
        document = sign(APPROVAL, word.encode(), context.signing(charter))
        _keep_word(session, context, context.member_id, word, document)
        action = "draft.approved" if on else "draft.approval-taken-back"
        audit.record(session, context, actor=actor, action=action, subject=digest.hex())
    return view(session, context, digest)


def approve_by_ourselves(session: Session, context: Context) -> int:
    """Approve of the drafts that need no person: nothing changes, or one node's own keys do.

    Not of one after the other, day and night: see `BY_OURSELVES_A_DAY_MAX`.
    """
    charter = context.charter(session)
    if not context.holds_key(charter):
        return 0
    first = charter.version + 1 - BY_OURSELVES_A_DAY_MAX
    if first > GENESIS and context.now() - charters.adopted_at(session, first) < DAY_S:
        return 0
    done = 0
    for row in _rows(session, charter):
        if session.get(models.DraftWord, (row.digest, context.member_id)) is not None:
            continue
        document = _document(row)
        try:
            verify_draft(document, charter)
        except ProtocolError:
            continue
        if not needs_people(document, charter):
            approve(session, context, row.digest, on=True, actor="worker")
            done += 1
    return done


def offer_way_out(session: Session, context: Context) -> bool:
    """Propose that nothing changes, so that an epoch in which votes have stopped can end.

    False when such a draft is open already: nodes approve of any by themselves.
    """
    charter = _held(session, context)
    for row in _rows(session, charter):
        document = _document(row)
        if not changes_of(document, read_draft(document, charter), charter):
            return False
    if not context.holds_key(charter):
        return False
    propose(session, context, next_draft(charter), actor="worker")
    return True


def receive_news(session: Session, context: Context, body: bytes) -> bytes:
    """Keep what a peer has heard of a draft; what we have heard of it ourselves."""
    told = decree.DraftNews.parse(body)
    charter = _held(session, context)
    remember(session, context, charter, told.draft, told.words)
    return news(session, charter, told.draft.digest).encode()


def remember(
    session: Session,
    context: Context,
    charter: Charter,
    draft: SignedDocument,
    words: tuple[SignedDocument, ...],
) -> None:
    """Keep a draft and the words on it, each proven; of one member only the later word."""
    _keep(session, context, charter, draft)
    for document in words:
        member, word = decree.verify_approval(document, charter)
        if word.draft != draft.digest:
            raise errors.DecreeInvalid(f"{member} speaks of another draft")
        before = session.get(models.DraftWord, (word.draft, member))
        # Of one number both ways, taking back counts, as in `decree.approving`.
        if before is None or (word.number, not word.approves) > (
            before.number,
            not before.approves,
        ):
            _keep_word(session, context, member, word, document)


def take_signatures(session: Session, context: Context, document: SignedDocument) -> None:
    """Add the signatures of keys that join to a draft that is open here."""
    charter = _held(session, context)
    _row(session, charter, document.digest)
    _keep(session, context, charter, document)


def known(session: Session, digest: bytes) -> dict[str, Approval]:
    """The last word that we heard from each member about a draft."""
    return {row.member: Approval.parse(_word(row).payload) for row in _words(session, digest)}


def news(session: Session, charter: Charter, digest: bytes) -> decree.DraftNews:
    """All that we have heard of a draft."""
    row = _row(session, charter, digest)
    return decree.DraftNews(_document(row), tuple(map(_word, _words(session, digest))))


def open_drafts(session: Session, context: Context) -> list[decree.DraftNews]:
    """Every draft of the next version, oldest first, to be told to the others."""
    charter = context.charter(session)
    return [news(session, charter, row.digest) for row in _rows(session, charter)]


def ready(session: Session, context: Context) -> list[decree.FenceRequest]:
    """The drafts that q members approve of, oldest first, with the approvals; no ballot yet."""
    charter = context.charter(session)
    requests = []
    for row in _rows(session, charter):
        if view(session, context, row.digest).is_ready:
            told = news(session, charter, row.digest)
            said = known(session, row.digest)
            words = tuple(
                word
                for word in told.words
                if said[decree.verify_approval(word, charter)[0]].approves
            )
            requests.append(decree.FenceRequest(1, told.draft, words))
    return requests


def views(session: Session, context: Context) -> list[DraftView]:
    """Every open draft, oldest first."""
    rows = _rows(session, context.charter(session))
    return [view(session, context, row.digest) for row in rows]


def view(session: Session, context: Context, digest: bytes) -> DraftView:
    """One draft with what it changes, who approves and what is missing."""
    charter = context.charter(session)
    row = _row(session, charter, digest)
    document = _document(row)
    draft = read_draft(document, charter)
    said = known(session, digest)
    approving = tuple(m for m in charter.by_id if m in said and said[m].approves)
    return DraftView(
        digest=digest,
        version=draft.version,
        charter=draft,
        changes=changes_of(document, draft, charter),
        approving=approving,
        missing=tuple(m for m in charter.by_id if m not in approving),
        needed=charter.q,
        lacks=_lacks(document, charter),
        needs_people=needs_people(document, charter),
        received_at=row.received_at,
    )


def _lacks(document: SignedDocument, charter: Charter) -> str:
    try:
        verify_draft(document, charter)
    except ProtocolError as refusal:
        return refusal.code
    return ""


def _held(session: Session, context: Context) -> Charter:
    """The charter in force, with the ledger's lines held, as for a ballot.

    Everybody tells everybody of a draft at once, and each adds to what is known of it.
    """
    SQLBooks(session).hold(context.charter(session).accounts)
    return context.charter(session)


def _keep(session: Session, context: Context, charter: Charter, document: SignedDocument) -> None:
    draft = read_draft(document, charter)
    signers = draft_signers(document, draft, charter)
    if not signers & charter.every_key.keys():
        raise errors.DraftInvalid("no member of the present charter has signed it")
    row = session.get(models.Draft, document.digest)
    if row is None:
        _require_room(session, charter, document)
        session.add(
            models.Draft(
                digest=document.digest,
                epoch=charter.epoch,
                document=document.joined().encode(),
                received_at=context.now(),
            )
        )
    else:
        row.document = _document(row).joined(document.signatures).encode()
    session.flush()


def _require_room(session: Session, charter: Charter, document: SignedDocument) -> None:
    """Raise RateLimited when every member that signed the draft has as many open as it may."""
    if document.payload == next_draft(charter).encode_draft():
        # The way out of a standstill: there is only one, and nobody is to be kept from it.
        return
    drafts: Counter[str] = Counter()
    for row in _rows(session, charter):
        drafts.update(_proposers(_document(row), charter))
    full = {member for member, count in drafts.items() if count >= DRAFTS_MAX_PER_MEMBER}
    if _proposers(document, charter) <= full:
        raise errors.RateLimited(f"{DRAFTS_MAX_PER_MEMBER} drafts of this member are open already")


def _proposers(document: SignedDocument, charter: Charter) -> set[str]:
    """The members of the charter among those whose signatures, once checked, the draft carries."""
    signed = {signature.keyid for signature in document.signatures}
    return {member for keyid, (_, member) in charter.every_key.items() if keyid in signed}


def _keep_word(
    session: Session, context: Context, member: str, word: Approval, document: SignedDocument
) -> None:
    session.merge(
        models.DraftWord(
            draft=word.draft,
            member=member,
            number=word.number,
            approves=word.approves,
            document=document.encode(),
            received_at=context.now(),
        )
    )
    session.flush()


def _rows(session: Session, charter: Charter) -> list[models.Draft]:
    table = models.Draft
    query = select(table).where(table.epoch == charter.epoch)
    return list(session.scalars(query.order_by(table.received_at, table.digest)))


def _row(session: Session, charter: Charter, digest: bytes) -> models.Draft:
    row = session.get(models.Draft, digest)
    if row is None or row.epoch != charter.epoch:
        raise DraftUnknown(digest.hex()[:16])
    return row


def _words(session: Session, digest: bytes) -> list[models.DraftWord]:
    table = models.DraftWord
    return list(session.scalars(select(table).where(table.draft == digest).order_by(table.member)))


def _document(row: models.Draft) -> SignedDocument:
    return SignedDocument.parse(row.document, bytes_max=limits.BALLOT_FENCE_BYTES_MAX)


def _word(row: models.DraftWord) -> SignedDocument:
    return SignedDocument.parse(row.document)
