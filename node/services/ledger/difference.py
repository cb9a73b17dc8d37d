"""Where two nodes' ledgers part: the accounts side by side, and the first place that differs.

Orders are chained, each naming the content of the one before, so that two accounts which agree in
one place agree in every place before it: the first difference is found by halving.  PEER 5.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from node.context import Context
from node.services.ledger.books import SQLBooks
from protocol import (
    Order,
    Pull,
    PullAnswer,
    digest_of_content,
    errors,
    parse_certificate,
    state_digest,
)

# One question to the peer: a vector, to be answered with what lies beyond it.
Ask = Callable[[Pull], PullAnswer]


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One account here and there: how far it is applied, and whether all that both have is alike.

    `first` is the first place that only one of them has, or that holds something else.
    """

    account: str
    ours: int
    theirs: int
    same: bool
    first: int | None


@dataclass(frozen=True, slots=True)
class LedgerDifference:
    """Two ledgers compared: the digests of the whole, and every account."""

    our_state: bytes
    their_state: bytes
    lines: tuple[AccountLine, ...]

    @property
    def is_equal(self) -> bool:
        return self.our_state == self.their_state and not self.is_forked

    @property
    def is_forked(self) -> bool:
        """Whether one place holds two contents: a quorum never certifies that."""
        return not all(line.same for line in self.lines)


class OurLedger:
    """What this node has, as of one reading transaction."""

    def __init__(self, session: Session, context: Context) -> None:
        self._books = SQLBooks(session)
        self.vector = self._books.vector()
        self.state = state_digest(self._books.heads())
        self.version = context.charter(session).version

    def content(self, account: str, sequence: int) -> bytes | None:
        """The digest of what stands in a place; None when nothing does."""
        document = self._books.certificate(account, sequence)
        return None if document is None else content_of(document)[2]


def content_of(certificate: bytes) -> tuple[str, int, bytes]:
    """Account, number and digest of what a certificate says; nothing is proven."""
    document, _vote = parse_certificate(certificate)
    order = Order.parse(document.payload)
    return order.account, order.sequence, digest_of_content(document, order.incarnation)


def compare_live(ours: OurLedger, ask: Ask) -> LedgerDifference:
    """Compare with a peer by asking it; a few questions, and for a fork a few more."""
    answer = ask(Pull(ours.vector, ours.version))
    theirs = answer.vector
    lines = tuple(_line(ours, theirs, account, ask) for account in sorted({*ours.vector, *theirs}))
    return LedgerDifference(ours.state, answer.state, lines)


def _line(ours: OurLedger, theirs: Mapping[str, int], account: str, ask: Ask) -> AccountLine:
    here, there = ours.vector.get(account, 0), theirs.get(account, 0)
    common = min(here, there)

    def is_same(sequence: int) -> bool:
        return ours.content(account, sequence) == _their_content(
            ours, theirs, account, sequence, ask
        )

    if common and not is_same(common):
        low, high = 1, common
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if is_same(middle) else (low, middle)
        return AccountLine(account, here, there, same=False, first=low)
    first = common + 1 if here != there else None
    return AccountLine(account, here, there, same=True, first=first)


def _their_content(
    ours: OurLedger, theirs: Mapping[str, int], account: str, sequence: int, ask: Ask
) -> bytes:
    """What the peer has in a place: the first thing it sends to somebody who stands before it."""
    before = {each: at for each, at in theirs.items() if each != account}
    if sequence > 1:
        before[account] = sequence - 1
    for certificate in ask(Pull(before, ours.version)).certificates:
        owner, number, digest = content_of(certificate)
        if (owner, number) == (account, sequence):
            return digest
    raise errors.DocumentInvalid(f"the peer does not show #{sequence} of {account}, which it has")
