"""The ledger's rules: one order a place, a quorum of members, points that exist."""

import secrets
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from protocol import (
    CORRECTION,
    FREE_HIRE,
    NO_PREVIOUS,
    ORDER,
    REFERRAL_ENTRY,
    Ballot,
    Cast,
    Certificate,
    Charter,
    Entry,
    MemoryBooks,
    Need,
    Order,
    OrderAnswer,
    Pull,
    PullAnswer,
    Settled,
    Signature,
    Signed,
    SignedDocument,
    Vote,
    advance,
    build_order,
    cast_vote,
    commitment,
    errors,
    judge,
    lacking,
    sign,
    state_digest,
    strictjson,
    verify,
    verify_certificate,
    verify_order,
)
from tests.protocol.alliance import NAMES, founded
from tests.protocol.cast import SIGNING
from tests.protocol.refusals import refusal_of

CHARTER = founded()


def entry(to: str = "aoba", points: int = 1, kind: str = REFERRAL_ENTRY, id_: str = "") -> Entry:
    return Entry(id_ or secrets.token_hex(16), kind, to, points, bytes(32))


def order_of(account: str = "biwa", signer: str = "", **changes: object) -> Signed[Order]:
    """An order, signed and proven; what is changed in it is the owner's own doing."""
    fields: dict[str, object] = {
        "alliance": CHARTER.alliance,
        "epoch": 1,
        "account": account,
        "sequence": 1,
        "incarnation": 1,
        "previous": NO_PREVIOUS,
        "seen": {},
        "entries": (entry("aoba" if account != "aoba" else "biwa"),),
    }
    order = Order(**{**fields, **changes})  # type: ignore[arg-type]
    document = sign(ORDER, order.encode(), SIGNING[signer or account])
    return verify(document, ORDER, CHARTER.keys, Order.parse)


def certified(order: Signed[Order], charter: Charter = CHARTER) -> Certificate:
    ballot = Ballot(order, charter)
    for voter in (name for name in NAMES if name != order.body.account):
        if not ballot.is_complete:
            ballot.add(cast_vote(order, SIGNING[voter]), voter)
    certificate = ballot.certificate()
    assert certificate is not None
    return certificate


def paid(books: MemoryBooks, payer: str, to: str, points: int = 1) -> Certificate:
    """One certified order of `payer`, applied to `books`."""
    order = build_order(
        payer, [entry(to, points)], charter=CHARTER, books=books, key=SIGNING[payer]
    )
    assert order is not None
    certificate = certified(order)
    changes = advance(certificate, books)
    assert changes is not None
    books.commit(changes)
    return certificate


def snapshot(books: MemoryBooks) -> tuple[object, ...]:
    return state_digest(books.heads()), books.lock("biwa", 1), books.lock("biwa", 2)


# --- Judging. ---


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


# --- Certificates. ---


def test_a_certificate_of_a_quorum_verifies_and_keeps_its_bytes() -> None:
    certificate = certified(order_of())
    assert verify_certificate(certificate.data, CHARTER) == certificate
    assert len(certificate.vote.signatures) == CHARTER.q - 1


def with_votes(change: Callable[[tuple[Signature, ...]], tuple[Signature, ...]]) -> bytes:
    certificate = certified(order_of())
    vote = certificate.vote
    changed = SignedDocument(vote.kind, vote.payload, change(vote.signatures))
    return strictjson.encode(
        {"order": certificate.order.document.to_json(), "vote": changed.to_json()}
    )


def vote_of(name: str) -> Signature:
    return cast_vote(order_of(), SIGNING[name]).signatures[0]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda votes: votes[:1], "needed"),
        (lambda votes: (votes[0], votes[0]), "twice"),
        (lambda votes: (*votes, vote_of("biwa")), "twice"),
        (lambda votes: (votes[0], replace(votes[1], value=bytes(64))), "verify"),
        (lambda votes: (votes[0], vote_of("seeds")), "verify"),
        (lambda votes: (votes[0], replace(votes[1], keyid="A" * 43)), "no member"),
    ],
    ids=[
        "below-quorum",
        "a-voter-twice",
        "the-owner-again",
        "a-forged-vote",
        "a-vote-for-another-order",
        "a-stranger",
    ],
)
def test_a_certificate_without_a_quorum_is_refused(
    change: Callable[[tuple[Signature, ...]], tuple[Signature, ...]], reason: str
) -> None:
    with pytest.raises(errors.CertificateInvalid, match=reason):
        verify_certificate(with_votes(change), CHARTER)


def test_a_vote_about_another_digest_does_not_certify() -> None:
    certificate = certified(order_of())
    other = certified(order_of())
    mixed = strictjson.encode(
        {"order": certificate.order.document.to_json(), "vote": other.vote.to_json()}
    )
    with pytest.raises(errors.CertificateInvalid, match="another order"):
        verify_certificate(mixed, CHARTER)


def test_our_own_vote_is_not_verified_again_and_nobody_elses_is_skipped() -> None:
    certificate = certified(order_of())
    own = certificate.vote.signatures[0]
    assert verify_certificate(certificate.data, CHARTER, proven=certificate.order, own=own)
    forged = with_votes(lambda votes: (votes[0], replace(votes[1], value=bytes(64))))
    with pytest.raises(errors.CertificateInvalid):
        verify_certificate(forged, CHARTER, own=own)


def test_a_ballot_counts_members_not_votes() -> None:
    order = order_of()
    ballot = Ballot(order, CHARTER)
    for _ in range(3):
        ballot.add(cast_vote(order, SIGNING["aoba"]), "aoba")
    assert ballot.certificate() is None
    assert ballot.voters == {"aoba", "biwa"}
    with pytest.raises(errors.CertificateInvalid):
        ballot.add(cast_vote(order, SIGNING["seeds"]), "bridge")
    with pytest.raises(errors.CertificateInvalid):
        ballot.add(cast_vote(order_of(), SIGNING["seeds"]), "seeds")
    assert ballot.certificate() is None


# --- Applying. ---


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


# --- Bytes. ---


def test_an_order_and_a_vote_are_written_as_the_one_encoder_writes() -> None:
    order = order_of(seen={"aoba": 3, "seeds": 1}, sequence=7)
    assert Order.parse(order.document.payload) == order.body
    vote = Vote.on(order.body, order.digest)
    assert vote.encode() == strictjson.encode(strictjson.parse(vote.encode(), bytes_max=10_000))
    certificate = certified(order_of())
    again = strictjson.parse(certificate.data, bytes_max=100_000)
    assert strictjson.encode(again) == certificate.data


def test_answers_and_pulls_read_back_as_they_were_written() -> None:
    certificate = certified(order_of())
    for answer in (
        OrderAnswer(vote=certificate.vote),
        OrderAnswer(need={"aoba": (1, 4)}),
        OrderAnswer(certificate=certificate.data),
    ):
        assert OrderAnswer.parse(answer.encode()) == answer
    pull = Pull({"aoba": 4}, 1)
    assert Pull.parse(pull.encode()) == pull
    page = PullAnswer({"aoba": 4}, bytes(32), (certificate.data,), more=True)
    assert PullAnswer.parse(page.encode()) == page


def test_what_a_replica_lacks_is_counted_from_its_own_vector() -> None:
    assert lacking({"aoba": 2, "seeds": 9}, {"aoba": 5, "biwa": 1, "seeds": 9}) == {
        "aoba": (3, 5),
        "biwa": (1, 1),
    }


@pytest.mark.parametrize(
    "parse",
    [
        Order.parse,
        OrderAnswer.parse,
        Pull.parse,
        PullAnswer.parse,
        lambda b: verify_certificate(b, CHARTER),
    ],
    ids=["order", "answer", "pull", "page", "certificate"],
)
@given(data=some.binary(max_size=300))
def test_garbage_is_a_refusal_with_a_code(parse: Callable[[bytes], object], data: bytes) -> None:
    assert refusal_of(lambda: parse(data)) is not None


@given(at=some.integers(0, 2000), bit=some.integers(0, 7))
def test_an_order_with_one_bit_changed_is_refused(at: int, bit: int) -> None:
    whole = bytearray(certified(order_of()).data)
    whole[at % len(whole)] ^= 1 << bit
    assert refusal_of(lambda: verify_certificate(bytes(whole), CHARTER)) is not None


@pytest.mark.parametrize(
    "change",
    [
        (b'"points":1', b'"points":0'),
        (b'"points":1', b'"points":-1'),
        (b'"points":1', b'"points":1.5'),
        (b'"points":1', b'"points":"1"'),
        (b'"points":1', b'"points":true'),
        (b'"points":1', b'"points":1000001'),
        (b'"kind":"referral"', b'"kind":"gift"'),
        (b'"sequence":1', b'"sequence":0'),
        (b'"epoch":1', b'"epoch":1,"extra":1'),
        (b'"seen":{}', b'"seen":{"biwa":0}'),
    ],
    ids=lambda change: change[1].decode(),
)
def test_an_order_with_a_wrong_field_is_refused(change: tuple[bytes, bytes]) -> None:
    payload = order_of().document.payload
    assert change[0] in payload
    assert refusal_of(lambda: Order.parse(payload.replace(*change))) is not None


def test_a_commitment_needs_its_salt() -> None:
    salt, digest = bytes([1]) * 32, bytes([2]) * 32
    assert commitment(salt, digest) != commitment(bytes(32), digest)
    assert commitment(salt, digest) == commitment(salt, digest)
    assert CORRECTION == "correction"
