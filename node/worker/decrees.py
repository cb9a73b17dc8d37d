"""The worker's steps of a decree: tell drafts round, drive a ballot, fetch what we missed.

A proposer keeps nothing durable. Whoever proposed the draft drives it at once; the others wait
longer and longer in the order of their names, so that a ballot that stalls is replaced and two
seldom meet. Every answer is durable at its member before it comes here.  LEDGER 5.
"""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, as_completed

import structlog

from node.installation import Node
from node.services import decrees, ledger, restores, seats
from node.transport import TransportFailure
from node.worker.calls import post
from node.worker.ledger import CERTIFICATES_PATH, Lines, pull
from protocol import Charter, Cut, Need, OrderAnswer, ProtocolError, SignedDocument, decree

DRAFTS_PATH = "/peer/v1/drafts"
BALLOTS_PATH = "/peer/v1/ballots"
PROPOSALS_PATH = "/peer/v1/proposals"
PREPARED_PATH = "/peer/v1/prepared"
DECREES_PATH = "/peer/v1/decrees"
FOLLOWING_PATH = "/peer/v1/following"
# One after the other takes a stalled ballot over; a whole decree takes a second on a good line.
TURN_S = 5
# A member that answers at all does so within one attempt (13 s) and what it says it needs first.
GATHER_S = 30
# How often a member that did not answer is told of a draft again.
TELL_AGAIN_S = 5
# How often we ask whether there is a version that we missed, and at once when we have stopped.
ASK_S = 30
# A newcomer reads the charters of years in a few steps, and answers a call to stop in between.
VERSIONS_AT_ONCE = 64
ASKED_AT_ONCE = 4

log = structlog.get_logger("node.worker.decrees")


class DecreeRounds:
    """Our part in the decree that will end the epoch."""

    def __init__(self, node: Node, executor: Executor) -> None:
        self._node = node
        self._lines = Lines(executor, ASKED_AT_ONCE)
        # Member and draft -> the digest of what it was told, and when it may be told again.
        self._told: dict[tuple[str, bytes], tuple[bytes, float]] = {}
        self._ask_at = 0.0
        self._turn_at: float | None = None

    def step(self) -> bool:
        """Tell, ask and propose what is due; True when the charter changed."""
        node = self._node
        with node.database.reading() as session:
            charter = node.context.charter(session)
            is_recovering = restores.is_recovering(session)
            stopped = seats.is_stopped(session, charter)
            drafts = decrees.open_drafts(session, node.context)
        if is_recovering or node.context.member_id not in charter.by_id:
            # It learns what was decided, and says nothing until it has rejoined, or is brought in.
            return self._fetch_following(hurried=True)
        if drafts and not stopped:
            with node.database.transaction() as session:
                if decrees.approve_by_ourselves(session, node.context):
                    drafts = decrees.open_drafts(session, node.context)
        for each in drafts:
            self._tell(charter, each)
        if self._fetch_following(hurried=stopped):
            return True
        return self._propose(charter)

    def _tell(self, charter: Charter, told: decree.DraftNews) -> None:
        """Tell everybody who has not heard this yet, at once and side by side."""
        body, now = told.encode(), self._node.clock.monotonic()
        mark = hashlib.sha256(body).digest()
        calls = {}
        for member in others(self._node, charter):
            before, again_at = self._told.get((member, told.draft.digest), (b"", 0.0))
            if before == mark or now < again_at:
                continue
            call = self._lines.call(member, self._posting(charter, member, DRAFTS_PATH, body))
            if call is not None:
                calls[call] = member
        for call in as_completed(calls):
            member, answer = calls[call], call.result()
            again_at = now + TELL_AGAIN_S if answer is None else 0.0
            heard = b"" if answer is None else mark
            self._told[member, told.draft.digest] = heard, again_at
            if answer is not None:
                self._hear(answer, member)

    def _hear(self, body: bytes, member: str) -> None:
        try:
            with self._node.database.transaction() as session:
                decrees.receive_news(session, self._node.context, body)
        except ProtocolError as refusal:
            log.warning("news of a draft were refused", peer=member, code=refusal.code)

    def _fetch_following(self, *, hurried: bool) -> bool:
        """Ask for versions that we may have missed; True when the next one is in force now."""
        now = self._node.clock.monotonic()
        if now < self._ask_at:
            return False
        self._ask_at = now + (TURN_S if hurried else ASK_S)
        for _ in range(VERSIONS_AT_ONCE):
            with self._node.database.reading() as session:
                known = decrees.newest(session, self._node.context)
            if not any(self._note_following(known, each) for each in others(self._node, known)):
                break
        with self._node.database.reading() as session:
            waiting = decrees.waiting(session)
        return waiting is not None and self._enact(waiting, self._node.context.member_id)

    def _note_following(self, known: Charter, member: str) -> bool:
        """Fetch the version after the newest that we know; True when a member has one."""
        transport = self._node.transport
        try:
            body = transport.fetch_proof(known, member, FOLLOWING_PATH, b"{}")
        except TransportFailure as failure:
            log.info("no answer", peer=member, path=FOLLOWING_PATH, code=failure.code)
            return False
        try:
            with self._node.database.transaction() as session:
                return body != b"{}" and decrees.note(session, self._node.context, body)
        except ProtocolError as refusal:
            log.warning("a decree was refused", peer=member, code=refusal.code)
            return False

    def _enact(self, body: bytes, member: str) -> bool:
        """Take a decree into force, after fetching what lies within its cut."""
        for _ in range(2):
            try:
                with self._node.database.transaction() as session:
                    if decrees.enact(session, self._node.context, body):
                        self._told.clear()
                        self._turn_at, self._ask_at = None, 0.0
                        return True
            except ProtocolError as refusal:
                log.warning("a decree was refused", peer=member, code=refusal.code)
                return False
            with self._node.database.reading() as session:
                known = decrees.newest(session, self._node.context)
            for each in others(self._node, known):
                pull(self._node, each)
        return False

    # --- Our own ballot. ---

    def _propose(self, charter: Charter) -> bool:
        node, now = self._node, self._node.clock.monotonic()
        with node.database.reading() as session:
            request = decrees.ready(session, node.context)
            promised = seats.seat(session, charter).promised
        if request is None:
            self._turn_at = None
            return False
        if self._turn_at is None:
            self._turn_at = now + TURN_S * _rank(request.draft, charter, node.context.member_id)
        if now < self._turn_at:
            return False
        ballot = decree.next_ballot(promised, charter, node.context.member_id)
        found = self._ballot(
            charter, decree.Proposer(charter, ballot, request.draft, request.approvals)
        )
        self._turn_at = now + TURN_S * len(charter.members)
        if found is None:
            log.info("no decree yet", ballot=ballot)
            return False
        if not self._enact(found, node.context.member_id):
            return False
        # Under the charter that ended: those who are told do not know of another one.
        for member in others(node, charter):
            self._lines.call(member, self._posting(charter, member, DECREES_PATH, found))
        log.info("enacted", version=charter.version + 1, ballot=ballot)
        return True

    def _ballot(self, charter: Charter, proposer: decree.Proposer) -> bytes | None:
        """One ballot from the fence to the decree; None when it came to nothing."""
        orders: dict[bytes, SignedDocument] = {}

        def report(body: bytes) -> bool:
            answer = decree.FenceAnswer.parse(body)
            proposer.add_report(answer)
            orders.update({order.digest: order for order in answer.orders})
            return len(proposer.reporters) >= charter.q

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

        self._gather(charter, PREPARED_PATH, prepared.encode(), commit)
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
        self, charter: Charter, path: str, body: bytes, take: Callable[[bytes], bool]
    ) -> None:
        """Ask everybody, ourselves first; stop waiting as soon as `take` says it is enough."""
        mine = self._ours(path, body)
        if mine is not None and _taken(take, mine, self._node.context.member_id):
            return
        calls = {}
        for member in others(self._node, charter):
            call = self._lines.call(member, self._asking(charter, member, path, body))
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
        except ProtocolError as refusal:
            log.info("we refuse our own ballot", path=path, code=refusal.code)
            return None

    def _posting(
        self, charter: Charter, member: str, path: str, body: bytes
    ) -> Callable[[], bytes | None]:
        return lambda: post(self._node, charter, member, path, body)

    def _asking(
        self, charter: Charter, member: str, path: str, body: bytes
    ) -> Callable[[], bytes | None]:
        """Ask, send what the member says it lacks, and ask once more."""

        def ask() -> bytes | None:
            answer = post(self._node, charter, member, path, body)
            if answer is None or path != PROPOSALS_PATH:
                return answer
            need = OrderAnswer.parse(answer).need
            if need is None:
                return answer
            with self._node.database.reading() as session:
                lacking = ledger.certificates(session, need)
            for certificate in lacking:
                if post(self._node, charter, member, CERTIFICATES_PATH, certificate) is None:
                    return None
            return post(self._node, charter, member, path, body)

        return ask


def others(node: Node, charter: Charter) -> Iterator[str]:
    """Everybody but ourselves, in the charter's order."""
    return (m.id for m in charter.members if m.id != node.context.member_id)


def _rank(draft: SignedDocument, charter: Charter, us: str) -> int:
    """Our turn: the member whose node signed the draft is first, then by name."""
    signed = {signature.keyid for signature in draft.signatures}
    names = sorted(charter.by_id)
    first = next((m.id for m in charter.members if m.verify_key.keyid in signed), names[0])
    return (names.index(us) - names.index(first)) % len(names)


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
