"""The worker's steps of a decree: tell drafts round, drive a ballot, fetch what we missed.

Whoever proposed the draft drives it at once; the others wait longer and longer in the order of
their names, so that a ballot that stalls is replaced and two seldom meet. The ballot itself is
`node.worker.ballots`'.  LEDGER 5.
"""

import hashlib
from collections.abc import Callable
from concurrent.futures import Executor, as_completed

import structlog

from node.installation import Node
from node.services import decrees, restores, seats
from node.transport import TransportFailure
from node.worker.ballots import Ballots
from node.worker.calls import others, post
from node.worker.ledger import Lines, pull
from protocol import Charter, ProtocolError, SignedDocument, decree

DRAFTS_PATH = "/peer/v1/drafts"
DECREES_PATH = "/peer/v1/decrees"
FOLLOWING_PATH = "/peer/v1/following"
# One after the other takes a stalled ballot over; a whole decree takes a second on a good line.
TURN_S = 5
# How long an epoch may stand still before we propose to end it with nothing changed: some rounds of
# turns, in which what we stopped for comes about if it can at all.
STANDSTILL_S = 60
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
        self._ballots = Ballots(node, self._lines)
        # Member and draft -> the digest of what it was told, and when it may be told again.
        self._told: dict[tuple[str, bytes], tuple[bytes, float]] = {}
        self._ask_at = 0.0
        self._turn_at: float | None = None
        self._stopped_at: float | None = None
        # How many of our ballots came to nothing, so that another draft gets its turn.
        self._failed = 0

    def step(self) -> bool:
        """Tell, ask and propose what is due; True when the charter changed."""
        node = self._node
        with node.database.reading() as session:
            charter = node.context.charter(session)
            is_recovering = restores.is_recovering(session)
            seat = seats.seat(session, charter)
            drafts = decrees.open_drafts(session, node.context)
        if is_recovering or node.context.member_id not in charter.by_id:
            # It learns what was decided, and says nothing until it has rejoined, or is brought in.
            return self._fetch_following(hurried=True)
        stands_still = self._stands_still(seat)
        if drafts or stands_still:
            with node.database.transaction() as session:
                offered = stands_still and decrees.offer_way_out(session, node.context)
                if decrees.approve_by_ourselves(session, node.context) or offered:
                    drafts = decrees.open_drafts(session, node.context)
        for each in drafts:
            self._tell(charter, each)
        if self._fetch_following(hurried=seat.is_stopped):
            return True
        return self._propose(charter, seat)

    def _stands_still(self, seat: decree.Seat) -> bool:
        """Whether we stopped for a decree so long ago that it may never come.

        A member in bad faith can approve of a draft, let others stop for it, and take that back.
        """
        if seat.promised == 0:
            self._stopped_at = None
            return False
        now = self._node.clock.monotonic()
        if self._stopped_at is None:
            self._stopped_at = now
        return now - self._stopped_at >= STANDSTILL_S

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
                        self._ballots.forget()
                        self._turn_at, self._stopped_at = None, None
                        self._ask_at, self._failed = 0.0, 0
                        return True
            except ProtocolError as refusal:
                log.warning("a decree was refused", peer=member, code=refusal.code)
                return False
            with self._node.database.reading() as session:
                charter = self._node.context.charter(session)
                known = decrees.newest(session, self._node.context)
            for each in others(self._node, known):
                pull(self._node, each)
            # Whoever told us of the decree may have kept back an order that its cut carries.
            for each in others(self._node, charter):
                self._note_following(charter, each)
        return False

    # --- Our own ballot. ---

    def _propose(self, charter: Charter, seat: decree.Seat) -> bool:
        node, now = self._node, self._node.clock.monotonic()
        with node.database.reading() as session:
            requests = decrees.ready(session, node.context)
        if not requests:
            self._turn_at = None
            return False
        request = requests[self._failed % len(requests)]
        if self._turn_at is None:
            self._turn_at = now + TURN_S * _rank(request.draft, charter, node.context.member_id)
        if now < self._turn_at:
            return False
        ballot = self._ballots.next(charter, seat.promised)
        proposer = decree.Proposer(charter, ballot, request.draft, request.approvals)
        found = self._ballots.drive(charter, proposer)
        self._turn_at = now + TURN_S * len(charter.members)
        if found is None:
            self._failed += 1
            log.info("no decree yet", ballot=ballot)
            return False
        if not self._enact(found, node.context.member_id):
            return False
        # Under the charter that ended: those who are told do not know of another one.
        for member in others(node, charter):
            self._lines.call(member, self._posting(charter, member, DECREES_PATH, found))
        log.info("enacted", version=charter.version + 1, ballot=ballot)
        return True

    def _posting(
        self, charter: Charter, member: str, path: str, body: bytes
    ) -> Callable[[], bytes | None]:
        return lambda: post(self._node, charter, member, path, body)


def _rank(draft: SignedDocument, charter: Charter, us: str) -> int:
    """Our turn: the member that signed the draft is first, then by name."""
    signed = {signature.keyid for signature in draft.signatures}
    names = sorted(charter.by_id)
    signers = (member for keyid, (_, member) in charter.every_key.items() if keyid in signed)
    first = min(signers, default=names[0])
    return (names.index(us) - names.index(first)) % len(names)
