"""Alliances of any size, their drafts, and decrees from the first draft to the proof, for tests."""

from collections.abc import Iterable
from dataclasses import replace

from protocol import (
    APPROVAL,
    CHARTER,
    DRAFT,
    Approval,
    Charter,
    Member,
    MemoryBooks,
    SealingKey,
    SignedDocument,
    SigningKey,
    decree,
    next_draft,
    propose_quorum,
    sign,
    verify_founding,
)
from tests.protocol import alliance

NAMES = ("aoba", "biwa", "seeds", "bridge", "delta", "echo", "fuji")
NODE = {name: SigningKey.from_seed(bytes([100 + n]) * 32) for n, name in enumerate(NAMES)}
IDENTITY = {name: SigningKey.from_seed(bytes([140 + n]) * 32) for n, name in enumerate(NAMES)}
SEALING = {name: SealingKey.from_bytes(bytes([100 + n]) * 96) for n, name in enumerate(NAMES)}
NEW_KEY = SigningKey.from_seed(bytes([180]) * 32)
NEW_SEALING = SealingKey.from_bytes(bytes([180]) * 96)


def member(name: str, **changes: object) -> Member:
    """A member under its own keys."""
    written = replace(
        alliance.member("aoba"),
        id=name,
        legal_name=f"株式会社{name}",
        url=f"https://{name}.example",
        identity_key=IDENTITY[name].verify_key.raw,
        signing_key=NODE[name].verify_key.raw,
        sealing_key=SEALING[name].public.raw,
    )
    return replace(written, **changes)  # type: ignore[arg-type]


def founding(size: int = 4, **changes: object) -> SignedDocument:
    """Version 1 of the first `size` members, signed by all."""
    q, b = propose_quorum(size)
    charter = alliance.draft(members=tuple(map(member, NAMES[:size])), q=q, b=b)
    charter = replace(charter, **changes)  # type: ignore[arg-type]
    document = sign(CHARTER, charter.encode(), IDENTITY[charter.members[0].id])
    for each in charter.members[1:]:
        document = document.add(IDENTITY[each.id])
    return document


def founded(size: int = 4, **changes: object) -> Charter:
    return verify_founding(founding(size, **changes))


def without(charter: Charter, *names: str) -> tuple[Member, ...]:
    return tuple(each for each in charter.members if each.id not in names)


def changed(charter: Charter, name: str, **changes: object) -> tuple[Member, ...]:
    """The members, one of them with changes."""
    return tuple(
        replace(each, **changes) if each.id == name else each  # type: ignore[arg-type]
        for each in charter.members
    )


def signed_draft(draft: Charter, *keys: SigningKey) -> SignedDocument:
    """The draft under these keys; aoba's node signs when none is named."""
    first, *others = keys or (NODE["aoba"],)
    document = sign(DRAFT, draft.draft or draft.encode_draft(), first)
    for key in others:
        document = document.add(key)
    return document


def drafted(charter: Charter, *keys: SigningKey, **changes: object) -> SignedDocument:
    return signed_draft(next_draft(charter, **changes), *keys)


def approval(
    charter: Charter, draft: SignedDocument, name: str, number: int = 1, *, approves: bool = True
) -> SignedDocument:
    word = Approval(charter.alliance, charter.epoch, draft.digest, number, approves)
    return sign(APPROVAL, word.encode(), NODE[name])


def approvals(
    charter: Charter, draft: SignedDocument, names: Iterable[str] = ()
) -> tuple[SignedDocument, ...]:
    """Approvals of these members, of all when none is named."""
    return tuple(approval(charter, draft, name) for name in (names or charter.by_id))


class Table:
    """Members of one charter around one table: each with its seat, its books and its locks."""

    def __init__(self, charter: Charter) -> None:
        self.charter = charter
        self.names = tuple(charter.by_id)
        self.seats = {name: decree.Seat(charter.epoch) for name in self.names}
        self.books = {name: MemoryBooks() for name in self.names}
        self.locks: dict[str, dict[str, SignedDocument]] = {name: {} for name in self.names}

    def proposer(self, draft: SignedDocument, ballot: int = 1) -> decree.Proposer:
        return decree.Proposer(self.charter, ballot, draft, approvals(self.charter, draft))

    def fence(self, name: str, proposer: decree.Proposer) -> None:
        kept = decree.judge_fence(
            proposer.request,
            seat=self.seats[name],
            charter=self.charter,
            books=self.books[name],
            locks=self.locks[name],
            key=NODE[name],
        )
        self.seats[name] = kept.seat
        proposer.add_report(kept.answer)

    def propose(self, proposer: decree.Proposer, by: str = "aoba") -> decree.Proposal:
        proposal = proposer.proposal(self.books[by])
        assert isinstance(proposal, decree.Proposal)
        return proposal

    def prepare(
        self, name: str, proposal: decree.Proposal, proposer: decree.Proposer | None = None
    ) -> None:
        kept = decree.judge_proposal(
            proposal,
            seat=self.seats[name],
            charter=self.charter,
            books=self.books[name],
            key=NODE[name],
        )
        assert isinstance(kept, decree.Kept)
        self.seats[name] = kept.seat
        if proposer is not None:
            proposer.add_vote(kept.answer)

    def commit(self, name: str, proposer: decree.Proposer) -> None:
        prepared = proposer.prepared()
        assert prepared is not None
        kept = decree.judge_prepared(
            prepared, seat=self.seats[name], charter=self.charter, key=NODE[name]
        )
        self.seats[name] = kept.seat
        proposer.add_vote(kept.answer)

    def decide(
        self, draft: SignedDocument, names: Iterable[str] = (), ballot: int = 1
    ) -> decree.Decree:
        """The whole way with these members, all of them when none is named."""
        names = tuple(names) or self.names
        proposer = self.proposer(draft, ballot)
        for name in names:
            self.fence(name, proposer)
        proposal = self.propose(proposer, names[0])
        for name in names:
            self.prepare(name, proposal, proposer)
        for name in names:
            self.commit(name, proposer)
        found = proposer.decree()
        assert found is not None
        return found


def enact(charter: Charter, *keys: SigningKey, **changes: object) -> tuple[decree.Decree, Charter]:
    """The version after `charter` with these changes, and its proof; the books are empty."""
    found = Table(charter).decide(drafted(charter, *keys, **changes))
    return found, decree.verify_decree(found, charter)
