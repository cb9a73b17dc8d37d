"""Warrants: the promises that allow an order in a later incarnation, and what they leave open.

An order of a later incarnation is safe when enough *others* promised not to vote below it, and when
it says what the promises say may be certified already. Members report the order they had locked in
the open place as its owner signed it, so nobody can invent one; and a lock of a later incarnation
counts only with its own warrant, so an owner cannot sign itself a higher one.  SPEC §6.7.

    decide   promises -> Open (nothing can be certified) | an order to issue again | None (ask more)

The counting is that of LEDGER 4, found safe by exhaustive search, one promise fewer unsafe.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from protocol import limits
from protocol.charter import Charter
from protocol.documents.ledger import FIRST_INCARNATION, Order
from protocol.documents.recovery import PROMISE, Fence, Promise
from protocol.errors import DocumentInvalid, EpochMismatch, PromisesInvalid
from protocol.keys import VerifyKey
from protocol.ledger.certificates import content_digest, verify_order
from protocol.signed import Signed, SignedDocument, verify
from protocol.strictjson import JSON, Reader, encode, parse


class Case(NamedTuple):
    """An order that was locked in a later incarnation, and the promises that allowed it then."""

    order: SignedDocument
    promises: tuple[SignedDocument, ...]


@dataclass(frozen=True, slots=True)
class Warrant:
    """Promises, and the orders that they report; `cases` hold those orders with their own warrant.

    Flat, since a lock's own warrant may rest on another: the same promise stands in it once.
    """

    promises: tuple[SignedDocument, ...] = ()
    cases: tuple[Case, ...] = ()

    def encode(self) -> bytes:
        pool = list(dict.fromkeys(self._every_promise()))
        place = {promise: index for index, promise in enumerate(pool)}
        cases: JSON = [
            {"order": case.order.to_json(), "promises": [place[each] for each in case.promises]}
            for case in self.cases
        ]
        return encode(
            {
                "cases": cases,
                "pool": [promise.to_json() for promise in pool],
                "promises": [place[each] for each in self.promises],
            }
        )

    def _every_promise(self) -> Iterator[SignedDocument]:
        yield from self.promises
        for case in self.cases:
            yield from case.promises

    @classmethod
    def parse(cls, data: bytes) -> Warrant:
        return cls.read(Reader(parse(data, bytes_max=limits.WARRANT_BYTES_MAX)))

    @classmethod
    def read(cls, reader: Reader) -> Warrant:
        """The warrant where it stands within another document."""
        documents = reader.list("pool", limits.WARRANT_PROMISES_MAX)
        pool = [SignedDocument.from_json(each) for each in documents]
        cases = []
        for each in reader.objects("cases", limits.WARRANT_ORDERS_MAX):
            order = SignedDocument.from_json(each.value("order"))
            cases.append(Case(order, _chosen(each, pool)))
            each.done()
        warrant = cls(_chosen(reader, pool), tuple(cases))
        reader.done()
        return warrant


def _chosen(reader: Reader, pool: list[SignedDocument]) -> tuple[SignedDocument, ...]:
    chosen = []
    for index in reader.list("promises", limits.MEMBERS_MAX):
        if type(index) is not int or not 0 <= index < len(pool):
            raise DocumentInvalid("promises are named by their place in the pool")
        chosen.append(pool[index])
    return tuple(chosen)


def promises_needed(charter: Charter) -> int:
    """How many *others* must promise: `n + b - q + 1`, which is all others of two to four members.

    So many that a certified order was locked by an honest one among them, whatever the owner has
    forgotten. And more than half of all that others can give, liars twice, so that no two attempts
    gather enough for one incarnation; the table's quorums ask for no more than the first.
    """
    others = len(charter.members) - 1
    seen_by_one = len(charter.members) + charter.b - charter.q + 1
    by_one_attempt = (others + charter.b) // 2 + 1
    return min(max(seen_by_one, by_one_attempt), others)


@dataclass(frozen=True, slots=True)
class Open:
    """No order can be certified in the place below this incarnation: the owner is free."""


OPEN = Open()


def decide(
    promises: Sequence[Promise], orders: Mapping[bytes, Signed[Order]], charter: Charter
) -> Open | Signed[Order] | None:
    """What the place may hold, by promises of different members that speak of it.

    The locks of the highest incarnation count. One order: it is to be issued again. Two orders
    prove that the owner signed twice; then an order is possible as long as a quorum for it can be
    imagined: those that report it, those not asked, the owner, and the liars there still may be,
    one fewer since the owner is one. None: more promises are needed.
    """
    locks = [promise.locked for promise in promises if promise.locked is not None]
    if not locks:
        return OPEN
    highest = max(lock.incarnation for lock in locks)
    reported = [lock.order for lock in locks if lock.incarnation == highest]
    if len(set(reported)) == 1:
        return _found(reported[0], orders)

    missing = len(charter.members) - 1 - len(promises)
    possible = []
    for digest in sorted(set(reported)):
        reports = reported.count(digest)
        liars = min(max(charter.b - 1, 0), len(promises) - reports)
        if reports + missing + liars + 1 >= charter.q:
            possible.append(digest)
    if len(possible) > 1:
        return None
    return _found(possible[0], orders) if possible else OPEN


def _found(digest: bytes, orders: Mapping[bytes, Signed[Order]]) -> Signed[Order]:
    """The reported order itself: a report without the owner's signature could be anybody's word."""
    try:
        return orders[digest]
    except KeyError:
        raise PromisesInvalid("a promise reports an order that is not shown") from None


def verify_warrant(order: Signed[Order], warrant: Warrant, charter: Charter) -> None:
    """Raise PromisesInvalid unless the promises allow this order in its place and incarnation."""
    _Proof(order.body.slot, warrant.cases, charter).check(order, warrant.promises)


def choose(
    fence: Fence, sequence: int, warrant: Warrant, charter: Charter
) -> Open | Signed[Order] | None:
    """What the owner may issue in a place by the promises it has; None while it needs more."""
    proof = _Proof((fence.account, sequence), warrant.cases, charter)
    usable = about(sequence, proof.given(fence, warrant.promises))
    if len(usable) < promises_needed(charter):
        return None
    return decide(usable, proof.reported(fence, usable), charter)


class Answer(NamedTuple):
    """A member's answer to a fence, proven: its promise, and what it shows of its lock."""

    promise: Signed[Promise]
    cases: tuple[Case, ...]

    @property
    def member(self) -> str:
        return self.promise.signer


def verify_answer(answer: Warrant, fence: Fence, charter: Charter) -> Answer:
    """The one promise of an answer to this fence, and the lock it reports, both proven.

    Cases that the report does not need are left out: nothing unproven is passed on.
    """
    if len(answer.promises) != 1:
        raise PromisesInvalid("an answer to a fence holds one promise")
    document = answer.promises[0]
    promise = verify_promise(document, charter)
    proof = _Proof((fence.account, promise.body.sequence + 1), answer.cases, charter)
    if proof.given(fence, [document])[0].attempt != fence.attempt:
        raise PromisesInvalid("the promise was given to another attempt")
    proof.reported(fence, [promise.body])
    return Answer(promise, proof.proven())


def verify_promise(document: SignedDocument, charter: Charter) -> Signed[Promise]:
    """The promise, proven to be signed by the member that gave it, under this charter."""
    if len(document.signatures) != 1 or document.signatures[0].keyid not in charter.keys:
        raise PromisesInvalid("a promise is signed by one member")
    promise = _proven(document, *charter.keys[document.signatures[0].keyid])
    if (promise.body.alliance, promise.body.epoch) != (charter.alliance, charter.epoch):
        raise EpochMismatch("the promise is of another epoch", epoch=charter.epoch)
    return promise


@lru_cache(maxsize=limits.WARRANT_PROMISES_MAX)
def _proven(document: SignedDocument, key: VerifyKey, member: str) -> Signed[Promise]:
    """A warrant goes with every order of its incarnation, so its promises come again and again."""
    return verify(document, PROMISE, {key.keyid: (key, member)}, Promise.parse)


def about(sequence: int, promises: Iterable[Promise]) -> list[Promise]:
    """The promises that speak of a place, as they count for it.

    A member that stood just before it reports its lock there. One that was further behind had no
    lock there, whatever it reports of an earlier place. One that was beyond says that the place is
    settled: it does not count.
    """
    usable = []
    for promise in promises:
        if promise.sequence + 1 == sequence:
            usable.append(promise)
        elif promise.sequence < sequence:
            usable.append(without_lock(promise))
    return usable


def without_lock(promise: Promise) -> Promise:
    """The promise as it counts for a later place than the one it reports on."""
    return Promise(
        promise.alliance,
        promise.epoch,
        promise.account,
        promise.incarnation,
        promise.attempt,
        promise.sequence,
        None,
    )


class _Proof:
    """One look into the warrant of a place. What was proven once is not proven again: an owner that
    signs twice in every incarnation could make the ways through them double with each.
    """

    def __init__(self, slot: tuple[str, int], cases: Iterable[Case], charter: Charter) -> None:
        self._slot = slot
        self._cases = {case.order.digest: case for case in cases}
        self._charter = charter
        self._orders: dict[bytes, Signed[Order]] = {}

    def check(self, order: Signed[Order], documents: Iterable[SignedDocument]) -> None:
        """Raise unless these promises allow this order."""
        usable = about(order.body.sequence, self.given(order.body, documents))
        needed = promises_needed(self._charter)
        if len(usable) < needed:
            raise PromisesInvalid(f"{len(usable)} others promised and {needed} are needed")
        chosen = decide(usable, self.reported(order.body, usable), self._charter)
        if chosen is None:
            raise PromisesInvalid("the promises leave two orders possible")
        if isinstance(chosen, Signed) and content_digest(chosen) != content_digest(order):
            raise PromisesInvalid("another order may be certified in this place")

    def given(self, body: Order | Fence, documents: Iterable[SignedDocument]) -> list[Promise]:
        """The promises, each of another member, and all to the order's owner and one attempt."""
        given: dict[str, Promise] = {}
        for document in documents:
            promise = verify_promise(document, self._charter)
            if (promise.body.account, promise.body.incarnation) != (body.account, body.incarnation):
                raise PromisesInvalid("a promise is about another account or incarnation")
            if promise.signer == body.account or promise.signer in given:
                raise PromisesInvalid(f"{promise.signer} is counted twice")
            given[promise.signer] = promise.body
        if len({promise.attempt for promise in given.values()}) > 1:
            raise PromisesInvalid("the promises were given to two attempts, perhaps of two clones")
        return list(given.values())

    def proven(self) -> tuple[Case, ...]:
        """The cases that were needed, and found good."""
        return tuple(self._cases[digest] for digest in self._orders)

    def reported(
        self, body: Order | Fence, promises: Sequence[Promise]
    ) -> dict[bytes, Signed[Order]]:
        """The orders reported in the highest incarnation, each one proven."""
        locks = [promise.locked for promise in promises if promise.locked is not None]
        highest = max((lock.incarnation for lock in locks), default=FIRST_INCARNATION)
        if highest >= body.incarnation:
            raise PromisesInvalid("a promise reports an order that is not from before it")
        return {
            lock.order: self._locked(lock.order, highest)
            for lock in locks
            if lock.incarnation == highest
        }

    def _locked(self, digest: bytes, incarnation: int) -> Signed[Order]:
        case = self._cases.get(digest)
        if case is None:
            raise PromisesInvalid("a promise reports an order that is not shown")
        if digest not in self._orders:
            locked = verify_order(case.order, self._charter)
            if locked.body.slot != self._slot or locked.body.incarnation != incarnation:
                raise PromisesInvalid(
                    "the order shown is not of the place and incarnation reported"
                )
            if incarnation > FIRST_INCARNATION:
                self.check(locked, case.promises)
            self._orders[digest] = locked
        return self._orders[digest]
