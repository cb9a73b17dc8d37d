"""The seat: what a member may never forget about the decree that will end an epoch.  SPEC Decrees.

    judge_fence      stop voting in this epoch for good, and report where we stand
    judge_proposal   vote for one motion in a ballot
    judge_prepared   keep the proof that q members prepared it, then vote to enact it

Every judge takes the seat and returns a `Kept`: the seat as it must be now, and what may be
answered once that is durable. Nothing is changed by asking.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple, TypeVar

from protocol import limits
from protocol.charter import Charter
from protocol.charter_changes import verify_draft
from protocol.decree.cut import Carry, carried_orders
from protocol.decree.messages import FenceAnswer, FenceRequest, Proposal, require_carried
from protocol.decree.proposals import verify_proposal
from protocol.decree.votes import Prepared, require_approvals, verify_motion
from protocol.documents.decrees import (
    COMMIT,
    FENCE_REPORT,
    PREPARE,
    Approval,
    FenceReport,
    Held,
    encode_statement,
)
from protocol.errors import BallotStale, BallotTaken, EpochStopped
from protocol.keys import SigningKey
from protocol.ledger.books import Books
from protocol.ledger.replica import Need
from protocol.signed import SignedDocument, sign
from protocol.strictjson import Reader, b64encode, encode, parse

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seat:
    """What a member may never forget about the decree that will end an epoch.

    `promised` is the ballot below which it answers nothing; above zero, it has stopped voting.
    `answer` is what it said when it promised, `voted` its one prepare vote of that ballot, and
    `prepared` the highest motion that it committed to. `orders` are those that these two motions
    carry, which no vote names whole. `abstains`: this seat may have been more.
    """

    epoch: int
    promised: int = 0
    answer: bytes = b""
    voted: Held | None = None
    prepared: Prepared | None = None
    abstains: bool = False
    orders: tuple[SignedDocument, ...] = ()

    @property
    def is_stopped(self) -> bool:
        return self.promised > 0 or self.abstains

    def encode(self) -> bytes:
        """The seat for the node's own store."""
        return encode(
            {
                "abstains": self.abstains,
                "answer": b64encode(self.answer),
                "epoch": self.epoch,
                "orders": [order.to_json() for order in self.orders],
                "prepared": None if self.prepared is None else self.prepared.to_json(),
                "promised": self.promised,
                "voted": None if self.voted is None else self.voted.to_json(),
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> Seat:
        # An answer in base64url, and the orders of two motions.
        reader = Reader(parse(data, bytes_max=4 * limits.PROPOSAL_BYTES_MAX))
        voted = None if reader.value("voted") is None else Held.read(reader.object("voted"))
        held = None if reader.value("prepared") is None else reader.object("prepared")
        # A seat that was kept before orders were has none.
        orders_max = 2 * limits.PROPOSAL_ORDERS_MAX
        orders = reader.list("orders", orders_max) if reader.has("orders") else []
        seat = cls(
            epoch=reader.integer("epoch", 1, limits.VERSION_MAX),
            promised=reader.integer("promised", 0, limits.BALLOT_MAX),
            answer=reader.bytes("answer", bytes_max=limits.PROPOSAL_BYTES_MAX),
            voted=voted,
            prepared=None if held is None else Prepared.read(held),
            abstains=reader.boolean("abstains"),
            orders=tuple(map(SignedDocument.from_json, orders)),
        )
        reader.done()
        return seat


class Kept(NamedTuple, Generic[T]):
    """The seat to make durable, and what may leave after that."""

    seat: Seat
    answer: T


def require_voting(seat: Seat, charter: Charter) -> None:
    """Raise EpochStopped unless orders may still be voted for under this charter."""
    if seat.is_stopped or seat.epoch != charter.epoch:
        raise EpochStopped(f"epoch {charter.epoch} is stopped here", epoch=charter.epoch)


def judge_fence(
    request: FenceRequest,
    *,
    seat: Seat,
    charter: Charter,
    books: Books,
    locks: Mapping[str, SignedDocument],
    key: SigningKey,
    known: Mapping[str, Approval] | None = None,
) -> Kept[FenceAnswer]:
    """Stop voting in this epoch and report, if q members approve of the draft.

    `locks` hold the signed order of each account that we voted for and have not applied; `known`
    is the last word we heard from each member about this draft.
    """
    _require_seat(seat, charter)
    if request.ballot == seat.promised and seat.answer:
        # Asked again, the same bytes: two reports for one ballot would be two stories.
        return Kept(seat, FenceAnswer.parse(seat.answer))
    _require_above(request.ballot, seat)
    verify_draft(request.draft, charter)
    require_approvals(request.approvals, request.draft.digest, charter, known)

    held = None if seat.prepared is None else Held(seat.prepared.ballot, seat.prepared.digest)
    vector = books.vector()
    report = FenceReport(
        alliance=charter.alliance,
        epoch=charter.epoch,
        ballot=request.ballot,
        vector={account: vector[account] for account in charter.accounts if account in vector},
        locks={account: order.digest for account, order in locks.items()},
        held=held,
    )
    carried = _carried_by(seat, charter)
    shown = {order.digest: order for order in (*locks.values(), *carried)}
    answer = FenceAnswer(
        sign(FENCE_REPORT, report.encode(), key), tuple(shown.values()), seat.prepared
    )
    stopped = replace(
        seat, promised=request.ballot, answer=answer.encode(), voted=None, orders=carried
    )
    return Kept(stopped, answer)


def _require_seat(seat: Seat, charter: Charter) -> None:
    assert seat.epoch == charter.epoch
    if seat.abstains:
        raise EpochStopped("this member takes no part in the decree", epoch=charter.epoch)


def _require_above(ballot: int, seat: Seat) -> None:
    highest = min(seat.promised + limits.BALLOT_STEP_MAX, limits.BALLOT_MAX)
    if not seat.promised < ballot <= highest:
        raise BallotStale(
            f"ballot {ballot} is not from {seat.promised + 1} to {highest}",
            promised=seat.promised,
            highest=highest,
        )


def judge_proposal(
    proposal: Proposal,
    *,
    seat: Seat,
    charter: Charter,
    books: Books,
    key: SigningKey,
    carry: Carry = carried_orders,
    known: Mapping[str, Approval] | None = None,
) -> Kept[SignedDocument] | Need:
    """The prepare vote for a motion that follows from its reports; one motion in a ballot."""
    _require_seat(seat, charter)
    wanted = Held(proposal.ballot, proposal.motion.digest)
    if proposal.ballot < seat.promised:
        raise BallotStale(f"ballot {seat.promised} is promised", promised=seat.promised)
    voted = seat.voted
    if voted is not None and voted.ballot == wanted.ballot and voted != wanted:
        raise BallotTaken(f"the vote of ballot {wanted.ballot} went to another motion")
    if voted != wanted:
        need = verify_proposal(proposal, charter, books, carry, known)
        if need is not None:
            return need
        at_hand = (*proposal.orders, *seat.orders)
        carried = require_carried(at_hand, proposal.motion.charter.cut, charter)
        kept = {order.digest: order for order in (*carried, *_carried_by(seat, charter))}
        # Whoever votes has stopped, whether or not it was among those who were asked to.
        answer = seat.answer if proposal.ballot == seat.promised else b""
        seat = replace(
            seat,
            promised=proposal.ballot,
            answer=answer,
            voted=wanted,
            orders=tuple(kept.values()),
        )
    return Kept(seat, _vote(PREPARE, charter, wanted, key))


def judge_prepared(
    prepared: Prepared,
    *,
    seat: Seat,
    charter: Charter,
    key: SigningKey,
    orders: Iterable[SignedDocument] = (),
) -> Kept[SignedDocument]:
    """The commit vote for a motion that q members prepared, which is kept to be proposed again.

    `orders` are at hand besides those of the seat; with one that the motion carries missing there
    is no vote, and whoever asks sends the proposal first.
    """
    _require_seat(seat, charter)
    held = Held(prepared.ballot, prepared.digest)
    if prepared.ballot < seat.promised:
        raise BallotStale(f"ballot {seat.promised} is promised", promised=seat.promised)
    prepared.verify_votes(charter)
    verify_motion(prepared.motion, charter)
    known = seat.prepared
    if known is not None and known.ballot == prepared.ballot and known.digest != prepared.digest:
        # Two quorums of one ballot share an honest member, which voted once: too many have lied.
        raise BallotTaken(f"another motion was prepared in ballot {prepared.ballot}")
    if known is None or known.ballot < prepared.ballot:
        answer = seat.answer if prepared.ballot == seat.promised else b""
        voted = seat.voted if prepared.ballot == seat.promised else None
        carried = require_carried((*seat.orders, *orders), prepared.motion.charter.cut, charter)
        seat = replace(
            seat,
            promised=prepared.ballot,
            answer=answer,
            voted=voted,
            prepared=prepared,
            orders=carried,
        )
    return Kept(seat, _vote(COMMIT, charter, held, key))


def _carried_by(seat: Seat, charter: Charter) -> tuple[SignedDocument, ...]:
    """The orders that the motion which the seat holds prepared carries."""
    if seat.prepared is None:
        return ()
    return require_carried(seat.orders, seat.prepared.motion.charter.cut, charter)


def _vote(kind: str, charter: Charter, held: Held, key: SigningKey) -> SignedDocument:
    return sign(kind, encode_statement(charter, held.ballot, held.charter), key)
