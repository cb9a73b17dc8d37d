"""The worker: everything a node does by itself, in lanes beside one another.  PEER 3, STYLE 25.

Each lane is a thread with one step of one topic. `Worker(node).run()` ends cleanly after
`stop_soon()`: every lane finishes the step it is in, and what was sent is recorded. A worker that
is killed leaves nothing half done: a step writes down what it will do, does it, and writes down
what came of it.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import structlog

from node.greeting import greet
from node.installation import Node
from node.services import (
    consents,
    departing,
    erasures,
    membership,
    nonces,
    restores,
    retention,
)
from node.services.charter import has_left, if_any
from node.services.delivery import reachable, release_all
from node.services.inbox import forget_refused
from node.services.referrals import reminders
from node.worker.applicants import drive_imports, tidy_uploads
from node.worker.bounces import BounceRounds
from node.worker.decrees import DecreeRounds
from node.worker.delivery import Deliveries
from node.worker.folder import FolderRounds
from node.worker.inbox import Handling
from node.worker.interest import end_questions
from node.worker.keys import drop_drained_keys
from node.worker.lane import Lane
from node.worker.ledger import LedgerRounds, pull
from node.worker.measures import SuspensionRounds
from node.worker.notices import send_due_mails, send_due_notices
from node.worker.throttle import Throttle

# How soon a lane sees what another process wrote; a person does not notice it.
LOOK_S = 0.25
# Mail is looked for less often: its server needs longer than this for one message.
LOOK_FOR_MAIL_S = 1.0
HOUSEKEEPING_S = 60
# What is due today need not go this minute, and to look for it reads every applicant.
RETENTION_S = 3600
# The decree that we are not in any more is heeded after a second, as at the door.
MEMBER_S = 1.0
# An orderly end waits for one attempt to a peer that does not answer, and its records.
STOP_S = 30
# Orders are asked of all members at once, certificates told to all at once.
CALLS_AT_ONCE = 32

log = structlog.get_logger("node.worker")


class Worker:
    """The lanes of one node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._is_member, self._asked_at = False, -MEMBER_S
        self._stopping = threading.Event()
        self._executor = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="call")
        self._deliveries = Deliveries(node, self._stopping)
        handling = Handling(node)
        rounds = LedgerRounds(node, self._executor)
        suspensions = SuspensionRounds(node, self._executor)
        agreement = DecreeRounds(node, self._executor)
        throttle = Throttle(node.settings.mails_per_domain_minute)
        folder = FolderRounds(node)
        pulls = EachPeer(node, self._executor, lambda peer: pull(node, peer))
        self._lanes = [
            self._peer_lane("hello", Greeting(node, self._executor).step, rest_s=LOOK_S),
            self._peer_lane("delivery", self._deliveries.step, rest_s=LOOK_S),
            self._peer_lane("inbox", lambda: self._then_wake(handling.step), rest_s=LOOK_S),
            self._peer_lane("orders", rounds.step, rest_s=LOOK_S),
            Lane("decrees", lambda: self._agree(agreement), rest_s=LOOK_S),
            self._peer_lane("pull", pulls.step, rest_s=node.settings.pull_interval_s),
            self._peer_lane("suspensions", suspensions.step, rest_s=LOOK_FOR_MAIL_S),
            self._peer_lane("evidence", rounds.recovery.tell_evidence, rest_s=HOUSEKEEPING_S),
            Lane("mails", lambda: send_due_mails(node) > 0, rest_s=LOOK_FOR_MAIL_S),
            Lane("notices", lambda: send_due_notices(node, throttle) > 0, rest_s=LOOK_FOR_MAIL_S),
            Lane("imports", lambda: drive_imports(node) or folder.step(), rest_s=LOOK_FOR_MAIL_S),
            Lane("bounces", BounceRounds(node).step, rest_s=HOUSEKEEPING_S),
            Lane("housekeeping", lambda: _keep_house(node), rest_s=HOUSEKEEPING_S),
            self._peer_lane("reminders", lambda: _remind(node), rest_s=HOUSEKEEPING_S),
            self._peer_lane("retention", lambda: _destroy_due(node), rest_s=RETENTION_S),
        ]

    def run(self) -> None:
        """Work until `stop_soon` is called, from a signal or another thread."""
        self.start()
        self._stopping.wait()
        self.stop()

    def start(self) -> None:
        """Begin in the background."""
        if self._node.database.dialect == "sqlite":
            # SQLite has one worker: what a killed one held is free, and need not wait.
            with self._node.database.transaction() as session:
                release_all(session)
        log.info("worker started")
        for lane in self._lanes:
            lane.start()

    def wake(self) -> None:
        """Something was written: every lane looks at once."""
        for lane in self._lanes:
            lane.ring()

    def stop_soon(self) -> None:
        """Ask for an orderly end, from a signal's handler too; `run` returns when it is reached."""
        self._stopping.set()

    def stop(self, timeout_s: float = STOP_S) -> None:
        """Wait until every lane has finished its step, and no longer than the time given."""
        self._stopping.set()
        for lane in self._lanes:
            lane.stop()
        ends_at = self._node.clock.monotonic() + timeout_s
        late = [
            lane.name
            for lane in self._lanes
            if not lane.join(max(0.0, ends_at - self._node.clock.monotonic()))
        ]
        self._deliveries.close(wait=not late)
        self._executor.shutdown(wait=not late, cancel_futures=True)
        log.info("worker stopped", waiting=late)

    def _peer_lane(self, name: str, step: Callable[[], bool], *, rest_s: float) -> Lane:
        """A lane that has nothing to do unless we belong to an alliance."""
        return Lane(name, lambda: self._belongs() and step(), rest_s=rest_s)

    def _belongs(self) -> bool:
        now = self._node.clock.monotonic()
        if not self._is_member or now - self._asked_at >= MEMBER_S:
            with self._node.database.reading() as session:
                charter = if_any(session)
            us = self._node.context.member_id
            self._is_member = charter is not None and us in charter.by_id
            self._asked_at = now
        return self._is_member

    def _agree(self, agreement: DecreeRounds) -> bool:
        """Who holds to an alliance that has not brought it in yet waits for that decree.

        Who has left waits for nothing.
        """
        if not self._belongs():
            with self._node.database.reading() as session:
                is_founded = if_any(session) is not None
                gone = has_left(session, self._node.context.member_id)
            if gone is not None or not is_founded:
                return False
        return self._then_wake(agreement.step)

    def _then_wake(self, step: Callable[[], bool]) -> bool:
        worked = step()
        if worked:
            # A letter's effect is often an answer, or a payment.
            self.wake()
        return worked


class EachPeer:
    """Calls every peer that can be reached, side by side; a slow one is not called twice."""

    def __init__(
        self, node: Node, executor: ThreadPoolExecutor, call: Callable[[str], object]
    ) -> None:
        self._node = node
        self._executor = executor
        self._call = call
        self._running: dict[str, Future[object]] = {}

    def step(self) -> bool:
        """Begin a round; raise what a call of an earlier round failed with."""
        with self._node.database.reading() as session:
            peers = reachable(session, self._node.context)
        for peer in peers:
            if peer not in self._running:
                self._running[peer] = self._executor.submit(self._call, peer)
        done = [peer for peer, call in self._running.items() if call.done()]
        for call in [self._running.pop(peer) for peer in done]:
            call.result()
        return False


class Greeting:
    """On start, hello to everybody: peers that waited for us send at once what they have."""

    def __init__(self, node: Node, executor: ThreadPoolExecutor) -> None:
        self._node = node
        self._executor = executor
        self._calls: list[Future[str]] = []
        # Under which charter, and whether while recovering; nothing yet.
        self._greeted: tuple[int, bool] | None = None

    def step(self) -> bool:
        """Greet once, again when a recovery ends, and under each new charter.

        Peers that were told to wait, or refused us for our epoch or our key, need wait no longer.
        """
        with self._node.database.reading() as session:
            charter = self._node.context.charter(session)
            standing = charter.epoch, restores.is_recovering(session)
        if standing != self._greeted:
            us = self._node.context.member_id
            others = membership.others(charter, us)
            self._calls += [self._executor.submit(greet, self._node, peer) for peer in others]
            self._greeted = standing
        done, self._calls = (
            [call for call in self._calls if call.done()],
            [call for call in self._calls if not call.done()],
        )
        for call in done:
            call.result()
        return False


def _destroy_due(node: Node) -> bool:
    """One batch of what has been kept long enough; True when there was some."""
    with node.database.transaction() as session:
        return any(retention.destroy_due(session, node.context).values())


def _remind(node: Node) -> bool:
    """Write today's reminders down; a look that takes no lock comes first."""
    with node.database.reading() as session:
        if not reminders.to_remind(session, node.context):
            return False
    with node.database.transaction() as session:
        reminders.remind(session, node.context)
    return False


def _keep_house(node: Node) -> bool:
    with node.database.transaction() as session:
        nonces.forget_expired(session, node.context)
        forget_refused(session, node.context)
        charter = if_any(session)
        if charter is not None:
            departing.tidy(session, node.context, charter)
            erasures.ask_again(session, node.context)
            consents.end_unanswered(session, node.context)
    if charter is not None:
        end_questions(node)
    drop_drained_keys(node)
    tidy_uploads(node)
    return False
