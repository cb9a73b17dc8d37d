"""Joining: from an invitation to a member that a draft can bring in.  SPEC Joining, PEER 4.

    invite           sponsor: for one member, at one domain, once
    verify_sponsor   newcomer: the chain goes back to the invitation, and the sponsor is in it
    seal_request     newcomer: its card and the secret, for the sponsor's eyes only
    open_request     sponsor: whoever holds the secret holds the keys on the card as well
    verify_spoken    both: what was heard on the telephone is the key that was received
    verify_draft_of  newcomer: the draft is a member's, and enters it with its own keys

Nobody is trusted for having come first. The invitation binds what travels to a paper that was
handed over; the telephone binds it to a voice. Two fingerprints are read, one each way: with one,
whoever stands in the middle would only have to replace the other. After that come the draft, which
the newcomer signs with both its keys, the approvals and the decree.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from protocol import limits, sealing
from protocol.charter import Charter, Member
from protocol.charter_changes import draft_signers, read_draft
from protocol.documents.invitations import Invitation, Invited, JoinRequest
from protocol.documents.members import MemberCard
from protocol.errors import (
    CharterInvalid,
    DraftInvalid,
    FingerprintMismatch,
    InvitationExpired,
    InvitationInvalid,
    InvitationUsed,
)
from protocol.keys import fingerprint
from protocol.sealing import SealingKey
from protocol.signed import SignedDocument

# Two of six groups, in the order in which they are read.
_PAIRS = tuple((one, two) for one in range(6) for two in range(one + 1, 6))


def invite(
    charter: Charter,
    founding: bytes,
    sponsor: str,
    *,
    member: str,
    domain: str,
    secret: bytes,
    now: int,
) -> Invitation:
    """An invitation by a member; `founding` is the digest of version 1, `secret` was just drawn."""
    ours = charter.member(sponsor)
    _require_free(member, charter)
    invitation = Invitation(
        alliance=charter.alliance,
        founding=founding,
        sponsor=sponsor,
        sponsor_url=ours.url,
        fingerprint=fingerprint(ours.identity_key),
        member=member,
        domain=domain,
        expires_at=now + limits.INVITATION_S,
        secret=secret,
    )
    # What the newcomer could not read is refused before anybody sends it.
    return Invitation.parse(invitation.encode())


def _require_free(member: str, charter: Charter) -> None:
    if member in charter.by_id or member in charter.closed:
        raise InvitationInvalid(f"the name {member} is taken, and is given only once")


def verify_sponsor(invitation: Invitation, founding: Charter, charter: Charter) -> Member:
    """The sponsor, in the version in force of a chain that `founding` begins and that is proven."""
    if founding.digest != invitation.founding or charter.alliance != invitation.alliance:
        raise CharterInvalid("the invitation is to another alliance than this chain's")
    sponsor = charter.member(invitation.sponsor)
    if fingerprint(sponsor.identity_key) != invitation.fingerprint:
        raise FingerprintMismatch(f"{sponsor.id} has another identity key than the invitation says")
    return sponsor


def seal_request(invitation: Invitation, card: SignedDocument, sponsor: Member) -> bytes:
    """The newcomer's answer, sealed to the sponsor. Both its keys have signed the card.

    Whether it comes in time is the sponsor's to say: it asks again for the draft a week later.
    """
    _require_invited(Invited.of(invitation), MemberCard.verify(card).member)
    request = JoinRequest(invitation.secret, card)
    info = _info(invitation.alliance, sponsor.id)
    return sealing.seal(sponsor.sealing_public, request.encode(), info)


def open_request(data: bytes, key: SealingKey, charter: Charter, sponsor: str) -> JoinRequest:
    """The request as it was sealed to the sponsor; which invitation it answers comes next."""
    return JoinRequest.parse(sealing.open(key, data, _info(charter.alliance, sponsor)))


def verify_request(request: JoinRequest, invited: Invited, charter: Charter, now: int) -> Member:
    """The member to be, as it describes itself; raises unless it is the one that was invited."""
    if not hmac.compare_digest(request.secret_digest, invited.secret_digest):
        raise InvitationInvalid("the secret is not the invitation's")
    member = MemberCard.verify(request.card).member
    _require_matching(invited, member, now)
    _require_free(member.id, charter)
    return member


def verify_draft_of(us: Member, document: SignedDocument, charter: Charter) -> Charter:
    """The draft that brings `us` in, before our keys sign it; DraftInvalid if it says otherwise.

    Which limit and which role the members grant is theirs to say; the rest is our card's word.
    """
    draft = read_draft(document, charter)
    if not draft_signers(document, draft, charter) & charter.every_key.keys():
        raise DraftInvalid("no member of the present charter has signed it")
    entered = draft.by_id.get(us.id)
    if entered is None:
        raise DraftInvalid(f"it does not bring {us.id} in")
    if replace(entered, role=us.role, credit_limit=us.credit_limit) != us:
        raise DraftInvalid(f"it enters {us.id} otherwise than its card describes it")
    return draft


def _require_matching(invited: Invited, member: Member, now: int) -> None:
    if invited.is_used:
        raise InvitationUsed(f"{invited.member} has answered before")
    if now >= invited.expires_at:
        raise InvitationExpired(f"valid until {invited.expires_at}", expires_at=invited.expires_at)
    _require_invited(invited, member)


def _require_invited(invited: Invited, member: Member) -> None:
    if member.id != invited.member:
        raise InvitationInvalid(f"{member.id} answers, and {invited.member} was invited")
    domain = urlsplit(member.url).hostname
    if domain != invited.domain:
        raise InvitationInvalid(f"the node is at {domain}, and {invited.domain} was invited")


def _info(alliance: str, sponsor: str) -> bytes:
    return f"tasuki/v1/join\n{alliance}\n{sponsor}".encode("ascii")


# --- The telephone. ---


def asked_groups(drawn: bytes) -> tuple[int, int]:
    """Which two groups of a fingerprint a person types, from 0; `drawn` is fresh randomness.

    A person who may choose compares the first and the last, and so does whoever makes look-alikes.
    """
    return _PAIRS[int.from_bytes(drawn, "big") % len(_PAIRS)]


def verify_spoken(key: bytes, typed: Mapping[int, str]) -> None:
    """Raise FingerprintMismatch unless the groups that were typed are those of this key."""
    groups = fingerprint(key).split()
    wrong = [at for at, group in sorted(typed.items()) if not _same(groups, at, group)]
    if wrong or len(typed) < 2:
        places = ", ".join(str(at + 1) for at in wrong) or "two are asked for"
        raise FingerprintMismatch(f"the groups that differ: {places}", groups=wrong)


def _same(groups: list[str], at: int, typed: str) -> bool:
    return 0 <= at < len(groups) and typed.strip() == groups[at]
