"""A member's standing: whether messages of another member are taken at this moment.  PEER 4.

    verify_block        one member's word about another, at once and for as long as it stands
    read_suspension     the word of those who have signed one so far, on its way to two
    verify_suspension   two members' word, for 72 hours, once in an epoch
    require_standing    what to answer to a member: nothing, or why its messages are not taken

Expelling and leaving are decrees; they are known from the charters.
"""

from __future__ import annotations

from collections.abc import Iterable

from protocol.charter import Charter
from protocol.documents.measures import BLOCK, SUSPENSION, Block, Suspension
from protocol.errors import (
    EpochMismatch,
    KeyUnknown,
    MeasureInvalid,
    MemberExpelled,
    MemberSuspended,
    NotAMember,
    PeerBlocked,
)
from protocol.signed import Signed, SignedDocument, check_signature, require_kind, verify

SUSPENDERS = 2


def verify_block(document: SignedDocument, charter: Charter) -> Signed[Block]:
    """One member's block of another, or its end."""
    block = verify(document, BLOCK, charter.keys, Block.parse)
    if block.body.alliance != charter.alliance:
        raise EpochMismatch(f"a block of {block.body.alliance}", epoch=charter.epoch)
    if charter.member(block.body.member).id == block.signer:
        raise MeasureInvalid("a member cannot block itself")
    return block


def read_suspension(
    document: SignedDocument, charter: Charter, now: int, earlier: Iterable[Suspension] = ()
) -> tuple[Suspension, frozenset[str]]:
    """A suspension, and the members that have signed it so far, the suspended one left out.

    `earlier` are those in this epoch that were verified before. Each member can be suspended once
    in an epoch: 72 hours are there to decide on a decree, and two members shall not shut out a
    third for good without one.
    """
    require_kind(document, SUSPENSION)
    signers = set()
    for signature in document.signatures:
        if signature.keyid not in charter.keys:
            raise KeyUnknown("a suspension is signed by members", keyid=signature.keyid)
        key, member = charter.keys[signature.keyid]
        check_signature(document, signature, key)
        signers.add(member)
    suspension = Suspension.parse(document.payload)
    if (suspension.alliance, suspension.epoch) != (charter.alliance, charter.epoch):
        raise EpochMismatch(f"a suspension of epoch {suspension.epoch}", epoch=charter.epoch)
    charter.member(suspension.member)
    if suspension.since > now:
        raise MeasureInvalid("a suspension cannot begin in the future", since=suspension.since)
    for other in earlier:
        same = (other.epoch, other.member) == (suspension.epoch, suspension.member)
        if same and other != suspension:
            raise MeasureInvalid(f"{other.member} was suspended before in this epoch")
    if not signers - {suspension.member}:
        raise MeasureInvalid("nobody but the suspended member has signed it")
    return suspension, frozenset(signers - {suspension.member})


def verify_suspension(
    document: SignedDocument, charter: Charter, now: int, earlier: Iterable[Suspension] = ()
) -> Suspension:
    """A suspension by two members."""
    suspension, signers = read_suspension(document, charter, now, earlier)
    if len(signers) < SUSPENDERS:
        raise MeasureInvalid("a suspension takes two members, and not the suspended one")
    return suspension


def require_standing(
    member: str,
    charter: Charter,
    now: int,
    *,
    suspensions: Iterable[Suspension] = (),
    blocked: bool = False,
    former: Iterable[str] = (),
) -> None:
    """Raise the reason why messages of `member` are not taken now, if there is one.

    `former` are members of earlier versions: they are told that they have left, and a stranger is
    told nothing.
    """
    if member not in charter.by_id:
        if member in charter.closed or member in set(former):
            raise MemberExpelled(f"{member} has left", version=charter.version)
        raise NotAMember(f"{member} is not a member", member=member)
    for suspension in suspensions:
        current = suspension.epoch == charter.epoch and suspension.member == member
        if current and suspension.since <= now < suspension.until:
            raise MemberSuspended(f"until {suspension.until}", until=suspension.until)
    if blocked:
        raise PeerBlocked(f"messages of {member} are not taken here")
