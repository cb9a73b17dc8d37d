"""A member for the benchmarks: books in memory, and between members the bytes as on the wire."""

from protocol import (
    Ballot,
    Cast,
    Certificate,
    Charter,
    Entry,
    MemoryBooks,
    MemoryGuards,
    Order,
    OrderAnswer,
    Signed,
    SignedDocument,
    SigningKey,
    Voted,
    advance,
    build_order,
    cast_vote,
    guard_after,
    judge,
    judge_guarded,
    verify_certificate,
    verify_order,
)


class Replica:
    """One member, and what it remembers between vote and certificate.

    Without `guarded` it has no rules of recovery, which only a comparison wants.
    """

    def __init__(
        self, name: str, charter: Charter, key: SigningKey, *, guarded: bool = True
    ) -> None:
        self.name, self.charter, self.key = name, charter, key
        self.books = MemoryBooks()
        self._guards = MemoryGuards() if guarded else None
        self._voted: Voted | None = None

    def build(self, entry: Entry) -> Signed[Order]:
        order = build_order(
            self.name, [entry], charter=self.charter, books=self.books, key=self.key
        )
        assert order is not None
        return order

    def open(self, entry: Entry) -> Signed[Order]:
        order = self.build(entry)
        self._lock(order)
        return order

    def vote(self, body: bytes) -> bytes:
        order = verify_order(SignedDocument.parse(body), self.charter)
        self._lock(order)
        vote = cast_vote(order, self.key)
        self._voted = Voted(order, vote)
        return OrderAnswer(vote=vote).encode()

    def _lock(self, order: Signed[Order]) -> None:
        if self._guards is None:
            verdict = judge(order, self.charter, self.books)
        else:
            verdict = judge_guarded(order, b"", self.charter, self.books, self._guards)
        assert isinstance(verdict, Cast)
        assert verdict.lock is not None
        self.books.lock_order(order.body.account, order.body.sequence, verdict.lock)

    def certify(self, ballot: Ballot) -> bytes:
        certificate = ballot.certificate()
        assert certificate is not None
        self.follow(certificate)
        return certificate.data

    def follow(self, certificate: Certificate) -> None:
        """Apply what is proven elsewhere."""
        changes = advance(certificate, self.books)
        assert changes is not None
        self.books.commit(changes)

    def receive(self, body: bytes) -> None:
        certificate = verify_certificate(body, self.charter, voted=self._voted)
        changes = advance(certificate, self.books)
        assert changes is not None
        if self._guards is not None:
            order = certificate.order.body
            raised = guard_after(order, self._guards.guard(order.account))
            assert raised is None, "nobody was restored here"
        self.books.commit(changes)


def one_order(owner: Replica, others: list[Replica], entry: Entry) -> None:
    """From building to applied everywhere; every member votes, the owner counts until enough."""
    order = owner.open(entry)
    body = order.document.encode()
    ballot = Ballot(order, owner.charter)
    for answer, other in [(other.vote(body), other) for other in others]:
        if not ballot.is_complete:
            vote = OrderAnswer.parse(answer).vote
            assert vote is not None
            ballot.add(vote, other.name)
    certificate = owner.certify(ballot)
    for other in others:
        other.receive(certificate)
