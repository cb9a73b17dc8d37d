"""The addresses of /peer/v1/: the largest body each takes, and what that body does.  PEER 1, 3, 4.

How a request is proven before it comes here, and how the answer is signed, is `node.peer`'s.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy.orm import Session

from node.allowance import Room
from node.context import Context
from node.services import charter as charters
from node.services import decrees, inbox, ledger, measures, membership
from node.services.charter import Departure
from node.services.ledger import evidence, tenure
from protocol import (
    BLOCK,
    SUSPENSION,
    Charter,
    Hello,
    ProtocolError,
    Pull,
    envelope,
    errors,
    http,
    limits,
)

# What a verified body does inside the transaction. Returned bytes are the answer; a refusal that is
# *returned* is committed with whatever was written for it, one that is *raised* is rolled back.
Work: TypeAlias = Callable[[Session], bytes | ProtocolError]

Answer: TypeAlias = Callable[[Session, Context, bytes], bytes]

# A thousand certificates a page: reading one costs us 20 ms, applying it costs the asker seconds.
PULL_WEIGHT = 20
# Two orders to verify, and a proof to keep: a member has no reason to show many.
EVIDENCE_WEIGHT = 20
# A signature of every member at most: 6 ms.
MEASURE_WEIGHT = 5


@dataclass(frozen=True, slots=True)
class Call:
    """A verified request, and under which charter it is answered."""

    context: Context
    charter: Charter
    asked: http.VerifiedRequest
    room: Room
    # How the caller left, if it has.
    departure: Departure | None = None

    @property
    def sender(self) -> str:
        return self.asked.context.sender

    def require_named(self, version: int) -> None:
        """A member that has left hears of the versions that named it, and of no later one."""
        if self.departure is not None and version > self.departure.last_version:
            raise errors.MemberExpelled(f"{self.sender} has left", version=self.charter.version)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address: the largest body it takes, and what that means, before a transaction is open."""

    bytes_max: int
    prepare: Callable[[Call], Work]
    # How many requests it counts as.
    weight: int = 1
    # It ends the ballot under way, which a member may do only so often.
    begins_a_ballot: bool = False
    # Asked of a ledger that is catching up, it is answered all the same.
    while_recovering: bool = True
    # Also for a member that has not heard of the newest version of the charter, perhaps because
    # that is the one which it is not in any more.
    for_those_behind: bool = False
    # The measures that shut a member out here. Where votes and books are concerned none does, or
    # two members could put the quorum out of reach by their word alone.
    heeds: frozenset[str] = frozenset()


def _hello(call: Call) -> Work:
    hello = Hello.parse(call.asked.body)
    return lambda session: membership.receive_hello(
        session, call.context, call.sender, hello
    ).encode()


def _envelopes(call: Call) -> Work:
    sealed = inbox.read(call.context, call.charter, call.asked)
    if sealed.epoch == call.charter.epoch:
        return _take_in(call, sealed, call.charter)

    def work(session: Session) -> bytes | ProtocolError:
        return _take_in(call, sealed, charters.of_epoch(session, sealed.epoch))(session)

    return work


def _take_in(call: Call, sealed: envelope.Envelope, written_under: Charter) -> Work:
    context, asked = call.context, call.asked
    try:
        arrival = inbox.prove(context, call.charter, sealed, written_under)
    except ProtocolError as refusal:
        reason = refusal
        return lambda session: inbox.refused(session, context, sealed, asked, reason)
    call.room.take(call.sender, len(asked.body), arrival.kind)
    return lambda session: inbox.receive(session, context, arrival, asked)


def _orders(call: Call) -> Work:
    return lambda session: ledger.vote_on(session, call.context, call.asked.body)


def _certificates(call: Call) -> Work:
    def work(session: Session) -> bytes:
        ledger.receive_certificate(session, call.context, call.asked.body)
        return b"{}"

    return work


def _pull(call: Call) -> Work:
    call.require_named(Pull.parse(call.asked.body).charter_version)
    return lambda session: ledger.answer_pull(session, call.context, call.asked.body)


def _standing(call: Call) -> Work:
    return lambda session: tenure.answer_standing(session, call.context, call.sender)


def _fences(call: Call) -> Work:
    return lambda session: tenure.answer_fence(session, call.context, call.sender, call.asked.body)


def _evidence(call: Call) -> Work:
    def work(session: Session) -> bytes:
        evidence.receive(session, call.context, call.asked.body)
        return b"{}"

    return work


def _by(answer: Answer) -> Callable[[Call], Work]:
    """An address whose service reads the body itself, within the transaction."""

    def prepare(call: Call) -> Work:
        return lambda session: answer(session, call.context, call.asked.body)

    return prepare


def _decrees(call: Call) -> Work:
    def work(session: Session) -> bytes:
        decrees.enact(session, call.context, call.asked.body)
        return b"{}"

    return work


def _following(call: Call) -> Work:
    # What a member asks is which version it speaks under; its signature says so.
    version = call.asked.context.epoch
    call.require_named(version)
    return lambda session: decrees.following(session, version) or b"{}"


ENDPOINTS = {
    "/peer/v1/hello": Endpoint(limits.HELLO_BYTES_MAX, _hello, heeds=frozenset({BLOCK})),
    "/peer/v1/envelopes": Endpoint(
        limits.ENVELOPE_BYTES_MAX,
        _envelopes,
        while_recovering=False,
        heeds=frozenset({BLOCK, SUSPENSION}),
    ),
    "/peer/v1/orders": Endpoint(limits.ORDER_REQUEST_BYTES_MAX, _orders, while_recovering=False),
    "/peer/v1/certificates": Endpoint(limits.CERTIFICATE_BYTES_MAX, _certificates),
    "/peer/v1/pull": Endpoint(
        limits.PULL_ASKED_BYTES_MAX, _pull, PULL_WEIGHT, for_those_behind=True
    ),
    "/peer/v1/standing": Endpoint(
        limits.STANDING_ASKED_BYTES_MAX, _standing, while_recovering=False
    ),
    "/peer/v1/fences": Endpoint(limits.FENCE_BYTES_MAX * 2, _fences, while_recovering=False),
    "/peer/v1/evidence": Endpoint(limits.EVIDENCE_BYTES_MAX, _evidence, EVIDENCE_WEIGHT),
    "/peer/v1/drafts": Endpoint(limits.BALLOT_FENCE_BYTES_MAX, _by(decrees.receive_news)),
    "/peer/v1/ballots": Endpoint(
        limits.BALLOT_FENCE_BYTES_MAX,
        _by(decrees.answer_fence),
        begins_a_ballot=True,
        while_recovering=False,
    ),
    "/peer/v1/proposals": Endpoint(
        limits.PROPOSAL_BYTES_MAX, _by(decrees.answer_proposal), while_recovering=False
    ),
    "/peer/v1/prepared": Endpoint(
        limits.DECREE_BYTES_MAX, _by(decrees.answer_prepared), while_recovering=False
    ),
    "/peer/v1/decrees": Endpoint(limits.PROPOSAL_BYTES_MAX, _decrees),
    "/peer/v1/suspensions": Endpoint(
        limits.SUSPENSION_BYTES_MAX, _by(measures.receive), MEASURE_WEIGHT
    ),
    "/peer/v1/following": Endpoint(limits.HELLO_BYTES_MAX, _following, for_those_behind=True),
}
