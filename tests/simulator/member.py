"""A simulated member: the production protocol between a disk that forgets and a network that loses.

It does what a node does and decides nothing of its own: every message is bytes that the protocol
reads and writes, every decision is the protocol's, and what a decision names is synced before
anything that rests on it leaves. `Port` is what it is given of the world.
"""

from collections.abc import Iterable
from random import Random
from typing import NamedTuple, Protocol

from protocol import (
    Cast,
    Certificate,
    Charter,
    Fence,
    Order,
    OrderAnswer,
    OurMistake,
    ProtocolError,
    Pull,
    PullAnswer,
    Settled,
    Signed,
    SignedDocument,
    SigningKey,
    advance,
    cast_vote,
    errors,
    evidence_of,
    guard_after,
    judge_guarded,
    lacking,
    order_within,
    pledge,
    problems,
    standing_of,
    state_digest,
    verify_certificate,
    verify_evidence,
    verify_fence,
    verify_order,
)
from tests.simulator.disk import Disk, Fact, Store

PAGE = 20


class Message(NamedTuple):
    """One request or its answer. `tag` ties the two together, as one HTTP exchange does."""

    kind: str
    sender: str
    instance: str
    to: str
    tag: bytes
    data: bytes
    warrant: bytes = b""


class Port(Protocol):
    """What the world gives a member."""

    random: Random
    charter: Charter

    def fault_point(self, member: "Member") -> None:
        """Raises Crash when the member is to crash here."""

    def send(self, member: "Member", message: Message, fact: Fact | None) -> None:
        """Take a message; `fact` is what must be durable before it leaves."""

    def reached(self, what: str) -> None:
        """Count that a path was taken."""

    def committed(self, member: "Member", certificate: Certificate) -> None:
        """A certificate was applied."""

    def accused(self, member: "Member", account: str) -> None:
        """Evidence was found."""


class Member:
    """What every member does with what it receives. `Owner` adds what it does by itself."""

    is_honest = True

    def __init__(self, name: str, instance: str, key: SigningKey, disk: Disk, port: Port) -> None:
        self.name, self.instance, self.key, self.port = name, instance, key, port
        self.disk = disk
        self.charter = port.charter
        self.others = tuple(m.id for m in self.charter.members if m.id != name)
        # Lost in a crash: certificates that wait for what they build on.
        self.held: dict[tuple[str, int], Certificate] = {}

    @property
    def store(self) -> Store:
        return self.disk.store

    # --- Input and output, each a point where a crash may come. ---

    def write(self, *write: object) -> None:
        self.disk.write(*write)

    def sync(self) -> None:
        self.port.fault_point(self)
        self.disk.sync()
        self.port.fault_point(self)

    def send(
        self,
        kind: str,
        to: str,
        data: bytes,
        *,
        tag: bytes = b"",
        warrant: bytes = b"",
        fact: Fact | None = None,
    ) -> None:
        message = Message(kind, self.name, self.instance, to, tag, data, warrant)
        self.port.send(self, message, fact)
        self.port.fault_point(self)

    def answer(self, asked: Message, kind: str, data: bytes, fact: Fact | None = None) -> None:
        self.send(kind, asked.instance, data, tag=asked.tag, fact=fact)

    def refuse(self, asked: Message, refusal: ProtocolError) -> None:
        # Nobody's peer reports our own mistakes; the run ends with them.
        if isinstance(refusal, OurMistake):
            raise refusal
        self.port.reached(f"refused {refusal.code}")
        self.answer(asked, "problem", problems.problem(refusal, "r" * 16, verified=True))

    def receive(self, message: Message) -> None:
        """Do what a message asks; what cannot be read or proven is refused, or not heard."""
        try:
            getattr(self, f"on_{message.kind}")(message)
        except ProtocolError as refusal:
            if message.kind in ("order", "fence", "pull", "standing_request"):
                self.refuse(message, refusal)
            else:
                self.port.reached(f"unheard {refusal.code}")

    # --- Other members' orders. ---

    def on_order(self, message: Message) -> None:
        order = verify_order(SignedDocument.parse(message.data), self.charter)
        if order.signer != message.sender:
            raise errors.SenderMismatch(order.signer)
        if self.store.recovering:
            raise errors.Recovering
        self._look_for_evidence(order)
        verdict = judge_guarded(
            order, message.warrant, self.charter, self.store.books, self.store.guards
        )
        if isinstance(verdict, Cast):
            if verdict.lock is not None:
                self.write("lock", *order.body.slot, verdict.lock)
                self.sync()
            vote = OrderAnswer(vote=cast_vote(order, self.key))
            self.answer(message, "vote", vote.encode(), ("vote", *order.body.slot, order.digest))
        elif isinstance(verdict, Settled):
            self.answer(message, "vote", OrderAnswer(certificate=verdict.certificate).encode())
        else:
            self.answer(message, "vote", OrderAnswer(need=verdict.ranges).encode())

    def _look_for_evidence(self, order: Signed[Order]) -> None:
        """Compare an order with the one that holds its place here, locked or applied."""
        account, sequence = order.body.slot
        lock = self.store.books.lock(account, sequence)
        applied = self.store.books.certificate(account, sequence)
        for document in (lock.document if lock else b"", order_within(applied or b"")):
            if document and document != order.document.encode():
                known = verify_order(SignedDocument.parse(document), self.charter)
                try:
                    evidence = evidence_of(order, known)
                except errors.EvidenceInvalid:
                    continue
                self.keep_evidence(evidence.place, evidence.account, evidence.encode())

    def keep_evidence(self, place: tuple[str, int, int], account: str, data: bytes) -> None:
        """Store the proof, and show it to all."""
        if place in self.store.evidence:
            return
        self.port.accused(self, account)
        self.write("evidence", place, data)
        self.sync()
        for other in self.others:
            self.send("evidence", other, data)

    def on_evidence(self, message: Message) -> None:
        evidence = verify_evidence(message.data, self.charter)
        self.keep_evidence(evidence.place, evidence.account, evidence.encode())

    def on_fence(self, message: Message) -> None:
        fence: Signed[Fence] = verify_fence(SignedDocument.parse(message.data), self.charter)
        if fence.signer != message.sender:
            raise errors.SenderMismatch(fence.signer)
        if self.store.recovering:
            raise errors.Recovering
        account = fence.body.account
        given = pledge(fence, self.charter, self.store.books, self.store.guards, self.key)
        if given.guard is not None:
            self.write("guard", account, given.guard)
            self.sync()
        self.port.reached("promised")
        fact = ("promise", account, fence.body.incarnation)
        self.answer(message, "promise", given.answer.encode(), fact)

    # --- Certificates. ---

    def on_certificate(self, message: Message) -> None:
        self.take(message.data)

    def take(self, data: bytes) -> None:
        """Verify a certificate, and apply it and what waited for it."""
        certificate = verify_certificate(data, self.charter)
        self._look_for_evidence(certificate.order)
        self.held[certificate.order.body.slot] = certificate
        self._apply_held()

    def _apply_held(self) -> None:
        is_moving = True
        while is_moving:
            is_moving = False
            for slot in sorted(self.held):
                certificate = self.held[slot]
                if slot[1] <= self.store.books.head(slot[0]).sequence:
                    del self.held[slot]
                elif self.apply(certificate):
                    is_moving = True

    def apply(self, certificate: Certificate) -> bool:
        changes = advance(certificate, self.store.books)
        if changes is None:
            return False
        order = certificate.order.body
        guard = guard_after(order, self.store.guards.guard(order.account))
        self.write("commit", changes)
        if guard is not None:
            self.write("guard", order.account, guard)
        self.sync()
        self.port.committed(self, certificate)
        return True

    # --- What others ask. ---

    def on_pull(self, message: Message) -> None:
        asked, books = Pull.parse(message.data), self.store.books
        ranges = lacking(asked.vector, books.vector())
        # In the order in which they were applied here, so that a page never waits for a later one.
        missing = [
            certificate
            for account, sequence in self.store.applied
            if account in ranges
            and sequence >= ranges[account][0]
            and (certificate := books.certificate(account, sequence)) is not None
        ]
        page, more = tuple(missing[:PAGE]), len(missing) > PAGE
        answer = PullAnswer(books.vector(), state_digest(books.heads()), page, more)
        self.answer(message, "page", answer.encode())

    def on_page(self, message: Message) -> None:
        page = PullAnswer.parse(message.data)
        self.take_all(page.certificates)
        if not page.more:
            self.read_to_the_end(message.sender)

    def take_all(self, certificates: Iterable[bytes]) -> None:
        for data in certificates:
            self.take(data)

    def read_to_the_end(self, member: str) -> None:
        """A peer has sent all it has."""

    def on_standing_request(self, message: Message) -> None:
        if self.store.recovering:
            raise errors.Recovering
        shown = standing_of(message.sender, self.charter, self.store.books, self.store.guards)
        self.answer(message, "standing", shown.encode())
