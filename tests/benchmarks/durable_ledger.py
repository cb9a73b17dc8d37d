"""Ledger entries a second: four members in four processes, a durable SQLite store each.

The functions are the node's own, in the order in which its worker and its endpoints call them, and
real bytes go through pipes; only HTTP and its signatures are left out. All four members pay at
once, and vote for the other three meanwhile.
"""

import multiprocessing
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.synchronize import Barrier
from pathlib import Path
from time import perf_counter, process_time

from sqlalchemy.orm import Session

from node.clock import FixedClock
from node.context import Context
from node.database import Database
from node.services import ledger
from protocol import REFERRAL_ENTRY, Ballot, OrderAnswer, OrderRequest, SignedDocument
from tests.benchmarks.registry import Figure, benchmark
from tests.benchmarks.shares import ELSEWHERE, ROOMS, Sampler
from tests.equipment.alliance import MEMBERS, Alliance, found_alliance

ENTRIES_PER_ORDER = 128
# The first orders of each member are not measured: statements are compiled, files grow.
WARM_UP, ORDERS = 4, 40
CREDIT_LIMIT = 1_000_000
DEADLINE_S = 300

ORDER, ANSWER, CERTIFICATE = b"o", b"a", b"c"
FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Report:
    """What one member's process measured, and the digest that it ends at."""

    started_at: float
    ended_at: float
    cpu_s: float
    samples: Counter[str]
    state: bytes


class Member:
    """One node: its database, a pipe to each of the others, and its open order."""

    def __init__(self, context: Context, database: Database, links: dict[str, Connection]) -> None:
        self._clock = FixedClock()
        self._context = replace(context, clock=self._clock)
        self._database, self._links = database, links
        self._left = 0
        self._ballot: Ballot | None = None
        self._answered: set[str] = set()

    def run(self, orders: int, until: int) -> None:
        """Certify so many orders of our own, until every account stands at `until`."""
        self._left = orders
        self._open()
        while not self._is_done(until):
            ready = wait(list(self._links.values()), timeout=DEADLINE_S)
            assert ready, "nobody says anything any more"
            # Certificates first, so that orders which build on them need not ask for them.
            for message, peer in sorted(self._received(ready)):
                self._handle(message[:1], message[1:], peer)

    def _received(self, ready: list[object]) -> list[tuple[bytes, str]]:
        links = [(peer, link) for peer, link in self._links.items() if link in ready]
        return [(link.recv_bytes(), peer) for peer, link in links]

    def _handle(self, kind: bytes, body: bytes, peer: str) -> None:
        if kind == ORDER:
            with self._database.transaction() as session:
                answer = ledger.vote_on(session, self._context, body)
            assert isinstance(answer, bytes), answer
            self._links[peer].send_bytes(ANSWER + answer)
        elif kind == CERTIFICATE:
            with self._database.transaction() as session:
                ledger.receive_certificate(session, self._context, body)
        else:
            self._count(OrderAnswer.parse(body), peer)

    def _open(self, certified: Ballot | None = None) -> None:
        """Settle our last order and open the next, once everybody answered: nobody is flooded."""
        order = certificate = None
        with self._database.transaction() as session:
            if certified is not None:
                certificate = ledger.certify(session, self._context, certified).data
            if self._left:
                self._owe(session)
                order = ledger.open_order(session, self._context)
            charter = self._context.charter(session)
        if order is None:
            assert certificate is not None
            self._tell(CERTIFICATE + certificate)
            return
        assert len(order.body.entries) == ENTRIES_PER_ORDER
        self._left -= 1
        self._ballot, self._answered = ledger.new_ballot(order, charter), set()
        self._tell(ORDER + OrderRequest(order.document, certificate).encode())

    def _owe(self, session: Session) -> None:
        """What came in while the last order was under way: a point to each other in turn."""
        # A second passes for each order, so that ids are as they are when members hire people.
        self._clock.move(1)
        others, now = list(self._links), self._context.now()
        rows = [
            (ledger.new_entry_id(now), REFERRAL_ENTRY, others[number % 3], 1, bytes(32), now)
            for number in range(ENTRIES_PER_ORDER)
        ]
        session.connection().exec_driver_sql(
            "INSERT INTO pending_entries (entry_id, kind, recipient, points, reference, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            rows,
        )

    def _count(self, answer: OrderAnswer, peer: str) -> None:
        ballot = self._ballot
        assert ballot is not None
        if answer.need is not None:
            self._send_what_it_needs(answer, ballot.order.document, peer)
            return
        self._answered.add(peer)
        assert answer.vote is not None
        if not ballot.is_complete:
            ballot.add(answer.vote, peer)
        if len(self._answered) == len(self._links):
            self._open(ballot)

    def _send_what_it_needs(self, answer: OrderAnswer, order: SignedDocument, peer: str) -> None:
        with self._database.reading() as session:
            needed = ledger.certificates(session, answer.need or {})
        for certificate in needed:
            self._links[peer].send_bytes(CERTIFICATE + certificate)
        self._links[peer].send_bytes(ORDER + order.encode())

    def _tell(self, message: bytes) -> None:
        for link in self._links.values():
            link.send_bytes(message)

    def _is_done(self, until: int) -> bool:
        if self._left or len(self._answered) < len(self._links):
            return False
        with self._database.reading() as session:
            vector, _ = ledger.state(session)
        return len(vector) == len(MEMBERS) and set(vector.values()) == {until}


def member_process(
    context: Context, url: str, links: dict[str, Connection], start: Barrier, report: Connection
) -> None:
    """One member from its warm-up to its report."""
    with closing(Database(url)) as database:
        member, sampler = Member(context, database, links), Sampler()
        member.run(WARM_UP, until=WARM_UP)
        start.wait(DEADLINE_S)
        sampler.start()
        started_at, cpu_s = perf_counter(), process_time()
        member.run(ORDERS, until=WARM_UP + ORDERS)
        ended_at, cpu_s = perf_counter(), process_time() - cpu_s
        samples = sampler.stop()
        with database.reading() as session:
            _, state = ledger.state(session)
    report.send(Report(started_at, ended_at, cpu_s, samples, state))


def found(urls: list[str]) -> Alliance:
    """The alliance over fresh databases, nothing open."""
    databases = [Database(url) for url in urls]
    for database in databases:
        database.upgrade()
    alliance = found_alliance(databases, credit_limit=CREDIT_LIMIT)
    for house in alliance.houses.values():
        house.database.close()
    return alliance


def run_alliance(folder: Path) -> list[Report]:
    """Four processes, a pipe between each two; what each of them measured."""
    urls = [f"sqlite:///{folder / name}.sqlite" for name in MEMBERS]
    alliance = found(urls)
    links: dict[str, dict[str, Connection]] = {name: {} for name in MEMBERS}
    for place, one in enumerate(MEMBERS):
        for other in MEMBERS[place + 1 :]:
            links[one][other], links[other][one] = FORK.Pipe()
    start = FORK.Barrier(len(MEMBERS))
    pipes = [FORK.Pipe(duplex=False) for _ in MEMBERS]
    processes = [
        FORK.Process(
            target=member_process,
            args=(alliance[name].context, url, links[name], start, sending),
        )
        for name, url, (_, sending) in zip(MEMBERS, urls, pipes, strict=True)
    ]
    try:
        for process in processes:
            process.start()
        for _, sending in pipes:
            sending.close()
        return [receiving.recv() for receiving, _ in pipes]
    finally:
        for process in processes:
            process.terminate()
            process.join()


@benchmark("entries")
def durable_entries() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        reports = run_alliance(Path(folder))
    assert len({report.state for report in reports}) == 1, "equal books everywhere"
    entries = len(MEMBERS) * ORDERS * ENTRIES_PER_ORDER
    elapsed_s = max(r.ended_at for r in reports) - min(r.started_at for r in reports)
    cpu_us = sum(r.cpu_s for r in reports) / entries * 1e6
    yield Figure("applied on four replicas", entries / elapsed_s, "entries/s", at_least=20_000)
    yield Figure("processor time, four replicas", cpu_us, "us/entry")
    yield Figure("two cores with nothing else to do", 2e6 / cpu_us, "entries/s")
    samples = sum((r.samples for r in reports), Counter[str]())
    for room in [*(room for room, _ in ROOMS), ELSEWHERE]:
        yield Figure(f"of it {room}", 100 * samples[room] / samples.total(), "%")
