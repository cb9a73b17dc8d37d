"""The owner's half of a simulated member: its orders, its start, its fence, and what wakes it."""

from collections.abc import Iterable
from random import Random

from protocol import (
    CORRECTION,
    REFERRAL_ENTRY,
    Ballot,
    Certificate,
    Entry,
    Order,
    OrderAnswer,
    Promises,
    Pull,
    Signed,
    SignedDocument,
    SigningKey,
    Standing,
    Warrant,
    begin,
    build_order,
    commitment,
    contradicted,
    errors,
    forgotten,
    problems,
    reports_needed,
    restored_guards,
    settled,
    superseded,
    verify_fence,
)
from tests.simulator.disk import Disk
from tests.simulator.member import Member, Message, Port


class Owner(Member):
    """A whole member: it votes, and it pays."""

    def __init__(self, name: str, instance: str, key: SigningKey, disk: Disk, port: Port) -> None:
        super().__init__(name, instance, key, disk, port)
        # All of this is lost in a crash, and found again by asking.
        self.ballot: Ballot | None = None
        self.promises: Promises | None = None
        self.asked: dict[str, Standing] = {}
        self.read: set[str] = set()
        # Until it has asked enough others where its account stands, it builds nothing new.
        self.is_starting = True
        self.known = 1
        # A clone has taken the account over; a person has to decide which of the two goes on.
        self.is_stopped = False

    @property
    def random(self) -> Random:
        return self.port.random

    # --- What it does by itself. ---

    def wake(self) -> None:
        """One round: whatever is unfinished is tried again, with the same bytes."""
        if self.random.random() < 0.3 and self.others:
            self.pull(self.random.choice(self.others))
        if self.is_stopped:
            return
        if self.store.recovering or self.is_starting:
            self.ask()
        if self.store.recovering:
            self.recover()
        elif self.store.tenure.is_fencing:
            self.send_fence()
        elif self.store.open is not None:
            self.send_order(self.store.open)
        elif not self.is_starting:
            self.build()

    def pull(self, other: str) -> None:
        self.send("pull", other, Pull(self.store.books.vector(), 1).encode())

    def owe(self) -> None:
        """A new entry to pay, as an acceptance makes one."""
        to = self.random.choice(self.others)
        kind = REFERRAL_ENTRY if self.random.random() < 0.9 else CORRECTION
        reference = commitment(self.random.randbytes(32), self.random.randbytes(32))
        points = self.random.choice((1, 1, 1, 2, 3))
        entry = Entry(f"{self.random.getrandbits(64):016x}", kind, to, points, reference)
        self.write("entry", entry)
        self.sync()

    def build(self) -> None:
        tenure = self.store.tenure
        order = build_order(
            self.name,
            list(self.store.waiting.values()),
            charter=self.charter,
            books=self.store.books,
            key=self.key,
            incarnation=tenure.incarnation,
        )
        if order is not None:
            self.write("open", order)
            self.sync()
            self.send_order(order)

    def send_order(self, order: Signed[Order]) -> None:
        if self.ballot is None or self.ballot.order.digest != order.digest:
            self.ballot = Ballot(order, self.charter)
        if self.ballot.is_complete:
            self.certify()
            return
        for other in self.others:
            if other not in self.ballot.voters:
                self.send(
                    "order",
                    other,
                    order.document.encode(),
                    tag=order.digest,
                    warrant=self.store.tenure.warrant,
                    fact=("order", order.digest),
                )

    def certify(self) -> None:
        assert self.ballot is not None
        certificate = self.ballot.certificate()
        assert certificate is not None
        self.take(certificate.data)
        for other in self.others:
            self.send_certificate(other, certificate.order.body.sequence)

    def send_certificate(self, other: str, sequence: int, account: str = "") -> None:
        account = account or self.name
        data = self.store.books.certificate(account, sequence)
        if data is not None:
            self.send("certificate", other, data, fact=("certificate", account, sequence))

    def apply(self, certificate: Certificate) -> bool:
        is_applied = super().apply(certificate)
        order = certificate.order.body
        if is_applied and order.account == self.name:
            tenure = self.store.tenure
            shows_locks = tenure.warrant and not tenure.warrant.startswith(b'{"cases":[]')
            if order.incarnation == tenure.incarnation and shows_locks:
                self.write("tenure", settled(tenure))
                self.sync()
        return is_applied

    # --- Answers to its order. ---

    def on_vote(self, message: Message) -> None:
        order = self.store.open
        if order is None or message.tag != order.digest or self.store.tenure.is_fencing:
            return
        answer = OrderAnswer.parse(message.data)
        if answer.vote is not None:
            if self.ballot is not None and self.ballot.order.digest == order.digest:
                self.ballot.add(answer.vote, message.sender)
                if self.ballot.is_complete:
                    self.certify()
        elif answer.certificate is not None:
            self.take(answer.certificate)
        else:
            for account, (first, last) in sorted((answer.need or {}).items()):
                known = self.store.books.head(account).sequence
                for sequence in range(first, min(last, known) + 1):
                    self.send_certificate(message.sender, sequence, account)

    def on_problem(self, message: Message) -> None:
        refusal = problems.parse_problem(message.data).to_error()
        known = contradicted(refusal, self.store.open, self.charter)
        if known is not None and not self.store.tenure.is_fencing:
            self.port.reached("found that its key signed twice")
            self.known = max(self.known, known)
            self.fence()
            return
        if not isinstance(refusal, errors.IncarnationStale):
            return
        if self.promises is not None and self.store.tenure.is_fencing:
            self.promises.refused(refusal, message.sender)
            if self.promises.is_hopeless:
                self.port.reached("fenced anew, since promises were forgotten")
                self.known = max(self.known, self.fence_incarnation())
                self.fence()
                return
        known = superseded(refusal, self.name, self.store.tenure, self.charter)
        if known is None:
            return
        self.known = max(self.known, known)
        tenure = self.store.tenure
        if tenure.is_fencing:
            # Our fence was not high enough; nobody promised it who showed us another.
            if self.known >= self.fence_incarnation():
                self.fence()
        elif not self.store.recovering:
            self.port.reached("stopped by a fence of its own key")
            self.is_stopped = True

    # --- Starting, and taking the account up again. ---

    def ask(self) -> None:
        for other in self.others:
            if other not in self.asked:
                self.send("standing_request", other, b"{}")
            if self.store.recovering and other not in self.read:
                self.pull(other)
        self.look_at_standings()

    def on_standing(self, message: Message) -> None:
        standing = Standing.parse(message.data)
        if self.store.recovering or self.is_starting:
            self.asked[message.sender] = standing
            self.look_at_standings()

    def look_at_standings(self) -> None:
        """Whether a peer knows more of our account than we do; then a fence, else we may build."""
        if self.store.recovering or not self.is_starting:
            return
        known = [self.shown_by(self.asked[member]) for member in sorted(self.asked)]
        shown = max((each for each in known if each is not None), default=None)
        if shown is not None:
            self.known = max(self.known, shown)
            self.is_starting = False
            if not self.store.tenure.is_fencing:
                self.port.reached("found at its start that it had forgotten")
                self.fence()
        elif len(self.asked) >= self.charter.q - 1:
            self.is_starting = False

    def shown_by(self, standing: Standing) -> int | None:
        try:
            return forgotten(
                standing,
                self.name,
                self.store.tenure,
                self.charter,
                self.store.books,
                self.store.open,
            )
        except errors.ProtocolError:
            self.port.reached("a standing that proves nothing")
            return None

    def read_to_the_end(self, member: str) -> None:
        if self.store.recovering:
            self.read.add(member)

    def recover(self) -> None:
        """Once enough others are read to their end: the guards, and the fence, in one commit."""
        ready = sorted(self.read & set(self.asked))
        if len(ready) < reports_needed(self.charter):
            return
        fences = []
        for member in ready:
            for document in self.asked[member].fences:
                try:
                    fences.append(verify_fence(document, self.charter))
                except errors.ProtocolError:
                    self.port.reached("a standing that proves nothing")
        store = self.store
        guards = restored_guards(self.name, self.charter, store.books, store.guards, fences)
        for account, guard in guards.items():
            self.write("guard", account, guard)
        known = [self.shown_by(self.asked[member]) or 1 for member in ready]
        self.known = max(self.known, store.guards.guard(self.name).certified, *known)
        self.write("recovering", False)
        self.is_starting = False
        self.port.reached("restored: abstains, and fences")
        self.fence()

    def fence_incarnation(self) -> int:
        return verify_fence(
            SignedDocument.parse(self.store.tenure.fence), self.charter
        ).body.incarnation

    def fence(self) -> None:
        known = max(self.known, self.store.guards.guard(self.name).certified)
        tenure = begin(
            self.store.tenure,
            known,
            self.name,
            charter=self.charter,
            key=self.key,
            attempt=self.random.randbytes(16),
        )
        self.write("tenure", tenure)
        self.sync()
        self.promises = Promises(tenure, self.charter)
        self.port.reached("fenced")
        self.send_fence()

    def send_fence(self) -> None:
        tenure = self.store.tenure
        if self.promises is None or self.promises.fence.document.encode() != tenure.fence:
            self.promises = Promises(tenure, self.charter)
        self.resume()
        for other in self.others:
            if self.store.tenure.fence and other not in self.promises.members:
                self.send("fence", other, tenure.fence, fact=("fence", tenure.fence))

    def on_promise(self, message: Message) -> None:
        if self.promises is None or not self.store.tenure.is_fencing:
            return
        self.promises.add(Warrant.parse(message.data), message.sender)
        self.resume()

    def is_undecided(self, able: Iterable[str]) -> bool:
        """Whether all that can promise did, and still two orders are possible: a decree decides.

        A voter that was restored abstains, and may have voted for either.
        """
        if self.promises is None or not self.promises.are_enough:
            return False
        return self.promises.members >= frozenset(able)

    def resume(self) -> None:
        """Go on as the promises say, once there are enough of them."""
        assert self.promises is not None
        own, head = self.store.open, self.store.books.head(self.name)
        if own is not None and own.body.sequence != head.sequence + 1:
            own = None
        resumption = self.promises.resume(head, self.key, own)
        if resumption is None:
            return
        if any(place[:2] == (self.name, head.sequence + 1) for place in self.store.evidence):
            self.port.reached("unlocked a place for which it had signed twice")
        if resumption.order is None:
            self.port.reached("resumed with nothing open")
        else:
            is_own = own is not None and own.body.entries == resumption.order.body.entries
            self.port.reached("reissued its own" if is_own else "adopted what others had locked")
        self.write("tenure", resumption.tenure)
        self.write("open", resumption.order)
        self.sync()
        self.promises = None
        if resumption.order is not None:
            self.send_order(resumption.order)
