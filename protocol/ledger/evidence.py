"""Evidence: two orders that one owner signed for one place and incarnation.  SPEC §6.8.

It proves itself to whoever holds the charter, so it is stored as it is and shown to all. Honest
owners sign one order in a place and incarnation, across crashes and restores; what they issue again
in a later incarnation is no second order.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocol import limits
from protocol.charter import Charter
from protocol.documents.ledger import ORDER, Order
from protocol.errors import EvidenceInvalid
from protocol.ledger.certificates import verify_order
from protocol.signed import Signed, SignedDocument, require_kind
from protocol.strictjson import Reader, encode, parse


@dataclass(frozen=True, slots=True)
class Evidence:
    """Made only by `evidence_of` and `verify_evidence`, both of which compare what was proven."""

    first: Signed[Order]
    second: Signed[Order]

    @property
    def account(self) -> str:
        return self.first.body.account

    @property
    def place(self) -> tuple[str, int, int]:
        return (*self.first.body.slot, self.first.body.incarnation)

    def encode(self) -> bytes:
        orders = [self.first.document.to_json(), self.second.document.to_json()]
        return encode({"orders": orders})


def evidence_of(one: Signed[Order], other: Signed[Order]) -> Evidence:
    """The two orders as evidence, the one of the smaller digest first; EvidenceInvalid if none."""
    first, second = sorted((one, other), key=lambda order: order.digest)
    evidence = Evidence(first, second)
    if (*second.body.slot, second.body.incarnation) != evidence.place:
        raise EvidenceInvalid("the two orders are of different places or incarnations")
    # The digest, not the signatures: one order signed twice is one order.
    if first.digest == second.digest:
        raise EvidenceInvalid("it is the same order twice")
    return evidence


def verify_evidence(data: bytes, charter: Charter) -> Evidence:
    """The evidence, proven under the charter of the orders' epoch."""
    one, other = (verify_order(document, charter) for document in _orders(data))
    return evidence_of(one, other)


def epoch_claimed(data: bytes) -> int:
    """The epoch that the orders say they are of, which tells whose keys prove them; no proof yet.

    What was signed twice in an epoch stays so when the epoch has ended.
    """
    one, _ = _orders(data)
    require_kind(one, ORDER)
    return Order.parse(one.payload).epoch


def _orders(data: bytes) -> tuple[SignedDocument, SignedDocument]:
    reader = Reader(parse(data, bytes_max=limits.EVIDENCE_BYTES_MAX))
    documents = reader.list("orders", 2)
    reader.done()
    if len(documents) != 2:
        raise EvidenceInvalid("evidence holds two orders")
    one, other = map(SignedDocument.from_json, documents)
    return one, other
