"""The worker's delivery steps: send what waits for each peer.  PEER 3.

Every peer has its own queue, thread and connections: one that is away costs the others nothing.
Claim in one transaction, send without any, record what came of it in another. Several envelopes are
on their way to a peer at once, but never two about one subject, so that these keep their order.
"""

import random
import secrets
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import structlog

from node.installation import Node
from node.services import delivery
from node.services.delivery import Outcome, Parcel
from node.transport import CONNECTIONS_PER_PEER, TransportFailure
from protocol import Charter, Keys, errors, limits

ENVELOPES_PATH = "/peer/v1/envelopes"
# With the last attempt (13 s at most) a batch ends well before its lease does.
BATCH_S = 10

log = structlog.get_logger("node.worker.delivery")


class Deliveries:
    """The queues of all peers; `step` sets those in motion that have something due."""

    def __init__(self, node: Node, stopping: threading.Event) -> None:
        self._node = node
        self._stopping = stopping
        self._queues: dict[str, PeerQueue] = {}
        self._running: dict[str, Future[None]] = {}
        self._executor = ThreadPoolExecutor(limits.MEMBERS_MAX, thread_name_prefix="queue")

    def step(self) -> bool:
        """Start the queues that are due and do not run; raise what one of them failed with."""
        with self._node.database.reading() as session:
            due = delivery.due(session, self._node.context)
        for peer in due:
            if peer not in self._running:
                queue = self._queues.setdefault(peer, PeerQueue(self._node, peer, self._stopping))
                self._running[peer] = self._executor.submit(queue.run)
        done = [peer for peer, run in self._running.items() if run.done()]
        for run in [self._running.pop(peer) for peer in done]:
            run.result()
        return False

    def close(self, *, wait: bool) -> None:
        """Wait for what is on its way; what came of it is recorded."""
        self._executor.shutdown(wait=wait)
        for queue in self._queues.values():
            queue.close(wait=wait)


class PeerQueue:
    """One peer's queue, carried out batch by batch until nothing is due."""

    def __init__(self, node: Node, peer: str, stopping: threading.Event) -> None:
        self._node = node
        self._peer = peer
        self._stopping = stopping
        # A name that no other worker has, alive or dead.
        self._lease = secrets.token_hex(8)
        self._senders = ThreadPoolExecutor(CONNECTIONS_PER_PEER, thread_name_prefix=f"to-{peer}")

    def run(self) -> None:
        """Deliver batches while there are any and the peer takes them."""
        while not self._stopping.is_set() and self.deliver():
            pass

    def deliver(self) -> bool:
        """One batch; True when all of it arrived and more may wait."""
        node, context = self._node, self._node.context
        with node.database.transaction() as session:
            charter = context.charter(session)
            parcels = delivery.claim(session, context, self._peer, self._lease)
            if not parcels:
                return False
            keys = delivery.receipt_keys(session, context, parcels)
        outcomes = Batch(node, charter, self._peer, parcels, keys).send(
            self._senders, self._stopping
        )
        with node.database.transaction() as session:
            delivery.record(
                session,
                context,
                self._peer,
                self._lease,
                parcels,
                outcomes,
                jitter=random.random(),  # noqa: S311 (spreads retries, guards nothing)
            )
        _report(self._peer, outcomes)
        return all(outcome.receipt for outcome in outcomes) and len(outcomes) == len(parcels)

    def close(self, *, wait: bool) -> None:
        """Give back the threads."""
        self._senders.shutdown(wait=wait)


class Batch:
    """Parcels on their way to one peer at the same time, those about one subject in a row."""

    def __init__(
        self, node: Node, charter: Charter, peer: str, parcels: Sequence[Parcel], keys: Keys
    ) -> None:
        self._node = node
        self._charter = charter
        self._peer = peer
        self._keys = keys
        self._rows = deque(_in_rows(parcels))
        self._outcomes: list[Outcome] = []
        self._halted = threading.Event()
        self._ends_at = node.clock.monotonic() + BATCH_S

    def send(self, senders: ThreadPoolExecutor, stopping: threading.Event) -> list[Outcome]:
        """Send as much as the time and the peer allow; what was not tried has no outcome."""
        width = min(CONNECTIONS_PER_PEER, len(self._rows))
        for sender in [senders.submit(self._send_rows, stopping) for _ in range(width)]:
            sender.result()
        return self._outcomes

    def _send_rows(self, stopping: threading.Event) -> None:
        while not (self._halted.is_set() or stopping.is_set()):
            if self._node.clock.monotonic() > self._ends_at:
                return
            try:
                row = self._rows.popleft()
            except IndexError:
                return
            for parcel in row:
                outcome = self._attempt(parcel)
                self._outcomes.append(outcome)
                if outcome.receipt is None:
                    # Whatever it was, the rest of this subject waits for what it will mean; and
                    # a peer that gave no answer is not asked again with the rest of the batch.
                    if outcome.failure:
                        self._halted.set()
                    break

    def _attempt(self, parcel: Parcel) -> Outcome:
        outcome = self._post(parcel)
        if outcome.refusal is not None and outcome.refusal.code == errors.NonceReused.code:
            # Sent twice on the way, or an accident of numbers: sign anew, once.
            outcome = self._post(parcel)
        return outcome

    def _post(self, parcel: Parcel) -> Outcome:
        try:
            answer = self._node.transport.post(
                self._charter, self._peer, ENVELOPES_PATH, parcel.envelope
            )
        except TransportFailure as failure:
            return Outcome(parcel, failure=failure.code)
        return delivery.outcome_of(parcel, answer.status, answer.body, self._keys)


def _in_rows(parcels: Sequence[Parcel]) -> list[list[Parcel]]:
    """Parcels about one subject in a row, the rest each in a row of its own."""
    rows: dict[str, list[Parcel]] = {}
    for parcel in parcels:
        rows.setdefault(parcel.subject or f" {parcel.id}", []).append(parcel)
    return list(rows.values())


def _report(peer: str, outcomes: Sequence[Outcome]) -> None:
    delivered = sum(1 for outcome in outcomes if outcome.receipt)
    if delivered:
        log.info("delivered", peer=peer, count=delivered)
    for outcome in outcomes:
        if outcome.refusal is not None:
            log.warning(
                "refused",
                peer=peer,
                code=outcome.refusal.code,
                envelope=outcome.parcel.id,
                request=outcome.refusal.request_id,
            )
        elif outcome.failure:
            log.info("no answer", peer=peer, code=outcome.failure)
