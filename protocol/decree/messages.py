"""What travels while a decree is made: words on a draft, a request to stop, its answer, a proposal.

Bodies of signed HTTP calls, not documents: what has to be proven to a third member (a draft, an
approval, a report, an order, a vote) is a document inside them.  SPEC Decrees.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from protocol import limits
from protocol.charter import Charter
from protocol.charter_cut import Cut
from protocol.decree.votes import Decree, Motion, Prepared
from protocol.documents.decrees import FENCE_REPORT, FenceReport
from protocol.documents.ledger import Order
from protocol.errors import ProposalInvalid, ProtocolError
from protocol.ledger.certificates import verify_order
from protocol.signed import Signed, SignedDocument, verify
from protocol.strictjson import JSON, Reader, encode, parse


@dataclass(frozen=True, slots=True)
class DraftNews:
    """A draft with the signatures that one member has seen on it, and everybody's last word."""

    draft: SignedDocument
    words: tuple[SignedDocument, ...]

    def encode(self) -> bytes:
        return encode({"draft": self.draft.to_json(), "words": _written(self.words)})

    @classmethod
    def parse(cls, data: bytes) -> DraftNews:
        reader = Reader(parse(data, bytes_max=limits.BALLOT_FENCE_BYTES_MAX))
        news = cls(
            draft=SignedDocument.from_json(reader.value("draft")),
            words=_documents(reader, "words"),
        )
        reader.done()
        return news


@dataclass(frozen=True, slots=True)
class Enacted:
    """A decree that q members enacted, and the orders that its cut names by their digests."""

    decree: Decree
    orders: tuple[SignedDocument, ...] = ()

    def encode(self) -> bytes:
        return encode({"decree": self.decree.to_json(), "orders": _written(self.orders)})

    @classmethod
    def parse(cls, data: bytes) -> Enacted:
        reader = Reader(parse(data, bytes_max=limits.PROPOSAL_BYTES_MAX))
        enacted = cls(
            decree=Decree.read(reader.object("decree")),
            orders=_documents(reader, "orders", limits.PROPOSAL_ORDERS_MAX),
        )
        reader.done()
        return enacted


@dataclass(frozen=True, slots=True)
class FenceRequest:
    """ "Stop voting in this epoch and say where you stand: here is an approved draft." """

    ballot: int
    draft: SignedDocument
    approvals: tuple[SignedDocument, ...]

    def encode(self) -> bytes:
        return encode(
            {
                "approvals": _written(self.approvals),
                "ballot": self.ballot,
                "draft": self.draft.to_json(),
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> FenceRequest:
        reader = Reader(parse(data, bytes_max=limits.BALLOT_FENCE_BYTES_MAX))
        request = cls(
            ballot=reader.integer("ballot", 1, limits.BALLOT_MAX),
            draft=SignedDocument.from_json(reader.value("draft")),
            approvals=_documents(reader, "approvals"),
        )
        reader.done()
        return request


@dataclass(frozen=True, slots=True)
class FenceAnswer:
    """A member's signed report, with what proves its claims: locked orders, a prepared motion.

    With the motion come the orders that its cut carries: it can take effect only with them.
    """

    report: SignedDocument
    orders: tuple[SignedDocument, ...]
    prepared: Prepared | None

    def encode(self) -> bytes:
        return encode(
            {
                "orders": _written(self.orders),
                "prepared": None if self.prepared is None else self.prepared.to_json(),
                "report": self.report.to_json(),
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> FenceAnswer:
        reader = Reader(parse(data, bytes_max=limits.PROPOSAL_BYTES_MAX))
        answer = cls(
            report=SignedDocument.from_json(reader.value("report")),
            orders=_documents(reader, "orders", limits.PROPOSAL_ORDERS_MAX),
            prepared=_prepared(reader),
        )
        reader.done()
        return answer


@dataclass(frozen=True, slots=True)
class Proposal:
    """A motion in a ballot, with the reports of q members that it follows from.

    A fresh motion is proven by the approvals of its draft, one that was prepared before by that.
    """

    ballot: int
    motion: Motion
    reports: tuple[SignedDocument, ...]
    orders: tuple[SignedDocument, ...] = ()
    approvals: tuple[SignedDocument, ...] = ()
    prepared: Prepared | None = None

    def encode(self) -> bytes:
        return encode(
            {
                **self.motion.fields(),
                "approvals": _written(self.approvals),
                "ballot": self.ballot,
                "orders": _written(self.orders),
                "prepared": None if self.prepared is None else self.prepared.to_json(),
                "reports": _written(self.reports),
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> Proposal:
        reader = Reader(parse(data, bytes_max=limits.PROPOSAL_BYTES_MAX))
        proposal = cls(
            motion=Motion.read(reader),
            ballot=reader.integer("ballot", 1, limits.BALLOT_MAX),
            reports=_documents(reader, "reports"),
            orders=_documents(reader, "orders", limits.PROPOSAL_ORDERS_MAX),
            approvals=_documents(reader, "approvals"),
            prepared=_prepared(reader),
        )
        reader.done()
        return proposal


def _written(documents: Iterable[SignedDocument]) -> JSON:
    return [document.to_json() for document in documents]


def _documents(
    reader: Reader, name: str, items_max: int = limits.MEMBERS_MAX
) -> tuple[SignedDocument, ...]:
    values = reader.list(name, items_max)
    return tuple(SignedDocument.from_json(value) for value in values)


def _prepared(reader: Reader) -> Prepared | None:
    if reader.value("prepared") is None:
        return None
    return Prepared.read(reader.object("prepared"))


def verify_report(document: SignedDocument, charter: Charter, ballot: int) -> Signed[FenceReport]:
    """A member's report, proven to be its own and of this epoch and ballot."""
    report = verify(document, FENCE_REPORT, charter.keys, FenceReport.parse)
    body = report.body
    if (body.alliance, body.epoch, body.ballot) != (charter.alliance, charter.epoch, ballot):
        raise ProposalInvalid(
            f"{report.signer} reported for epoch {body.epoch}, ballot {body.ballot}"
        )
    if foreign := (body.vector.keys() | body.locks.keys()) - charter.accounts:
        raise ProposalInvalid(f"{report.signer} reports {min(foreign)}, which keeps no account")
    if body.held is not None and body.held.ballot >= ballot:
        raise ProposalInvalid(f"{report.signer} holds what a later ballot prepared")
    return report


def verify_locked(
    documents: Iterable[SignedDocument], reports: Iterable[FenceReport], charter: Charter
) -> Mapping[bytes, Signed[Order]]:
    """The orders that the reports say are locked, each proven to be signed by its owner.

    Without the owner's signature a liar could report an order that nobody wrote, and the decree
    would put it into the books.
    """
    proven = [verify_order(document, charter) for document in documents]
    orders = {order.digest: order for order in proven}
    for report in reports:
        for account, digest in report.locks.items():
            if digest not in orders or orders[digest].body.account != account:
                raise ProposalInvalid(f"the order that is said to hold {account} is not here")
    return orders


def find_carried(
    documents: Iterable[SignedDocument], cut: Cut, charter: Charter
) -> Mapping[bytes, Signed[Order]]:
    """Those of the orders that the cut names, each proven to be its owner's.

    What else is among them is left out: it travelled along, and no signature covers what did.
    """
    named = {digest for digests in cut.carried.values() for digest in digests}
    found: dict[bytes, Signed[Order]] = {}
    for document in documents:
        if document.digest in named and document.digest not in found:
            with suppress(ProtocolError):
                found[document.digest] = verify_order(document, charter)
    return found


def require_carried(
    documents: Iterable[SignedDocument], cut: Cut | None, charter: Charter
) -> tuple[SignedDocument, ...]:
    """Every order that the cut carries, out of these; ProposalInvalid unless all are here.

    Whoever votes for a motion without them would enact what nobody may be able to apply.
    """
    assert cut is not None
    found = find_carried(documents, cut, charter)
    for account, digests in cut.carried.items():
        if not found.keys() >= set(digests):
            raise ProposalInvalid(f"the order of {account} that it carries is not here")
    return tuple(found[digest].document for digest in sorted(found))
