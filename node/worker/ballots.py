"""Our own ballot, from the fence to the decree: ask everybody, count, and stop when it is enough.

A proposer keeps nothing durable. Every answer is durable at its member before it comes here.
LEDGER 5, SPEC Decrees.
"""

from collections.abc import Callable
from concurrent.futures import as_completed

import structlog

from node.installation import Node
from node.keyring import KeyNotHeld
from node.services import decrees, ledger
from node.worker.calls import ask, others, post
from node.worker.ledger import CERTIFICATES_PATH, Lines, pull
from protocol import (
    Charter,
    Cut,
    Need,
    OrderAnswer,
    ProtocolError,
    SignedDocument,
    decree,
    errors,
    limits,
)

BALLOTS_PATH = "/peer/v1/ballots"
PROPOSALS_PATH = "/peer/v1/proposals"
PREPARED_PATH = "/peer/v1/prepared"
# A member that answers at all does so within one attempt (13 s) and what it says it needs first.
GATHER_S = 30
# A member that somebody let lag behind is raised by so many steps in one ballot, and goes on from
# there in the next: each costs it a signature and a commit.
STEPS_MAX = 16

log = structlog.get_logger("node.worker.ballots")


class Ballots:
    """The ballots that we drive, and the highest that somebody refused ours for."""

    def __init__(self, node: Node, lines: Lines) -> None:
        self._node, self._lines = node, lines
        self._heard = 0

    def next(self, charter: Charter, promised: int) -> int:
        """Our next number: above what we have promised and what others said they had.

        A liar may say anything, so a word takes us no further than one step, which everybody that
        stands where we stand can take.
        """
        step = limits.BALLOT_STEP_MAX - 2 * len(charter.members)
        above = min(max(promised, self._heard), promised + step)
        return decree.next_ballot(above, charter, self._node.context.member_id)

    def forget(self) -> None:
        """The epoch has ended, and its ballots with it."""
        self._heard = 0

    def drive(self, charter: Charter, proposer: decree.Proposer) -> bytes | None:
        """One ballot from the fence to the decree; None when it came to nothing."""
        orders: dict[bytes, SignedDocument] = {}

        def report(body: bytes) -> bool:
            answer = decree.FenceAnswer.parse(body)
            proposer.add_report(answer)
            orders.update({order.digest: order for order in answer.orders})
            with self._node.database.reading() as session:
                return proposer.is_reported(ledger.SQLBooks(session).vector())

        self._gather(charter, BALLOTS_PATH, proposer.request.encode(), report)
        proposal = self._proposal(charter, proposer)
        if proposal is None:
            return None

        def prepare(body: bytes) -> bool:
            _count(proposer, body)
            return proposer.prepared() is not None

        self._gather(charter, PROPOSALS_PATH, proposal.encode(), prepare)
        prepared = proposer.prepared()
        if prepared is None:
            return None

        def commit(body: bytes) -> bool:
            _count(proposer, body)
            return proposer.decree() is not None

        self._gather(charter, PREPARED_PATH, prepared.encode(), commit, proposal.encode())
        found = proposer.decree()
        if found is None:
            return None
        carried = {d for each in _cut(found).carried.values() for d in each}
        kept = tuple(order for digest, order in orders.items() if digest in carried)
        return decree.Enacted(found, kept).encode()

    def _proposal(self, charter: Charter, proposer: decree.Proposer) -> decree.Proposal | None:
        for _ in range(2):
            with self._node.database.reading() as session:
                proposal = proposer.proposal(ledger.SQLBooks(session))
            if not isinstance(proposal, Need):
                return proposal
            for member in others(self._node, charter):
                pull(self._node, member)
        return None

    def _gather(
        self,
        charter: Charter,
        path: str,
        body: bytes,
        take: Callable[[bytes], bool],
        proposal: bytes = b"",
    ) -> None:
        """Ask everybody, ourselves first; stop waiting as soon as `take` says it is enough.

        A member that lacks what the question builds on is sent the `proposal` before it.
        """
        mine = self._ours(path, body)
        if mine is not None and _taken(take, mine, self._node.context.member_id):
            return
        calls = {}
        for member in others(self._node, charter):
            call = self._lines.call(member, self._asking(charter, member, path, body, proposal))
            if call is not None:
                calls[call] = member
        try:
            for call in as_completed(calls, GATHER_S):
                answer = call.result()
                if answer is not None and _taken(take, answer, calls[call]):
                    return
        except TimeoutError:
            log.info("somebody keeps us waiting", path=path)

    def _ours(self, path: str, body: bytes) -> bytes | None:
        answer = {
            BALLOTS_PATH: decrees.answer_fence,
            PROPOSALS_PATH: decrees.answer_proposal,
            PREPARED_PATH: decrees.answer_prepared,
        }[path]
        try:
            with self._node.database.transaction() as session:
                return answer(session, self._node.context, body)
        except (ProtocolError, KeyNotHeld) as refusal:
            log.info("we refuse our own ballot", path=path, code=refusal.code)
            return None

    def _asking(
        self, charter: Charter, member: str, path: str, body: bytes, proposal: bytes
    ) -> Callable[[], bytes | None]:
        if path == BALLOTS_PATH:
            return lambda: self._fenced(charter, member, body)
        if path == PROPOSALS_PATH:
            return lambda: self._prepared(charter, member, body)
        return lambda: self._committed(charter, member, body, proposal)

    def _fenced(self, charter: Charter, member: str, body: bytes) -> bytes | None:
        """A member's report, after raising it step by step to where the others stand."""
        request = decree.FenceRequest.parse(body)
        for _ in range(STEPS_MAX):
            answer = ask(self._node, charter, member, BALLOTS_PATH, body)
            if not isinstance(answer, errors.BallotStale):
                return answer if isinstance(answer, bytes) else None
            promised, highest = (answer.facts.get(name) for name in ("promised", "highest"))
            if type(promised) is not int or type(highest) is not int:
                return None
            if request.ballot <= promised or not promised < highest < request.ballot:
                self._heard = max(self._heard, promised)
                return None
            step = decree.FenceRequest(highest, request.draft, request.approvals)
            if post(self._node, charter, member, BALLOTS_PATH, step.encode()) is None:
                return None
        return None

    def _prepared(self, charter: Charter, member: str, body: bytes) -> bytes | None:
        """A member's vote, after sending what it says it lacks."""
        answer = post(self._node, charter, member, PROPOSALS_PATH, body)
        if answer is None:
            return None
        try:
            need = OrderAnswer.parse(answer).need
        except ProtocolError as refusal:
            log.warning("an answer cannot be read", peer=member, code=refusal.code)
            return None
        if need is None:
            return answer
        with self._node.database.reading() as session:
            lacking = ledger.certificates(session, need)
        for certificate in lacking:
            if post(self._node, charter, member, CERTIFICATES_PATH, certificate) is None:
                return None
        return post(self._node, charter, member, PROPOSALS_PATH, body)

    def _committed(
        self, charter: Charter, member: str, body: bytes, proposal: bytes
    ) -> bytes | None:
        """A member's vote, after sending the proposal if it has not seen it."""
        answer = ask(self._node, charter, member, PREPARED_PATH, body)
        if isinstance(answer, errors.ProposalInvalid):
            self._prepared(charter, member, proposal)
            return post(self._node, charter, member, PREPARED_PATH, body)
        return answer if isinstance(answer, bytes) else None


def _count(proposer: decree.Proposer, body: bytes) -> None:
    vote = OrderAnswer.parse(body).vote
    if vote is not None:
        proposer.add_vote(vote)


def _cut(found: decree.Decree) -> Cut:
    cut = found.motion.charter.cut
    assert cut is not None
    return cut


def _taken(take: Callable[[bytes], bool], body: bytes, member: str) -> bool:
    try:
        return take(body)
    except ProtocolError as refusal:
        log.warning("an answer was refused", peer=member, code=refusal.code)
        return False
