"""Joining: whom we invite, who answered, and the draft that brings it in; and our own entry.

A sponsor invites, takes the answer, hears the fingerprint over the telephone and writes the draft;
the newcomer's keys sign that, and it goes round like every other. A newcomer enters as a member
that missed everything: it holds version 1 from the invitation, and catches up by itself once it
belongs.  PEER 4, SPEC Joining.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.refusals import Refusal
from node.services import audit, decrees, membership
from node.services import charter as charters
from protocol import (
    Charter,
    InvitationFile,
    Invited,
    JoinAnswer,
    JoinRequest,
    Member,
    MemberCard,
    SignedDocument,
    decree,
    errors,
    joining,
    limits,
    next_draft,
    propose_quorum,
)


class InvitationUnknown(Refusal, code="invitation-unknown", status=404):
    """Nobody was invited under this name. Look at the list: tasuki invite list."""


class NotAnswered(Refusal, code="not-answered"):
    """The invitation was not answered yet. Ask the newcomer to answer it: tasuki join request."""


@dataclass(frozen=True, slots=True)
class InvitationView:
    """An invitation as people look at it: for whom, until when, and how far it has come."""

    member: str
    domain: str
    expires_at: int
    state: str  # waiting, expired, answered, drafted or joined
    card: Member | None = None
    draft: bytes | None = None


def invite(
    session: Session, context: Context, member: str, domain: str, *, actor: str
) -> InvitationFile:
    """Invite one member at one domain; inviting it again makes the earlier one worthless."""
    charter, now = context.charter(session), context.now()
    invitation = joining.invite(
        charter,
        charters.versions(session)[0].digest,
        context.member_id,
        member=member,
        domain=domain,
        secret=os.urandom(limits.INVITATION_SECRET_BYTES),
        now=now,
    )
    kept = Invited.of(invitation)
    session.merge(
        models.Invitation(
            member=kept.member,
            domain=kept.domain,
            expires_at=kept.expires_at,
            secret_digest=kept.secret_digest,
            invited_at=now,
            card=None,
            answered_at=None,
            draft=None,
        )
    )
    audit.record(session, context, actor=actor, action="member.invited", subject=member)
    return InvitationFile(invitation, charters.chain(session))


def invitations(session: Session, context: Context) -> list[InvitationView]:
    """Every invitation of ours, the newest first."""
    charter, table = context.charter(session), models.Invitation
    rows = session.scalars(select(table).order_by(table.invited_at.desc(), table.member))
    return [_view(row, charter, context.now()) for row in rows]


def invitation(session: Session, context: Context, member: str) -> InvitationView:
    """The invitation of one member."""
    return _view(_row(session, member), context.charter(session), context.now())


def receive_request(session: Session, context: Context, body: bytes) -> JoinAnswer:
    """Take the answer to an invitation; the same again gets what there is by now."""
    charter = context.charter(session)
    request = _opened(context, charter, body)
    row = _invited(session, request)
    if row.card is None:
        joining.verify_request(request, _kept(row), charter, context.now())
        row.card, row.answered_at = request.card.encode(), context.now()
        audit.record(
            session, context, actor="peer", action="invitation.answered", subject=row.member
        )
        session.flush()
    elif _card(row).digest != request.card.digest:
        # With one secret two came: one of them found it.
        raise errors.InvitationUsed(f"{row.member} has answered before")
    return JoinAnswer(charters.chain(session), _draft(session, charter, row))


def admit(
    session: Session,
    context: Context,
    member: str,
    typed: Mapping[int, str],
    *,
    credit_limit: int | None = None,
    quorum: tuple[int, int] | None = None,
    actor: str,
) -> decrees.DraftView:
    """Write the draft that brings the member in; `typed` are groups heard over the telephone.

    `quorum` is (q, b); without it, what is proposed for so many members.
    """
    row, charter = _row(session, member), context.charter(session)
    if row.card is None:
        raise NotAnswered(member)
    newcomer = MemberCard.verify(_card(row)).member
    joining.verify_spoken(newcomer.identity_key, typed)
    if credit_limit is not None:
        newcomer = replace(newcomer, credit_limit=credit_limit)
    members = tuple(sorted((*charter.members, newcomer), key=lambda each: each.id))
    q, b = quorum or propose_quorum(len(members))
    draft = next_draft(charter, members=members, q=q, b=b)
    view = decrees.propose(session, context, draft, actor=actor)
    row.draft = view.digest
    session.flush()
    return view


def accept(session: Session, context: Context, body: bytes) -> None:
    """Take a newcomer's signatures under the draft that brings it in; no other draft comes so."""
    document = SignedDocument.parse(body, bytes_max=limits.BALLOT_FENCE_BYTES_MAX)
    table = models.Invitation
    if session.scalar(select(table).where(table.draft == document.digest)) is None:
        raise errors.InvitationInvalid("no draft of ours")
    try:
        decrees.take_signatures(session, context, document)
    except decrees.DraftUnknown:
        raise errors.DraftInvalid("another decree came first, and it needs a new draft") from None


# --- The newcomer. ---


def enter(session: Session, context: Context, file: InvitationFile, *, actor: str) -> Charter:
    """Hold to the alliance of the invitation: its version 1, from which on we follow the decrees.

    We belong as soon as a version says so; until then this node only listens.
    """
    founding = decree.founding_of(file.charters, file.invitation.founding)
    return membership.hold(session, context, founding, actor=actor)


def _opened(context: Context, charter: Charter, body: bytes) -> JoinRequest:
    """The request, sealed to the key of today, or to an older one by a newcomer that took long."""
    *older, newest = [pair.opening for pair in context.keyring.pairs]
    for key in older:
        with suppress(errors.CannotDecrypt):
            return joining.open_request(body, key, charter, context.member_id)
    return joining.open_request(body, newest, charter, context.member_id)


def _row(session: Session, member: str) -> models.Invitation:
    row = session.get(models.Invitation, member)
    if row is None:
        raise InvitationUnknown(member)
    return row


def _invited(session: Session, request: JoinRequest) -> models.Invitation:
    """The invitation that the secret belongs to, held until the answer is written down."""
    table = models.Invitation
    query = select(table).where(table.secret_digest == request.secret_digest)
    row = session.scalar(query.with_for_update())
    if row is None:
        raise errors.InvitationInvalid("no invitation has this secret")
    return row


def _kept(row: models.Invitation) -> Invited:
    return Invited(row.member, row.domain, row.expires_at, row.secret_digest)


def _card(row: models.Invitation) -> SignedDocument:
    assert row.card is not None
    return SignedDocument.parse(row.card, bytes_max=limits.JOIN_REQUEST_BYTES_MAX)


def _draft(session: Session, charter: Charter, row: models.Invitation) -> SignedDocument | None:
    """The draft that we wrote, unless another decree came first."""
    if row.draft is None:
        return None
    try:
        return decrees.news(session, charter, row.draft).draft
    except decrees.DraftUnknown:
        return None


def _view(row: models.Invitation, charter: Charter, now: int) -> InvitationView:
    card = None if row.card is None else MemberCard.verify(_card(row)).member
    if row.member in charter.by_id:
        state = "joined"
    elif row.draft is not None:
        state = "drafted"
    elif card is not None:
        state = "answered"
    else:
        state = "expired" if now >= row.expires_at else "waiting"
    return InvitationView(row.member, row.domain, row.expires_at, state, card, row.draft)
