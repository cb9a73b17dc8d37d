"""The owner: builds its account's orders one at a time and gathers the votes for each.  SPEC §6.1.

One order is open at a time. Until it is certified the owner sends the same bytes again; entries
that arrive meanwhile wait for the next order, so batching comes by itself.
"""

from __future__ import annotations

from collections.abc import Iterable

from protocol import limits
from protocol.charter import Charter
from protocol.documents.ledger import (
    FIRST_INCARNATION,
    FREE_HIRE,
    ORDER,
    VOTE,
    Entry,
    Order,
    encode_vote,
)
from protocol.errors import CertificateInvalid
from protocol.keys import SigningKey
from protocol.ledger.books import Books
from protocol.ledger.certificates import Certificate, encode_certificate, verify_vote
from protocol.signed import Signature, Signed, SignedDocument, check_signature, sign_own


def build_order(
    account: str,
    waiting: Iterable[Entry],
    *,
    charter: Charter,
    books: Books,
    key: SigningKey,
    incarnation: int = FIRST_INCARNATION,
) -> Signed[Order] | None:
    """The account's next order over as many waiting entries as fit; None when none does.

    An entry that would break the account's floor is left waiting, and the ones behind it are
    tried: a member at its limit can still give points back. So is one to an account that is closed
    since: nobody could vote for it, and it would hold up all others for ever.
    """
    head, vector = books.head(account), books.vector()
    # A closed account stands where the cut left it, which every order of this epoch builds on.
    others = charter.accounts - {account}
    seen = {payer: sequence for payer, sequence in vector.items() if payer in others}
    payable = (entry for entry in waiting if entry.to in others)
    entries = _affordable(payable, head.balance, charter.member(account).credit_limit)
    if not entries:
        return None
    order = Order(
        alliance=charter.alliance,
        epoch=charter.epoch,
        account=account,
        sequence=head.sequence + 1,
        incarnation=incarnation,
        previous=head.digest,
        seen=seen,
        entries=entries,
    )
    # What nobody could vote for would block the account: it is refused before it is signed.
    order.check()
    return sign_own(ORDER, order, key, account)


def _affordable(waiting: Iterable[Entry], balance: int, limit: int) -> tuple[Entry, ...]:
    chosen: list[Entry] = []
    floor = -limit
    for entry in waiting:
        needed = 0 if entry.kind == FREE_HIRE else floor
        if balance - entry.points < needed or len(chosen) == limits.ORDER_ENTRIES_MAX:
            continue
        # One free hire holds its whole order to the floor of zero.
        floor = max(floor, needed)
        balance -= entry.points
        chosen.append(entry)
    return tuple(chosen)


class Ballot:
    """The votes gathered for one's own open order; the order's signature is the first."""

    def __init__(self, order: Signed[Order], charter: Charter) -> None:
        self.order = order
        self._charter = charter
        self._votes: dict[str, Signature] = {}
        payload = encode_vote(order.body, order.digest)
        self._document = SignedDocument(VOTE, payload, ())

    @property
    def voters(self) -> frozenset[str]:
        return frozenset(self._votes) | {self.order.signer}

    @property
    def is_complete(self) -> bool:
        # The owner never stands among the votes: its order's signature is its vote.
        return 1 + len(self._votes) >= self._charter.q

    def add(self, vote: SignedDocument, voter: str) -> None:
        """Count one member's vote; CertificateInvalid unless it is `voter`'s for this order."""
        if vote.payload != self._document.payload:
            verify_vote(vote, self.order)
        if len(vote.signatures) != 1:
            raise CertificateInvalid("a vote has one signature")
        signature = vote.signatures[0]
        key, member = self._charter.keys.get(signature.keyid, (None, None))
        if key is None or member != voter or member == self.order.signer:
            raise CertificateInvalid(f"the vote is not signed by {voter}")
        check_signature(self._document, signature, key)
        self._votes[voter] = signature

    def certificate(self) -> Certificate | None:
        """The certificate once q members voted. More votes than q prove nothing more."""
        if not self.is_complete:
            return None
        enough = sorted(self._votes.items())[: self._charter.q - 1]
        signatures = tuple(signature for _, signature in enough)
        vote = SignedDocument(VOTE, self._document.payload, signatures)
        return Certificate(self.order, vote, encode_certificate(self.order.document, vote))
