"""Who voted for what: approvals of a draft, and the two quorums that make it a charter.

    Motion    a draft with the cut it would open on: what a ballot is about
    Prepared  a motion, and prepare votes of q members in one ballot
    Decree    a motion, and commit votes of q members in one ballot: the proof of the new version

Members are counted, never signatures, and only members of the charter that is to be replaced: those
whom a draft brings in have no say in it.  SPEC Decrees.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, TypeVar

from protocol import limits
from protocol.charter import CHARTER, DRAFT, Charter, parse_charter
from protocol.charter_changes import verify_draft
from protocol.decree.cut import check_cut
from protocol.documents.decrees import APPROVAL, COMMIT, PREPARE, Approval, encode_statement
from protocol.errors import (
    ApprovalsMissing,
    DecreeInvalid,
    EpochMismatch,
    ProtocolError,
)
from protocol.signed import Signature, SignedDocument, check_signature, verify
from protocol.strictjson import JSON, Reader, b64encode, encode, parse

Quorum = TypeVar("Quorum", bound="_Quorum")


@dataclass(frozen=True)
class Motion:
    """The payload of the charter to be, and the signatures that its draft was accepted with."""

    payload: bytes
    accepted: tuple[Signature, ...]

    @cached_property
    def document(self) -> SignedDocument:
        """The charter as a document. What proves it is a quorum, not a signature of its own."""
        return SignedDocument(CHARTER, self.payload, ())

    @property
    def digest(self) -> bytes:
        return self.document.digest

    @cached_property
    def charter(self) -> Charter:
        """The charter to be, by its own claim."""
        return parse_charter(self.document)

    @property
    def draft(self) -> SignedDocument:
        return SignedDocument(DRAFT, self.charter.draft, self.accepted)

    def fields(self) -> dict[str, JSON]:
        draft = SignedDocument(DRAFT, b"", self.accepted)
        return {"accepted": draft.to_json()["signatures"], "charter": b64encode(self.payload)}

    @classmethod
    def read(cls, reader: Reader) -> Motion:
        payload = reader.bytes("charter", bytes_max=limits.DECREE_BYTES_MAX)
        claim = SignedDocument.from_claim(DRAFT, b"", reader.value("accepted"))
        return cls(payload, claim.signatures)


def verify_motion(motion: Motion, charter: Charter) -> Charter:
    """The charter to be, as one that may follow `charter`, with a cut that goes on from its."""
    cut = motion.charter.cut
    if cut is None:
        raise DecreeInvalid("a version above the first has a cut")
    verify_draft(motion.draft, charter)
    check_cut(cut, charter)
    return motion.charter


@dataclass(frozen=True)
class _Quorum:
    """A motion, a ballot, and the signatures of its statement in one of the phases."""

    motion: Motion
    ballot: int
    votes: tuple[Signature, ...]
    KIND: ClassVar[str]

    @property
    def digest(self) -> bytes:
        return self.motion.digest

    def to_json(self) -> JSON:
        votes = SignedDocument(self.KIND, b"", self.votes)
        return {
            **self.motion.fields(),
            "ballot": self.ballot,
            "votes": votes.to_json()["signatures"],
        }

    def encode(self) -> bytes:
        return encode(self.to_json())

    @classmethod
    def read(cls: type[Quorum], reader: Reader) -> Quorum:
        motion = Motion.read(reader)
        ballot = reader.integer("ballot", 1, limits.BALLOT_MAX)
        claim = SignedDocument.from_claim(cls.KIND, b"", reader.value("votes"))
        reader.done()
        return cls(motion, ballot, claim.signatures)

    @classmethod
    def parse(cls: type[Quorum], data: bytes) -> Quorum:
        return cls.read(Reader(parse(data, bytes_max=limits.DECREE_BYTES_MAX)))

    def voters(self, charter: Charter) -> frozenset[str]:
        """The members that voted, each proven; DecreeInvalid for anything else among the votes."""
        statement = encode_statement(charter, self.ballot, self.digest)
        return count_voters(SignedDocument(self.KIND, statement, self.votes), charter)

    def verify_votes(self, charter: Charter) -> frozenset[str]:
        """The members that voted; DecreeInvalid unless they are enough."""
        voters = self.voters(charter)
        if len(voters) < charter.q:
            missing = sorted(charter.by_id.keys() - voters)
            raise DecreeInvalid(
                f"{len(voters)} members voted and {charter.q} are needed",
                missing=missing,
                signed=sorted(voters),
            )
        return voters


class Prepared(_Quorum):
    """Proof that no other motion can be prepared in this ballot."""

    KIND = PREPARE


class Decree(_Quorum):
    """Proof that this motion is the next version, and that no other can ever be."""

    KIND = COMMIT


def verify_decree(decree: Decree, charter: Charter) -> Charter:
    """The charter that follows, proven by commit votes of q members of the one before."""
    decree.verify_votes(charter)
    return verify_motion(decree.motion, charter)


def count_voters(document: SignedDocument, charter: Charter) -> frozenset[str]:
    """The members of `charter` whose signatures the document carries, each counted once."""
    voters: set[str] = set()
    for signature in document.signatures:
        known = charter.keys.get(signature.keyid)
        if known is None:
            raise DecreeInvalid("a vote is signed with a key that is no member's")
        key, voter = known
        if voter in voters:
            raise DecreeInvalid(f"{voter} is counted twice")
        try:
            check_signature(document, signature, key)
        except ProtocolError as refusal:
            raise DecreeInvalid("a vote's signature does not verify") from refusal
        voters.add(voter)
    return frozenset(voters)


def verify_approval(document: SignedDocument, charter: Charter) -> tuple[str, Approval]:
    """The member that gave its word on a draft, and the word."""
    signed = verify(document, APPROVAL, charter.keys, Approval.parse)
    if (signed.body.alliance, signed.body.epoch) != (charter.alliance, charter.epoch):
        raise EpochMismatch(f"an approval of epoch {signed.body.epoch}", epoch=charter.epoch)
    return signed.signer, signed.body


def approving(
    documents: Iterable[SignedDocument],
    draft: bytes,
    charter: Charter,
    known: Mapping[str, Approval] | None = None,
) -> frozenset[str]:
    """The members that approve of the draft of this digest, by the last word of each.

    `known` is what this member has heard last from each about this draft: an approval that was
    taken back since does not count here, whoever still carries it around.
    """
    words: dict[str, Approval] = {}
    for member, approval in (known or {}).items():
        if approval.draft == draft:
            words[member] = approval
    for document in documents:
        member, approval = verify_approval(document, charter)
        if approval.draft != draft:
            raise DecreeInvalid(f"{member} approves of another draft")
        # Of one number both ways, taking back counts: nobody is held to what he contradicts.
        before = words.get(member)
        if before is None or (approval.number, not approval.approves) > (
            before.number,
            not before.approves,
        ):
            words[member] = approval
    return frozenset(member for member, word in words.items() if word.approves)


def require_approvals(
    documents: Iterable[SignedDocument],
    draft: bytes,
    charter: Charter,
    known: Mapping[str, Approval] | None = None,
) -> None:
    """Raise ApprovalsMissing, with the names, unless q members approve of the draft."""
    members = approving(documents, draft, charter, known)
    if len(members) < charter.q:
        missing = sorted(charter.by_id.keys() - members)
        raise ApprovalsMissing(
            f"{len(members)} members approve and {charter.q} are needed", missing=missing
        )
