"""How an owner takes its account up: it asks at its start, and fences when it forgot.  SPEC §6.6.

Between two transactions stands the network: a fence is durable before the first member sees it, and
what it leads to before the first order of its incarnation leaves.
"""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, as_completed
from functools import partial
from typing import TypeVar

import structlog

from node.installation import Node
from node.services import restores
from node.services.ledger import evidence, rejoining, tenure
from node.worker.calls import Answer, ask, others
from protocol import (
    FIRST_INCARNATION,
    Charter,
    Order,
    Promises,
    ProtocolError,
    Signed,
    Standing,
    Warrant,
    contradicted,
    superseded,
)

STANDING_PATH = "/peer/v1/standing"
FENCES_PATH = "/peer/v1/fences"
EVIDENCE_PATH = "/peer/v1/evidence"
# Between two rounds that did not bring enough: soon again, and then less often. Not for long:
# what is missing is mostly our own catching up.
PAUSE_FIRST_S = 1
PAUSE_S_MAX = 8
# A member that answers at all does so within one attempt (13 s).
GATHER_S = 20
# At the start payments wait for it: who is up answers at once, who is down is asked again.
STANDING_S = 3

T = TypeVar("T")

log = structlog.get_logger("node.worker.recovery")


class Recovery:
    """Our account between the start of this process and the first order it may open."""

    def __init__(self, node: Node, executor: Executor, *, gather_s: float = GATHER_S) -> None:
        self._node = node
        self._executor = executor
        self._gather_s = gather_s
        self._is_over = self._is_begun = False
        # Who has shown that it knows no more of our account than we do.
        self._agreed: set[str] = set()
        self._promises: Promises | None = None
        self._pause_s = 0
        self._not_before = 0
        # Digest of a proof -> who has it; and how many of the oldest waited in the rounds before.
        self._shown: dict[bytes, set[str]] = {}
        self._skipped = 0

    def is_over(self) -> bool:
        """Whether orders may be opened; if not, one more round is made, when it is due."""
        if self._is_over:
            return True
        if self._node.clock.now() < self._not_before:
            return False
        if self._round():
            self._is_over, self._pause_s = True, 0
            return True
        self._pause_s = min(max(PAUSE_FIRST_S, self._pause_s * 2), PAUSE_S_MAX)
        self._not_before = self._node.clock.now() + self._pause_s
        return False

    def reconsider(self) -> None:
        """Begin a new incarnation when promises of an epoch that has ended allowed ours."""
        node = self._node
        with node.database.transaction() as session:
            if tenure.is_outlived(session, node.context):
                tenure.fence(session, node.context, FIRST_INCARNATION, "epoch")
                self._is_over = False

    def look_at(self, refusals: dict[str, ProtocolError], own: Signed[Order]) -> None:
        """What members refused our open order with: our own signature may be in it."""
        node = self._node
        with node.database.transaction() as session:
            charter, held = node.context.charter(session), tenure.tenure(session, node.context)
            for member, refusal in refusals.items():
                try:
                    twice = contradicted(refusal, own, charter)
                    later = superseded(refusal, node.context.member_id, held, charter)
                except ProtocolError:
                    log.warning("a refusal proves nothing", peer=member, code=refusal.code)
                    continue
                if later is not None:
                    log.error("another machine has taken our account over", incarnation=later)
                    tenure.supersede(session, node.context)
                    return
                if twice is not None:
                    log.error("our key signed another order", peer=member)
                    tenure.fence(session, node.context, twice, "contradicted")
                    self._is_over = False
                    return

    def _round(self) -> bool:
        node = self._node
        if not self._is_begun:
            with node.database.transaction() as session:
                tenure.start(session, node.context)
            self._is_begun = True
        self.reconsider()
        with node.database.reading() as session:
            charter = node.context.charter(session)
            is_recovering = restores.is_recovering(session)
            is_fencing = tenure.tenure(session, node.context).is_fencing
        if is_recovering:
            self._ask_after_restore(charter)
            return False
        return self._send_fence(charter) if is_fencing else self._ask_at_start(charter)

    # --- What peers know of our account. ---

    def _ask_after_restore(self, charter: Charter) -> None:
        """The ledgers themselves are pulled beside this."""
        node = self._node
        for member, standing in self._standings(charter, ()):
            with node.database.transaction() as session:
                rejoining.note_standing(session, node.context, member, standing)

    def _ask_at_start(self, charter: Charter) -> bool:
        """As many as a vote needs anyway have to agree that we know our account to its end."""
        node = self._node
        for member, standing in self._standings(charter, self._agreed):
            with node.database.transaction() as session:
                known = tenure.shown_by(session, node.context, standing)
                if known is not None:
                    log.warning("a peer knows more of our account than we do", peer=member)
                    tenure.fence(session, node.context, known, "forgotten")
                    return False
            self._agreed.add(member)
        # Everybody is heard who answers soon, though fewer are enough: a single member may be the
        # one that locked what we forgot, and signing another order would accuse us.
        return len(self._agreed) >= charter.q - 1

    def _standings(
        self, charter: Charter, but: set[str] | tuple[()]
    ) -> Iterator[tuple[str, Standing]]:
        asked = [member for member in others(self._node, charter) if member not in but]
        within_s = min(self._gather_s, STANDING_S)
        for member, answer in self._ask_all(charter, asked, STANDING_PATH, b"{}", within_s):
            if isinstance(answer, bytes) and (found := _read(Standing.parse, answer, member)):
                yield member, found

    # --- A fence. ---

    def _send_fence(self, charter: Charter) -> bool:
        """Gather promises; True once the account is taken up again."""
        node = self._node
        with node.database.reading() as session:
            held = tenure.tenure(session, node.context)
        promises = self._promises
        if promises is None or promises.fence.document.encode() != held.fence:
            promises = self._promises = Promises(held, charter)
        asked = [each for each in others(node, charter) if each not in promises.members]
        for member, answer in self._ask_all(charter, asked, FENCES_PATH, held.fence):
            if isinstance(answer, ProtocolError):
                if self._is_outdone(promises, answer, member, charter):
                    return False
            elif answer is not None and (given := _read(Warrant.parse, answer, member)):
                self._count(promises, given, member)
                if self._resume(promises):
                    return True
        # What was missing may have been a certificate that came in meanwhile.
        return self._resume(promises)

    def _resume(self, promises: Promises) -> bool:
        node = self._node
        if not promises.are_enough:
            return False
        with node.database.transaction() as session:
            resumption = tenure.resume(session, node.context, promises)
        if resumption is None:
            log.info("not enough promises yet", members=sorted(promises.members))
            return False
        self._promises = None
        log.info("account taken up again", incarnation=resumption.tenure.incarnation)
        return True

    def _count(self, promises: Promises, given: Warrant, member: str) -> None:
        try:
            promises.add(given, member)
        except ProtocolError as refusal:
            log.warning("a promise was refused", peer=member, code=refusal.code)

    def _is_outdone(
        self, promises: Promises, refusal: ProtocolError, member: str, charter: Charter
    ) -> bool:
        """Whether a later fence is needed: peers know a later incarnation, or forgot this one."""
        node, ours = self._node, promises.fence.body.incarnation
        with node.database.transaction() as session:
            held = tenure.tenure(session, node.context)
            try:
                promises.refused(refusal, member)
                later = superseded(refusal, node.context.member_id, held, charter)
            except ProtocolError:
                return False
            if promises.is_hopeless:
                later = ours
            if later is None or later < ours:
                return False
            tenure.fence(session, node.context, later, "outdone")
        self._promises = None
        return True

    # --- Evidence. ---

    def tell_evidence(self) -> bool:
        """Show every member what proves that an owner signed twice, until all of them have it."""
        node = self._node
        with node.database.reading() as session:
            charter = node.context.charter(session)
            waiting = evidence.untold(session, self._skipped)
        for account, proof in waiting:
            shown = self._shown.setdefault(_mark(proof), set())
            missing = [member for member in others(node, charter) if member not in shown]
            answers = self._ask_all(charter, missing, EVIDENCE_PATH, proof)
            shown.update(member for member, answer in answers if isinstance(answer, bytes))
            # The accused is told, and does not decide whether everybody was.
            if shown >= {*others(node, charter)} - {account}:
                del self._shown[_mark(proof)]
                with node.database.transaction() as session:
                    evidence.note_told(session, node.context, proof)
        # One who is away or refuses keeps its proofs waiting, and not those behind them.
        left = sum(_mark(proof) in self._shown for _, proof in waiting)
        self._skipped = self._skipped + left if waiting else 0
        return False

    def _ask_all(
        self,
        charter: Charter,
        members: list[str],
        path: str,
        body: bytes,
        within_s: float | None = None,
    ) -> Iterator[tuple[str, Answer]]:
        """Everybody at once, each answer as it comes; who is too late has not answered."""
        calls: dict[Future[Answer], str] = {
            self._executor.submit(partial(ask, self._node, charter, member, path, body)): member
            for member in members
        }
        try:
            for done in as_completed(calls, within_s or self._gather_s):
                yield calls[done], done.result()
        except TimeoutError:
            log.info("somebody keeps us waiting", path=path)


def _mark(proof: bytes) -> bytes:
    return hashlib.sha256(proof).digest()


def _read(parse: Callable[[bytes], T], body: bytes, member: str) -> T | None:
    try:
        return parse(body)
    except ProtocolError as refusal:
        log.warning("an answer cannot be read", peer=member, code=refusal.code)
        return None
