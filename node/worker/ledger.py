"""The ledger's steps of the worker: drive our open order to its certificate, catch up.  SPEC §6.

Between two transactions stands the network: the order is durable before the first member is asked,
the certificate before the first is told. Whoever was away gets it by its own pull.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, as_completed
from functools import partial
from typing import TypeVar

import structlog

from node.installation import Node
from node.services import decrees, ledger
from node.services.ledger import tenure
from node.worker.calls import ask, others, post
from node.worker.recovery import Recovery
from protocol import (
    FIRST_INCARNATION,
    Ballot,
    Charter,
    Order,
    OrderAnswer,
    OrderRequest,
    ProtocolError,
    PullAnswer,
    Signed,
    SignedDocument,
)

ORDERS_PATH = "/peer/v1/orders"
CERTIFICATES_PATH = "/peer/v1/certificates"
PULL_PATH = "/peer/v1/pull"
# A member that lacks more than this catches up by its own pull before it can vote.
CERTIFICATES_SENT_MAX = 64
# Pages of one pull in one step; a member away for a month goes on in the next step.
PAGES_MAX = 50
# After a round without a quorum: soon again, and then less and less often.
PAUSE_FIRST_S = 1
PAUSE_S_MAX = 60
# A member that answers at all does so within one attempt (13 s) and what it says it needs first.
GATHER_S = 30
# One that holds its line open keeps these threads and no more; `CALLS_AT_ONCE` has many times that.
ASKED_AT_ONCE = 2
TOLD_AT_ONCE = 4

T = TypeVar("T")

log = structlog.get_logger("node.worker.ledger")


class Lines:
    """Calls to each member, a few at once: whoever keeps us waiting only keeps its own calls."""

    def __init__(self, executor: Executor, most: int) -> None:
        self._executor = executor
        self._free: dict[str, threading.Semaphore] = {}
        self._most = most

    def call(self, member: str, do: Callable[[], T]) -> Future[T] | None:
        """Begin a call; None when as many to this member are under way as may be."""
        free = self._free.setdefault(member, threading.Semaphore(self._most))
        if not free.acquire(blocking=False):
            return None
        begun = self._executor.submit(do)
        begun.add_done_callback(lambda _: free.release())
        return begun


class LedgerRounds:
    """Our account's rounds: one open order at a time, asked of everybody at once."""

    def __init__(self, node: Node, executor: Executor, *, gather_s: float = GATHER_S) -> None:
        self._node = node
        self._gather_s = gather_s
        self._asking = Lines(executor, ASKED_AT_ONCE)
        self._telling = Lines(executor, TOLD_AT_ONCE)
        self._pause_s = 0
        self._not_before = 0
        # An order that was opened when the last was certified, and the last one's certificate.
        self._next: tuple[Signed[Order], bytes] | None = None
        self._recovery = Recovery(node, executor, gather_s=gather_s)

    @property
    def recovery(self) -> Recovery:
        """How this process takes our account up."""
        return self._recovery

    def step(self) -> bool:
        """Certify our open order, or open one; True when a certificate was made."""
        node = self._node
        if not self._recovery.is_over():
            return False
        if node.clock.now() < self._not_before or not self._has_work():
            return False
        order, before, charter = self._open()
        if order is None:
            # A new charter has ended what our incarnation was allowed by, perhaps.
            self._recovery.reconsider()
            return False
        ballot = ledger.new_ballot(order, charter)
        refusals = self._gather(ballot, charter, self._request(order, before))
        if not ballot.is_complete:
            if refusals:
                self._recovery.look_at(refusals, order)
            self._pause_s = min(max(PAUSE_FIRST_S, self._pause_s * 2), PAUSE_S_MAX)
            self._not_before = node.clock.now() + self._pause_s
            log.info("no quorum yet", sequence=order.body.sequence, voters=len(ballot.voters))
            return False
        self._pause_s = 0
        with node.database.transaction() as session:
            certificate = ledger.certify(session, node.context, ballot)
            following = ledger.open_order(session, node.context)
        if following is None:
            self._tell(charter, certificate.data)
        else:
            self._next = (following, certificate.data)
        log.info("certified", sequence=order.body.sequence, entries=len(order.body.entries))
        return True

    def _open(self) -> tuple[Signed[Order] | None, bytes | None, Charter]:
        """Our open order, the certificate that goes out with it, and the charter in force."""
        node, opened, self._next = self._node, self._next, None
        if opened is not None:
            with node.database.reading() as session:
                charter = node.context.charter(session)
            # One that was opened in an epoch that has ended since is written anew.
            if opened[0].body.epoch == charter.epoch:
                return *opened, charter
        with node.database.transaction() as session:
            charter = node.context.charter(session)
            return ledger.open_order(session, node.context), None, charter

    def _has_work(self) -> bool:
        with self._node.database.reading() as session:
            return ledger.has_work(session, self._node.context)

    def _request(self, order: Signed[Order], before: bytes | None) -> bytes:
        """What is sent: the order, the certificate before it, and what allows its incarnation."""
        warrant = b""
        if order.body.incarnation != FIRST_INCARNATION:
            with self._node.database.reading() as session:
                warrant = tenure.tenure(session, self._node.context).warrant
        return OrderRequest(order.document, before, warrant).encode()

    def _gather(self, ballot: Ballot, charter: Charter, order: bytes) -> dict[str, ProtocolError]:
        """Ask every other member; stop waiting as soon as a quorum has voted; who refused."""
        asked, refusals = {}, {}
        for member in others(self._node, charter):
            call = self._asking.call(member, partial(_ask, self._node, charter, member, order))
            if call is not None:
                asked[call] = member
        try:
            for answered in as_completed(asked, self._gather_s):
                vote, member = answered.result(), asked[answered]
                if isinstance(vote, ProtocolError):
                    refusals[member] = vote
                elif vote is not None:
                    _count(ballot, vote, member)
                if ballot.is_complete:
                    break
        except TimeoutError:
            log.info("somebody keeps us waiting", voters=len(ballot.voters))
        return refusals

    def _tell(self, charter: Charter, certificate: bytes) -> None:
        """Broadcast a certificate; a member that misses it pulls it later."""
        for member in others(self._node, charter):
            self._telling.call(member, partial(_send, self._node, charter, member, certificate))


def _count(ballot: Ballot, vote: SignedDocument, voter: str) -> None:
    try:
        ballot.add(vote, voter)
    except ProtocolError as refusal:
        log.warning("a vote was refused", peer=voter, code=refusal.code)


def _ask(
    node: Node, charter: Charter, member: str, order: bytes
) -> SignedDocument | ProtocolError | None:
    """A member's vote, after sending what it says it needs, or its refusal; None: neither now."""
    for _ in range(2):
        answer = _order_answer(node, charter, member, order)
        if answer is None or isinstance(answer, ProtocolError):
            return answer
        if answer.vote is not None:
            return answer.vote
        if answer.certificate is not None:
            _take(node, member, answer.certificate)
            return None
        with node.database.reading() as session:
            lacking = ledger.certificates(session, answer.need or {})
        for certificate in lacking[:CERTIFICATES_SENT_MAX]:
            if not _send(node, charter, member, certificate):
                return None
    return None


def _take(node: Node, member: str, certificate: bytes) -> None:
    """Apply what a member says has settled the place; what proves nothing stops no round."""
    try:
        with node.database.transaction() as session:
            ledger.receive_certificate(session, node.context, certificate)
    except ProtocolError as refusal:
        log.warning("a certificate was refused", peer=member, code=refusal.code)


def _order_answer(
    node: Node, charter: Charter, member: str, order: bytes
) -> OrderAnswer | ProtocolError | None:
    body = ask(node, charter, member, ORDERS_PATH, order)
    if not isinstance(body, bytes):
        return body
    try:
        return OrderAnswer.parse(body)
    except ProtocolError as refusal:
        log.warning("an answer cannot be read", peer=member, code=refusal.code)
        return None


def _send(node: Node, charter: Charter, member: str, certificate: bytes) -> bool:
    return post(node, charter, member, CERTIFICATES_PATH, certificate) is not None


def pull(node: Node, member: str) -> int:
    """Fetch what a member has and we lack; the number of certificates that were new."""
    new = 0
    for _ in range(PAGES_MAX):
        with node.database.reading() as session:
            charter = decrees.newest(session, node.context)
            question = ledger.pull_body(session, node.context)
        body = post(node, charter, member, PULL_PATH, question)
        if body is None:
            return new
        answer = _page(body, member)
        if answer is None:
            return new
        try:
            with node.database.transaction() as session:
                fresh = ledger.absorb(session, node.context, answer)
                ledger.remember(session, node.context, member, answer)
        except ProtocolError as refusal:
            log.warning("a page was refused", peer=member, code=refusal.code)
            return new
        new += fresh
        # A page that brought nothing new would only come again.
        if not answer.more or not fresh:
            return new
    return new


def _page(body: bytes, member: str) -> PullAnswer | None:
    try:
        return PullAnswer.parse(body)
    except ProtocolError as refusal:
        log.warning("an answer cannot be read", peer=member, code=refusal.code)
        return None
