"""Warrants: which promises allow an order of a later incarnation.  SPEC §6.7."""

from collections.abc import Callable, Iterator
from itertools import combinations, combinations_with_replacement

import pytest
from hypothesis import given
from hypothesis import strategies as some

from protocol import (
    PROMISE,
    Case,
    Charter,
    Fence,
    Locked,
    Order,
    Promise,
    Signed,
    SignedDocument,
    Standing,
    Warrant,
    errors,
    promises_needed,
    propose_quorum,
    sign,
    verify_answer,
    verify_evidence,
    verify_warrant,
)
from protocol.ledger.warrant import OPEN, decide
from tests.protocol.alliance import draft, member
from tests.protocol.cast import SIGNING
from tests.protocol.members import ATTEMPT, OTHERS, OWNER, fence_of, fencing
from tests.protocol.orders import CHARTER, entry, order_of
from tests.protocol.refusals import refusal_of

X, Y = order_of(), order_of()


def promised(
    by: str, locked: Signed[Order] | None = None, *, incarnation: int = 2, **changes: object
) -> SignedDocument:
    """A promise to biwa, that reports this order."""
    fields: dict[str, object] = {
        "alliance": CHARTER.alliance,
        "epoch": 1,
        "account": OWNER,
        "incarnation": incarnation,
        "attempt": ATTEMPT,
        "sequence": 0,
        "locked": locked and Locked(locked.body.incarnation, locked.digest),
    }
    promise = Promise(**{**fields, **changes})  # type: ignore[arg-type]
    return sign(PROMISE, promise.encode(), SIGNING[by])


def case(order: Signed[Order], *promises: SignedDocument) -> Case:
    return Case(order.document, promises)


NONE = [promised(name) for name in OTHERS]
BAD: dict[str, tuple[Callable[[], Warrant], str]] = {
    "none-at-all": (Warrant, "0 others"),
    "one-too-few": (lambda: Warrant(tuple(NONE[:2])), "2 others"),
    "one-twice": (lambda: Warrant((*NONE[:2], NONE[0])), "counted twice"),
    "the-owner's-own": (lambda: Warrant((*NONE[:2], promised(OWNER))), "counted twice"),
    "another-incarnation": (
        lambda: Warrant((*NONE[:2], promised("bridge", incarnation=3))),
        "another account or incarnation",
    ),
    "another-account": (
        lambda: Warrant((*NONE[:2], promised("bridge", account="seeds"))),
        "another account or incarnation",
    ),
    "a-place-that-is-settled": (
        lambda: Warrant((*NONE[:2], promised("bridge", sequence=1))),
        "2 others",
    ),
    "a-lock-that-is-not-shown": (
        lambda: Warrant((*NONE[:2], promised("bridge", X))),
        "not shown",
    ),
    "a-lock-of-another-place": (
        lambda: Warrant(
            (*NONE[:2], promised("bridge", order_of(sequence=2, seen={"aoba": 1}))),
            (case(order_of(sequence=2, seen={"aoba": 1})),),
        ),
        "not shown",
    ),
    "a-later-lock-without-its-own-promises": (
        lambda: later_lock(()),
        "0 others",
    ),
    "a-lock-from-behind-the-fence": (
        lambda: Warrant((*NONE[:2], promised("bridge", BEHIND)), (case(BEHIND, *NONE),)),
        "not from before",
    ),
    "another-order-than-the-lock": (
        lambda: Warrant((*NONE[:2], promised("bridge", Y)), (case(Y),)),
        "another order",
    ),
}
BEHIND = order_of(incarnation=2)


def later_lock(promises: tuple[SignedDocument, ...]) -> Warrant:
    """bridge reports an order of incarnation 3 in a promise of incarnation 4."""
    locked = order_of(incarnation=3)
    return Warrant(
        (
            promised("aoba", X, incarnation=4),
            promised("seeds", incarnation=4),
            promised("bridge", locked, incarnation=4),
        ),
        (case(X), case(locked, *promises)),
    )


@pytest.mark.parametrize("defect", BAD)
def test_promises_that_prove_too_little_allow_nothing(defect: str) -> None:
    make, reason = BAD[defect]
    warrant = Warrant.parse(make().encode())
    incarnation = 4 if defect.startswith("a-later") else 2
    order = order_of(incarnation=incarnation, entries=X.body.entries)
    with pytest.raises(errors.PromisesInvalid, match=reason):
        verify_warrant(order, warrant, CHARTER)


def test_a_lock_that_was_forged_by_the_reporter_is_refused() -> None:
    """Without the owner's signature anybody could report what was never signed."""
    forged = order_of(signer="bridge")
    warrant = Warrant((*NONE[:2], promised("bridge", forged)), (case(forged),))
    with pytest.raises(errors.CertificateInvalid):
        verify_warrant(order_of(incarnation=2), warrant, CHARTER)
    answer = Warrant((promised("bridge", forged),), (case(forged),))
    with pytest.raises(errors.CertificateInvalid):
        verify_answer(answer, fence_of(fencing()).body, CHARTER)


def test_an_answer_passes_on_only_what_it_needs() -> None:
    fence: Fence = fence_of(fencing()).body
    answer = Warrant((promised("bridge", X),), (case(X), case(Y)))
    assert verify_answer(answer, fence, CHARTER).cases == (case(X),)
    other = Warrant((promised("bridge", attempt=bytes(16)),))
    with pytest.raises(errors.PromisesInvalid, match="another attempt"):
        verify_answer(other, fence, CHARTER)
    with pytest.raises(errors.PromisesInvalid, match="one promise"):
        verify_answer(Warrant(), fence, CHARTER)


# n, b, q, promises that are needed: LEDGER 4's `n + b - q + 1`, of the others that there are.
NEEDED = [(2, 1, 2, 1), (3, 1, 3, 2), (3, 0, 2, 2), (4, 1, 3, 3), (5, 1, 4, 3), (6, 1, 4, 4)]
NEEDED += [(7, 1, 5, 4), (7, 2, 5, 5), (8, 2, 6, 5), (9, 2, 6, 6), (10, 2, 7, 6)]


@pytest.mark.parametrize(("members", "b", "q", "needed"), NEEDED)
def test_as_many_promises_are_needed_as_the_search_found_safe(
    members: int, b: int, q: int, needed: int
) -> None:
    assert promises_needed(charter_of(members, b, q)) == needed


def test_no_two_attempts_can_gather_enough_in_any_alliance_of_three_or_more() -> None:
    for members in range(3, 65):
        q, b = propose_quorum(members)
        others = members - 1
        assert 2 * promises_needed(charter_of(members, b, q)) > others + b or members == 3


def charter_of(members: int, b: int, q: int) -> Charter:
    """A charter of so many; what is counted here asks for nobody's key."""
    return draft(members=tuple(member("aoba") for _ in range(members)), q=q, b=b)


# n, b, q, reports of X, of Y, of none; what LEDGER 4's counting rule leaves.
COUNTED: list[tuple[int, int, int, int, int, int, str]] = [
    (4, 1, 3, 1, 1, 1, "open"),
    (4, 1, 3, 2, 1, 0, "X"),
    (4, 1, 3, 1, 2, 0, "Y"),
    (4, 1, 3, 3, 0, 0, "X"),
    (4, 1, 3, 0, 1, 2, "Y"),
    (4, 1, 3, 0, 0, 3, "open"),
    (6, 1, 4, 2, 2, 0, "more"),
    (6, 1, 4, 3, 2, 0, "X"),
    (6, 1, 4, 2, 2, 1, "open"),
    (7, 2, 5, 3, 2, 1, "X"),
    (7, 2, 5, 3, 3, 0, "more"),
    (7, 2, 5, 2, 2, 2, "open"),
]


@pytest.mark.parametrize(("members", "b", "q", "x", "y", "none", "expected"), COUNTED)
def test_of_two_orders_only_the_one_that_can_be_certified_is_issued_again(
    members: int, b: int, q: int, x: int, y: int, none: int, expected: str
) -> None:
    locks = [Locked(1, X.digest)] * x + [Locked(1, Y.digest)] * y + [None] * none
    promises = [Promise(CHARTER.alliance, 1, OWNER, 2, ATTEMPT, 0, lock) for lock in locks]
    chosen = decide(promises, {X.digest: X, Y.digest: Y}, charter_of(members, b, q))
    assert {"X": X, "Y": Y, "open": OPEN, "more": None}[expected] is chosen


# n, b, q: the proposed quorums, and some that a charter may choose.
CHARTERS = [(3, 1, 3), (3, 0, 2), (4, 1, 3), (5, 1, 4), (6, 1, 4), (7, 1, 5), (7, 2, 5), (8, 2, 6)]


@pytest.mark.parametrize(("members", "b", "q"), CHARTERS)
def test_what_may_be_certified_is_never_given_up(members: int, b: int, q: int) -> None:
    """All ways in which honest others may have voted, and liars may report, one incarnation deep.

    `liars` are those among the others. An owner that signed two orders is a liar itself; one that
    signed one order and forgot it is not, and leaves all `b` to the others.
    """
    charter = charter_of(members, b, q)
    orders, digests = {X.digest: X, Y.digest: Y}, {"X": X.digest, "Y": Y.digest}
    for liars, values in ((b, "X"), *([(b - 1, "XY")] if b else [])):
        for votes in combinations_with_replacement((*values, ""), members - 1 - liars):
            # The owner's signature is its vote, and every liar votes for both.
            certifiable = [v for v in values if votes.count(v) + liars + 1 >= q]
            assert len(certifiable) <= 1
            for shown in _reports(votes, values, liars, promises_needed(charter)):
                locks = [Locked(1, digests[each]) if each else None for each in shown]
                chosen = decide([_reporting(lock) for lock in locks], orders, charter)
                for value in certifiable:
                    assert chosen is None or chosen is orders[digests[value]], shown


def _reporting(locked: Locked | None) -> Promise:
    return Promise(CHARTER.alliance, 1, OWNER, 2, ATTEMPT, 0, locked)


def _reports(
    votes: tuple[str, ...], values: str, liars: int, needed: int
) -> Iterator[tuple[str, ...]]:
    """Every choice of enough reports, whatever the liars among them say."""
    for lying in range(liars + 1):
        for lies in combinations_with_replacement((*values, ""), lying):
            for count in range(max(needed - lying, 0), len(votes) + 1):
                for told in sorted(set(combinations(votes, count))):
                    yield (*told, *lies)


def test_a_lock_of_a_lower_incarnation_does_not_count_beside_a_higher_one() -> None:
    higher = order_of(incarnation=3)
    warrant = later_lock(tuple(promised(name, incarnation=3) for name in OTHERS))
    locked = warrant.cases[1].order
    again = order_of(incarnation=4, entries=(entry(),))
    with pytest.raises(errors.PromisesInvalid, match="another order"):
        verify_warrant(again, warrant, CHARTER)
    assert locked.digest != higher.digest


@pytest.mark.parametrize(
    "parse",
    [
        Promise.parse,
        Fence.parse,
        Warrant.parse,
        Standing.parse,
        lambda data: verify_evidence(data, CHARTER),
    ],
    ids=["promise", "fence", "warrant", "standing", "evidence"],
)
@given(data=some.binary(max_size=200))
def test_garbage_is_a_refusal_with_a_code(parse: Callable[[bytes], object], data: bytes) -> None:
    assert refusal_of(lambda: parse(data)) is not None


def test_a_warrant_names_promises_by_their_place_in_its_pool_only() -> None:
    data = Warrant(tuple(NONE)).encode()
    for wrong in (b"[0,1,3]", b"[0,1,-1]", b'[0,1,"2"]', b"[0,1,true]"):
        with pytest.raises(errors.DocumentInvalid):
            Warrant.parse(data.replace(b"[0,1,2]", wrong))
