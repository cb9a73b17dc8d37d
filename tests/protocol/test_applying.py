"""Applying: points move once, and in any order of arrival.  SPEC §6.1, §6.4."""

from hypothesis import given, settings
from hypothesis import strategies as some

from protocol import FREE_HIRE, Cast, MemoryBooks, advance, build_order, judge, state_digest
from tests.protocol.alliance import NAMES
from tests.protocol.cast import SIGNING
from tests.protocol.orders import CHARTER, certified, entry, order_of, paid


def test_applying_moves_points_and_releases_the_lock() -> None:
    order, books = order_of(), MemoryBooks()
    verdict = judge(order, CHARTER, books)
    assert isinstance(verdict, Cast)
    assert verdict.lock is not None
    books.lock_order("biwa", 1, verdict.lock)
    changes = advance(certified(order), books)
    assert changes is not None
    books.commit(changes)
    assert (books.head("biwa").balance, books.head("aoba").balance) == (-1, 1)
    assert books.lock("biwa", 1) is None


def test_a_certificate_is_held_back_until_what_it_has_seen_is_applied() -> None:
    full, late = MemoryBooks(), MemoryBooks()
    first = paid(full, "aoba", "biwa")
    second = paid(full, "biwa", "seeds")
    assert second.order.body.seen == {"aoba": 1}
    assert advance(second, late) is None
    for certificate in (first, second):
        changes = advance(certificate, late)
        assert changes is not None
        late.commit(changes)
    assert advance(first, late) is None, "applying twice is applying once"
    assert state_digest(late.heads()) == state_digest(full.heads())


def test_the_owner_leaves_out_what_it_cannot_pay_and_takes_the_rest() -> None:
    wanted = [entry("aoba", 30), entry("aoba", 2), entry("seeds", 10, FREE_HIRE)]
    order = build_order("biwa", wanted, charter=CHARTER, books=MemoryBooks(), key=SIGNING["biwa"])
    assert order is not None
    assert order.body.entries == (wanted[1],)


@settings(max_examples=30, deadline=None)
@given(
    some.lists(
        some.tuples(some.sampled_from(NAMES), some.sampled_from(NAMES), some.integers(1, 8)),
        max_size=12,
    ),
    some.randoms(use_true_random=False),
)
def test_any_order_of_arrival_ends_in_the_same_books(
    payments: list[tuple[str, str, int]], random: object
) -> None:
    """Sums stay zero, no account falls below its floor, and equal vectors have equal digests."""
    books, certificates = MemoryBooks(), []
    for payer, to, points in payments:
        order = payer != to and build_order(
            payer, [entry(to, points)], charter=CHARTER, books=books, key=SIGNING[payer]
        )
        if order:
            certificates.append(certified(order))
            changes = advance(certificates[-1], books)
            assert changes is not None
            books.commit(changes)
        assert sum(head.balance for head in books.heads().values()) == 0
        assert all(head.balance >= -20 for head in books.heads().values())

    other, waiting = MemoryBooks(), list(certificates)
    random.shuffle(waiting)  # type: ignore[attr-defined]
    while waiting:
        for certificate in list(waiting):
            changes = advance(certificate, other)
            if changes is not None:
                other.commit(changes)
                waiting.remove(certificate)
    assert other.vector() == books.vector()
    assert state_digest(other.heads()) == state_digest(books.heads())
