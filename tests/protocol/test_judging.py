"""Judging: what a member answers to another member's order.  SPEC §6.2."""

from collections.abc import Callable

import pytest

from protocol import (
    FREE_HIRE,
    Cast,
    MemoryBooks,
    Need,
    Order,
    Settled,
    Signed,
    SignedDocument,
    cast_vote,
    errors,
    judge,
    verify_order,
)
from tests.protocol.cast import SIGNING
from tests.protocol.orders import CHARTER, entry, order_of, paid, snapshot


def test_a_valid_order_asks_for_a_durable_lock_before_the_vote() -> None:
    order, books = order_of(), MemoryBooks()
    verdict = judge(order, CHARTER, books)
    assert isinstance(verdict, Cast)
    assert verdict.lock is not None
    assert verdict.lock.digest == order.digest
    # Asking locked nothing: that is the caller's transaction.
    assert books.lock("biwa", 1) is None


def test_the_same_order_again_is_the_same_vote_without_a_new_lock() -> None:
    order, books = order_of(), MemoryBooks()
    verdict = judge(order, CHARTER, books)
    assert isinstance(verdict, Cast)
    assert verdict.lock is not None
    books.lock_order("biwa", 1, verdict.lock)
    assert judge(order, CHARTER, books) == Cast(order, None)
    assert cast_vote(order, SIGNING["aoba"]) == cast_vote(order, SIGNING["aoba"])


def test_a_second_order_in_the_place_is_refused_with_the_first_as_proof() -> None:
    first, second, books = order_of(), order_of(), MemoryBooks()
    verdict = judge(first, CHARTER, books)
    assert isinstance(verdict, Cast)
    assert verdict.lock is not None
    books.lock_order("biwa", 1, verdict.lock)
    before = snapshot(books)
    with pytest.raises(errors.OrderConflict) as refusal:
        judge(second, CHARTER, books)
    assert SignedDocument.from_json(refusal.value.facts["order"]) == first.document
    assert snapshot(books) == before


def test_a_settled_place_is_answered_with_its_certificate() -> None:
    books = MemoryBooks()
    certificate = paid(books, "biwa", "aoba")
    assert judge(certificate.order, CHARTER, books) == Settled(certificate.data)


def test_an_order_on_what_we_lack_is_answered_with_what_we_need() -> None:
    ahead = order_of(sequence=3, seen={"aoba": 2})
    assert judge(ahead, CHARTER, MemoryBooks()) == Need({"aoba": (1, 2), "biwa": (1, 2)})


BAD_ORDERS: dict[str, tuple[Callable[[], Signed[Order]], type[errors.ProtocolError]]] = {
    "over-the-limit": (
        lambda: order_of(entries=(entry(points=21),)),
        errors.LimitExceeded,
    ),
    "free-hire-on-credit": (
        lambda: order_of(entries=(entry(points=10, kind=FREE_HIRE),)),
        errors.LimitExceeded,
    ),
    "credit-used-beside-a-free-hire": (
        lambda: order_of(entries=(entry(points=1), entry(points=1, kind=FREE_HIRE))),
        errors.LimitExceeded,
    ),
    "to-itself": (lambda: order_of(entries=(entry("biwa"),)), errors.OrderInvalid),
    "to-a-stranger": (lambda: order_of(entries=(entry("zeta"),)), errors.OrderInvalid),
    "another-previous": (lambda: order_of(previous=bytes([1]) * 32), errors.OrderInvalid),
    "seen-of-itself": (lambda: order_of(seen={"biwa": 1}, sequence=2), errors.OrderInvalid),
    "a-later-incarnation-without-promises": (
        lambda: order_of(incarnation=2),
        errors.IncarnationStale,
    ),
}


@pytest.mark.parametrize("defect", [d for d in BAD_ORDERS if d != "seen-of-itself"])
def test_an_order_that_is_not_valid_is_refused_and_nothing_changes(defect: str) -> None:
    make, expected = BAD_ORDERS[defect]
    books = MemoryBooks()
    before = snapshot(books)
    with pytest.raises(expected):
        judge(make(), CHARTER, books)
    assert snapshot(books) == before


def test_an_order_that_has_seen_itself_is_refused() -> None:
    books = MemoryBooks()
    first = paid(books, "biwa", "aoba")
    with pytest.raises(errors.OrderInvalid):
        judge(order_of(seen={"biwa": 1}, sequence=2, previous=first.order.digest), CHARTER, books)


def test_an_entry_that_was_paid_before_is_refused() -> None:
    books = MemoryBooks()
    first = paid(books, "biwa", "aoba")
    again = order_of(
        sequence=2, previous=first.order.digest, entries=(first.order.body.entries[0],)
    )
    with pytest.raises(errors.OrderInvalid, match="paid before"):
        judge(again, CHARTER, books)


def test_credit_counts_only_within_what_the_order_has_seen() -> None:
    """A vote is about the causal past: what arrived here later must not change it."""
    books = MemoryBooks()
    paid(books, "aoba", "biwa", 5)
    rich, blind = (order_of(entries=(entry(points=25),), seen=seen) for seen in ({"aoba": 1}, {}))
    assert isinstance(judge(rich, CHARTER, books), Cast)
    with pytest.raises(errors.LimitExceeded) as refusal:
        judge(blind, CHARTER, books)
    assert refusal.value.facts == {"left": -25, "floor": -20}


def test_an_order_signed_by_another_member_is_refused() -> None:
    foreign = order_of(signer="seeds")
    with pytest.raises(errors.CertificateInvalid):
        verify_order(foreign.document, CHARTER)


def test_an_order_of_another_epoch_is_refused_with_ours() -> None:
    with pytest.raises(errors.EpochMismatch) as refusal:
        verify_order(order_of(epoch=2).document, CHARTER)
    assert refusal.value.facts == {"epoch": 1}
