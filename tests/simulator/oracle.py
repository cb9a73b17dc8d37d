"""The oracle: what must hold after every step, told by what left each member and by nothing else.

It stands apart from the code under test. It knows who lies, which the members do not, and keeps a
ledger of its own that is fed with certificates only.
"""

from collections.abc import Mapping
from typing import Any

from protocol import (
    NO_PREVIOUS,
    Certificate,
    Charter,
    Order,
    OrderAnswer,
    Promise,
    SignedDocument,
    Warrant,
    b64decode,
    state_digest,
    strictjson,
    verify_certificate,
)
from tests.simulator.disk import Fact
from tests.simulator.member import Member, Message

# Stands in every entry's document, which never enters the ledger: only its commitment does.
PLAINTEXT = "渡邊".encode()


class Violation(AssertionError):
    """An invariant is broken."""


class Oracle:
    """Watches one run."""

    def __init__(self, charter: Charter, liars: frozenset[str]) -> None:
        self.charter, self.liars = charter, liars
        # place -> incarnation -> what the order says -> the honest members that voted for it.
        self.votes: dict[tuple[str, int], dict[tuple[int, bytes], set[str]]] = {}
        self.voted: dict[tuple[str, str, int, int], bytes] = {}
        self.promised: dict[tuple[str, str], int] = {}
        self.signed: dict[tuple[str, int, int], bytes] = {}
        self.contents: dict[bytes, Order] = {}
        self.states: dict[tuple[tuple[str, int], ...], bytes] = {}
        self.certified: dict[tuple[str, int], Order] = {}
        self.entries: set[tuple[str, str]] = set()

    # --- What leaves a member. ---

    def left(self, member: Member, message: Message, fact: Fact | None) -> None:
        """A message leaves; its cause must be on the disk, and it must not contradict another."""
        if PLAINTEXT in message.data:
            raise Violation("a name of a person left in a message of the ledger")
        if not member.is_honest:
            if message.kind == "order":
                self._ordered(message, is_honest=False)
            return
        if fact is not None and fact not in member.disk.durable:
            raise Violation(f"{member.instance} let a {fact[0]} out before it was durable")
        keeps_rules = member.name not in self.liars
        if message.kind == "order":
            self._ordered(message, is_honest=keeps_rules)
        elif not keeps_rules:
            # A clone's two halves know nothing of each other: only together do they break rules.
            return
        elif message.kind == "vote" and fact is not None:
            self._voted(member.name, message)
        elif message.kind == "promise":
            promise = Promise.parse(Warrant.parse(message.data).promises[0].payload)
            key = (member.name, promise.account)
            self.promised[key] = max(self.promised.get(key, 0), promise.incarnation)

    def _ordered(self, message: Message, *, is_honest: bool) -> None:
        document = SignedDocument.parse(message.data)
        order = Order.parse(document.payload)
        self.contents[document.digest] = order
        if not is_honest:
            return
        key = (order.account, order.sequence, order.incarnation)
        if self.signed.setdefault(key, document.digest) != document.digest:
            raise Violation(f"{order.account}, honest, signed two orders for {key}")

    def _voted(self, voter: str, message: Message) -> None:
        vote = OrderAnswer.parse(message.data).vote
        assert vote is not None
        said = strictjson.parse(vote.payload, bytes_max=1000)
        place, incarnation = (said["account"], said["sequence"]), said["incarnation"]
        digest = b64decode(said["order"])
        key = (voter, *place, incarnation)
        if self.voted.setdefault(key, digest) != digest:
            raise Violation(f"{voter}, honest, voted for two orders in {place}")
        if incarnation < self.promised.get((voter, place[0]), 0):
            raise Violation(f"{voter} voted in {place} below its promise")
        votes = self.votes.setdefault(place, {}).setdefault((incarnation, digest), set())
        votes.add(voter)
        self._at_most_one(place)

    def _at_most_one(self, place: tuple[str, int]) -> None:
        """No two orders that say different things can gather a quorum for one place."""
        certifiable: dict[Any, tuple[int, bytes]] = {}
        for (incarnation, digest), voters in self.votes[place].items():
            if self.is_certifiable(place[0], voters):
                certifiable[said_by(self.contents[digest])] = (incarnation, digest)
        if len(certifiable) > 1:
            raise Violation(f"two orders can be certified for {place}")

    def is_certifiable(self, account: str, honest: set[str]) -> bool:
        return len(honest | self.liars | {account}) >= self.charter.q

    # --- What a member applies. ---

    def committed(self, member: Member, certificate: Certificate) -> None:
        order = certificate.order.body
        self.contents.setdefault(certificate.order.digest, order)
        if member.name in self.liars:
            return
        self._had_a_quorum(certificate)
        self._reference(order)
        books = member.store.books
        vector = tuple(sorted(books.vector().items()))
        heads: Mapping[str, Any] = books.heads()
        digest = state_digest(heads)
        if self.states.setdefault(vector, digest) != digest:
            raise Violation(f"equal vectors, unequal digests at {vector}")
        if sum(head.balance for head in heads.values()) != 0:
            raise Violation("the balances do not sum to zero")
        for account, head in heads.items():
            if head.balance < -self.charter.member(account).credit_limit:
                raise Violation(f"{account} is below its floor")

    def started(self, member: Member) -> None:
        """Look for what a member applied in the moment before it crashed."""
        for account, sequence in member.store.applied:
            if (account, sequence) not in self.certified and member.name not in self.liars:
                data = member.store.books.certificate(account, sequence)
                assert data is not None
                self._reference(verify_certificate(data, self.charter).order.body)

    def _had_a_quorum(self, certificate: Certificate) -> None:
        order = certificate.order.body
        key = (order.incarnation, certificate.order.digest)
        voters = self.votes.get((order.account, order.sequence), {}).get(key, set())
        if not self.is_certifiable(order.account, voters):
            raise Violation(f"{order.account}'s order {order.sequence} has no quorum")

    def _reference(self, order: Order) -> None:
        """The ledger told by certificates alone: one order a place, valid on what it had seen."""
        place = order.account, order.sequence
        known = self.certified.setdefault(place, order)
        if said_by(known) != said_by(order):
            raise Violation(f"two orders are certified for {place}")
        if known is not order:
            return
        if order.sequence == 1 and order.previous != NO_PREVIOUS:
            raise Violation("a first order follows another")
        paid = sum(
            entry.points
            for (payer, sequence), each in self.certified.items()
            if sequence <= order.seen.get(payer, 0)
            for entry in each.entries
            if entry.to == order.account
        )
        spent = sum(
            each.debit
            for (payer, sequence), each in self.certified.items()
            if payer == order.account and sequence <= order.sequence
        )
        if paid - spent < -self.charter.member(order.account).credit_limit:
            raise Violation(f"{place} was certified beyond the account's limit")
        for entry in order.entries:
            if (order.account, entry.id) in self.entries:
                raise Violation(f"entry {entry.id} was certified twice")
            self.entries.add((order.account, entry.id))

    def accused(self, account: str) -> None:
        if account not in self.liars:
            raise Violation(f"evidence blames {account}, which is honest")


def said_by(order: Order) -> tuple[Any, ...]:
    """What an order says, whatever its incarnation."""
    return (order.previous, tuple(sorted(order.seen.items())), order.entries)
