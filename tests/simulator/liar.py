"""Liars: members that hold their keys and follow no rule but the form of a message.

A liar keeps books like everybody, so that its orders are good enough to be voted for. What it lies
about is drawn from the seed: as an owner it signs two orders for a place, spends what it has not,
names what nobody has seen, certifies with too few or with one vote twice, and takes later
incarnations with whatever promises it likes; as a voter it votes for everything, promises and
forgets, and reports what was never locked.
"""

from protocol import (
    ORDER,
    PROMISE,
    REFERRAL_ENTRY,
    VOTE,
    Ballot,
    Case,
    Entry,
    Locked,
    Order,
    OrderAnswer,
    Promise,
    ProtocolError,
    Signed,
    SignedDocument,
    SigningKey,
    Warrant,
    begin,
    build_order,
    cast_vote,
    encode_vote,
    reissue,
    sign,
    verify_answer,
    verify_fence,
    verify_order,
)
from protocol.ledger.certificates import encode_certificate
from tests.simulator.disk import Disk
from tests.simulator.member import Message, Port
from tests.simulator.owner import Owner

OWN_TRICKS = ("double", "overdraft", "unseen", "few", "twice", "anew", "anew", "honest")


class Liar(Owner):
    """One of the `b` members that the alliance must survive."""

    is_honest = False

    def __init__(self, name: str, instance: str, key: SigningKey, disk: Disk, port: Port) -> None:
        super().__init__(name, instance, key, disk, port)
        self.ballots: dict[bytes, Ballot] = {}
        self.votes_for_all = self.random.random() < 0.8
        self.forges = self.random.random() < 0.7
        self.hides = self.random.random() < 0.5
        self.is_silent = False
        # Keeps what was certified to itself, and goes on in the same place.
        self.withholds = self.random.random() < 0.5
        # Orders of others that passed through its hands, by account.
        self.orders: dict[str, list[Signed[Order]]] = {}
        self.answers: dict[str, Warrant] = {}
        self.signed: list[Signed[Order]] = []

    def fact(self) -> None:
        """Nothing that a liar sends has to be durable."""

    def receive(self, message: Message) -> None:
        if not self.is_silent:
            super().receive(message)

    # --- As a voter. ---

    def on_order(self, message: Message) -> None:
        order = verify_order(SignedDocument.parse(message.data), self.charter)
        self.orders.setdefault(order.signer, []).append(order)
        if self.votes_for_all or self.random.random() < 0.5:
            self.port.reached("a liar votes unseen")
            self.answer(message, "vote", OrderAnswer(vote=cast_vote(order, self.key)).encode())
        elif not self.hides:
            super().on_order(message)

    def on_fence(self, message: Message) -> None:
        fence = verify_fence(SignedDocument.parse(message.data), self.charter).body
        sequence = self.store.books.head(fence.account).sequence
        if self.random.random() < 0.1:
            sequence += self.random.choice((1, 5, 1000))
        shown = self._made_up(fence.account, sequence + 1) if self.forges else None
        if shown is None and not self.hides:
            known = self.orders.get(fence.account, [])
            shown = next((o for o in reversed(known) if o.body.sequence == sequence + 1), None)
        promise = Promise(
            alliance=fence.alliance,
            epoch=fence.epoch,
            account=fence.account,
            incarnation=fence.incarnation,
            attempt=fence.attempt,
            sequence=sequence,
            locked=None if shown is None else Locked(shown.body.incarnation, shown.document.digest),
        )
        cases = () if shown is None else (Case(shown.document, ()),)
        self.port.reached("a liar promises falsely")
        answer = Warrant((sign(PROMISE, promise.encode(), self.key),), cases)
        self.answer(message, "promise", answer.encode())

    def _made_up(self, account: str, sequence: int) -> Signed[Order] | None:
        """An order that the account's owner never signed, under the liar's own name."""
        known = self.orders.get(account)
        if not known or self.random.random() < 0.3:
            return None
        entry = known[-1].body.entries[0]._replace(id=f"{self.random.getrandbits(64):016x}")
        body = known[-1].body._replace(sequence=sequence, entries=(entry,))
        document = sign(ORDER, body.encode(), self.key)
        return _Forged(body, document)  # type: ignore[return-value]

    # --- As an owner. ---

    def wake(self) -> None:
        if self.is_silent:
            return
        self.is_starting = False
        if self.random.random() < 0.3:
            self.pull(self.random.choice(self.others))
        trick = self.random.choice(OWN_TRICKS)
        if trick == "honest":
            super().wake()
            return
        try:
            getattr(self, f"try_{trick}")()
            for ballot in list(self.ballots.values())[-4:]:
                self.show(ballot.order)
        except ProtocolError:
            # It was shown what another liar forged, and looks for it in vain.
            self.port.reached("a liar trips over a liar")

    def order(self, **changes: object) -> Signed[Order] | None:
        """An order behind its head, with changes, signed."""
        to = self.random.choice(self.others)
        entry = Entry(f"{self.random.getrandbits(64):016x}", REFERRAL_ENTRY, to, 1, bytes(32))
        order = build_order(
            self.name,
            [entry],
            charter=self.charter,
            books=self.store.books,
            key=self.key,
            incarnation=self.store.tenure.incarnation,
        )
        if order is None or not changes:
            return order
        body = order.body._replace(**changes)
        return verify_order(sign(ORDER, body.encode(), self.key), self.charter)

    def show(
        self, order: Signed[Order] | None, *members: str, warrant: bytes | None = None
    ) -> None:
        if order is None:
            return
        self.signed.append(order)
        self.ballots.setdefault(order.digest, Ballot(order, self.charter))
        for other in members or self.some():
            self.send(
                "order",
                other,
                order.document.encode(),
                tag=order.digest,
                warrant=self.store.tenure.warrant if warrant is None else warrant,
            )

    def some(self) -> list[str]:
        """A random half of the others."""
        return [other for other in self.others if self.random.random() < 0.6]

    def try_double(self) -> None:
        self.port.reached("a liar signs twice")
        one, other = self.order(), self.order()
        half = self.some()
        self.show(one, *half)
        self.show(other, *[each for each in self.others if each not in half])

    def try_overdraft(self) -> None:
        self.port.reached("a liar overdraws")
        order = self.order()
        if order is not None:
            points = self.random.choice((4, 7, 12))
            entry = order.body.entries[0]._replace(points=points)
            self.show(self.order(entries=(entry,)))

    def try_unseen(self) -> None:
        self.port.reached("a liar names what nobody has seen")
        self.show(self.order(seen={self.others[0]: self.random.randint(1, 9)}))

    def try_few(self) -> None:
        """A certificate of its own signature and nobody else's that counts."""
        self._certificate_of(1)

    def try_twice(self) -> None:
        """A certificate in which one vote stands as often as it takes."""
        self._certificate_of(self.charter.q - 1)

    def _certificate_of(self, count: int) -> None:
        order = self.order()
        if order is None:
            return
        self.port.reached("a liar certifies alone")
        vote = sign(VOTE, encode_vote(order.body, order.digest), self.key)
        ballot = next((b for b in reversed(self.ballots.values()) if len(b.voters) > 1), None)
        if ballot is not None and self.random.random() < 0.7:
            order = ballot.order
            voters = ballot._votes
            signature = voters[min(voters)]
            vote = SignedDocument(
                VOTE, encode_vote(order.body, order.digest), (signature,) * max(count, 1)
            )
        data = encode_certificate(order.document, vote)
        for other in self.some():
            self.send("certificate", other, data)

    def try_anew(self) -> None:
        """A later incarnation: a fence, and any orders on any of the promises it has."""
        if not self.answers or self.random.random() < 0.3:
            self.answers = {}
            tenure = begin(
                self.store.tenure,
                self.known,
                self.name,
                charter=self.charter,
                key=self.key,
                attempt=self.random.randbytes(16),
            )
            self.store.tenure = tenure._replace(warrant=b"", incarnation=1)
            for other in self.others:
                self.send("fence", other, tenure.fence)
            return
        self.port.reached("a liar takes a later incarnation")
        fence = verify_fence(SignedDocument.parse(self.store.tenure.fence), self.charter).body
        for _ in range(2):
            chosen = [each for each in sorted(self.answers) if self.random.random() < 0.85]
            self.random.shuffle(chosen)
            cases = {c.order.digest: c for m in chosen for c in self.answers[m].cases}
            promises = tuple(self.answers[member].promises[0] for member in chosen)
            warrant = Warrant(promises, tuple(cases[digest] for digest in sorted(cases)))
            shown = [verify_order(case.order, self.charter) for case in warrant.cases]
            own = self.order() if self.random.random() < 0.3 or not shown else None
            shown += [own] if own is not None else []
            if shown:
                order = reissue(
                    self.random.choice(shown), fence.incarnation, self.charter, self.key
                )
                self.show(order, *self.some(), warrant=warrant.encode())

    def on_promise(self, message: Message) -> None:
        if not self.store.tenure.is_fencing:
            return
        fence = verify_fence(SignedDocument.parse(self.store.tenure.fence), self.charter).body
        answer = Warrant.parse(message.data)
        verify_answer(answer, fence, self.charter)
        self.answers[message.sender] = answer

    def on_vote(self, message: Message) -> None:
        ballot = self.ballots.get(message.tag)
        if ballot is None:
            super().on_vote(message)
            return
        answer = OrderAnswer.parse(message.data)
        if answer.vote is not None:
            ballot.add(answer.vote, message.sender)
            certificate = ballot.certificate()
            if certificate is not None:
                self.port.reached("a liar's order is certified")
                if self.withholds and self.random.random() < 0.9:
                    return
                self.take(certificate.data)
                for other in self.some()[: self.random.choice((1, 9))]:
                    self.send("certificate", other, certificate.data)
        elif answer.certificate is not None:
            self.take(answer.certificate)

    def on_problem(self, message: Message) -> None:
        self.known += self.random.choice((0, 0, 1))


class _Forged:
    """Looks like a proven order where only a liar looks."""

    def __init__(self, body: Order, document: SignedDocument) -> None:
        self.body, self.document = body, document
