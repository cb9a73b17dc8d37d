"""Activation: what a decree does to the books, to open orders, and to whoever leaves or comes."""

from collections.abc import Callable

import pytest

from protocol import (
    REFERRAL_ENTRY,
    WITNESS,
    Ballot,
    Cast,
    Certificate,
    Charter,
    Cut,
    Entry,
    Lock,
    MemoryBooks,
    Need,
    Order,
    Place,
    Signed,
    SignedDocument,
    advance,
    build_order,
    cast_vote,
    decree,
    errors,
    judge,
    state_digest,
    verify_order,
)
from tests.protocol.decree.drafts import (
    IDENTITY,
    NEW_KEY,
    NODE,
    Table,
    changed,
    drafted,
    founded,
    member,
    without,
)
from tests.protocol.decree.scenarios import order, proven
from tests.protocol.refusals import refusal_of

CHARTER = founded()
THREE = ("aoba", "biwa", "seeds")


def certificate(signed: Signed[Order], charter: Charter = CHARTER) -> Certificate:
    ballot = Ballot(signed, charter)
    for name in sorted(charter.by_id.keys() - {signed.body.account}):
        ballot.add(cast_vote(signed, NODE[name]), name)
    made = ballot.certificate()
    assert made is not None
    return made


def apply(signed: Signed[Order], *books: MemoryBooks, charter: Charter = CHARTER) -> None:
    for each in books:
        changes = advance(certificate(signed, charter), each)
        assert changes is not None
        each.commit(changes)


def opened(table: Table, found: decree.Decree, orders: list[Signed[Order]], name: str) -> Charter:
    """The member takes the decree into force; its books are changed."""
    books = table.books[name]
    carried = {each.digest: each for each in orders}
    activation = decree.judge_decree(found, carried, CHARTER, books)
    assert isinstance(activation, decree.Activation)
    for changes in activation.placed:
        books.commit(changes)
    for changes in activation.amended:
        books.amend(changes)
    books.release_locks()
    assert activation.seat == decree.Seat(2)
    return activation.charter


FIRST = proven(order("aoba", "biwa"))
SECOND = proven(order("aoba", "seeds", sequence=2, previous=FIRST.digest))


def test_what_some_have_voted_for_is_put_into_its_place_by_the_decree_itself() -> None:
    """The owner is away, so nobody can finish its order: the decree does, with the same bytes."""
    table = Table(CHARTER)
    apply(FIRST, *table.books.values())
    table.locks["biwa"]["aoba"] = SECOND.document
    found = table.decide(drafted(CHARTER), ("biwa", "seeds", "bridge"))
    following = decree.verify_decree(found, CHARTER)
    assert following.cut is not None
    assert following.cut.carried == {"aoba": (SECOND.digest,)}
    assert following.opened_on == {"aoba": 2}
    for name in table.names:
        opened(table, found, [SECOND], name)
        assert table.books[name].head("aoba").balance == -6
        assert table.books[name].head("seeds").balance == 3
        assert state_digest(table.books[name].heads()) == following.cut.state


def test_whoever_lags_behind_says_what_is_missing_first() -> None:
    table = Table(CHARTER)
    apply(FIRST, *table.books.values())
    table.locks["biwa"]["aoba"] = SECOND.document
    found = table.decide(drafted(CHARTER))
    assert decree.judge_decree(found, {}, CHARTER, MemoryBooks()) == Need({"aoba": (1, 1)})
    assert decree.judge_decree(found, {}, CHARTER, table.books["aoba"]) == Need({"aoba": (2, 2)})
    # A peer that has it sends what stands in the certificate's place, and the cut vouches for it.
    following = opened(table, found, [SECOND], "biwa")
    data = table.books["biwa"].certificate("aoba", 2)
    assert data is not None
    orders = decree.verify_placed(data, "aoba", following, CHARTER)
    opened(table, found, list(orders.values()), "aoba")
    assert table.books["aoba"].heads() == table.books["biwa"].heads()


def test_what_stands_in_a_place_is_what_the_decree_carried_and_nothing_else() -> None:
    table = Table(CHARTER)
    table.locks["biwa"]["aoba"] = FIRST.document
    found = table.decide(drafted(CHARTER))
    following = opened(table, found, [FIRST], "biwa")
    data = table.books["biwa"].certificate("aoba", 1)
    assert data is not None
    nothing = b'{"orders":[]}'
    for account, placed in (("biwa", data), ("aoba", nothing)):
        with pytest.raises(errors.DecreeInvalid, match=f"not the orders of {account}"):
            decree.verify_placed(placed, account, following, CHARTER)


@pytest.mark.parametrize(
    "locked",
    [
        order("aoba", "biwa", sequence=2, previous=bytes([1]) * 32),
        order("aoba", "biwa", previous=bytes([1]) * 32),
        order("aoba", "biwa", seen={"biwa": 1}),
        order("aoba", "echo"),
    ],
    ids=["a-place-further", "another-chain", "unknown-past", "to-a-stranger"],
)
def test_an_order_that_no_honest_member_can_have_voted_for_is_not_carried(
    locked: SignedDocument,
) -> None:
    table = Table(CHARTER)
    table.locks["bridge"]["aoba"] = locked
    following = decree.verify_decree(table.decide(drafted(CHARTER)), CHARTER)
    assert following.cut == Cut(state=state_digest({}))


def test_books_that_hold_more_than_the_cut_raise_the_alarm_and_stay() -> None:
    """More than b members have lied: they certified an order and reported that they had not."""
    found = Table(CHARTER).decide(drafted(CHARTER), THREE)
    books = MemoryBooks()
    apply(FIRST, books)
    before = state_digest(books.heads())
    with pytest.raises(errors.DecreeInvalid, match="leaves out certified order 1 of aoba"):
        decree.judge_decree(found, {}, CHARTER, books)
    assert state_digest(books.heads()) == before


def test_another_order_in_a_place_within_the_cut_raises_the_alarm() -> None:
    table = Table(CHARTER)
    apply(FIRST, *table.books.values())
    found = table.decide(drafted(CHARTER), THREE)
    books = MemoryBooks()
    apply(proven(order("aoba", "seeds")), books)
    with pytest.raises(errors.DecreeInvalid, match="puts another order in place 1 of aoba"):
        decree.judge_decree(found, {}, CHARTER, books)


# --- Certificates of the epoch before. ---


def test_a_certificate_of_the_old_epoch_counts_up_to_the_cut_and_never_beyond() -> None:
    table = Table(CHARTER)
    apply(FIRST, *table.books.values())
    found = table.decide(drafted(CHARTER))
    following = decree.verify_decree(found, CHARTER)
    decree.require_within_cut(FIRST.body, FIRST.digest, following)

    def within(document: SignedDocument) -> Callable[[], None]:
        signed = proven(document)
        return lambda: decree.require_within_cut(signed.body, signed.digest, following)

    assert refusal_of(within(SECOND.document)) == "beyond-cut"
    assert refusal_of(within(order("biwa", "aoba"))) == "beyond-cut"
    assert refusal_of(within(order("aoba", "seeds"))) == "beyond-cut"
    assert refusal_of(within(order("aoba", "biwa", epoch=2))) == "decree-invalid"


def test_an_open_order_that_the_cut_left_out_is_written_anew_in_the_new_epoch() -> None:
    table = Table(CHARTER)
    found = table.decide(drafted(CHARTER), ("biwa", "seeds", "bridge"))
    books = table.books["aoba"]
    books.lock_order("aoba", 1, Lock(1, FIRST.digest, FIRST.document.encode()))
    following = opened(table, found, [], "aoba")
    assert refusal_of(lambda: verify_order(FIRST.document, following)) == "epoch-mismatch"
    again = build_order(
        "aoba", FIRST.body.entries, charter=following, books=books, key=NODE["aoba"]
    )
    assert again is not None
    assert (again.body.epoch, again.body.sequence) == (2, 1)
    assert isinstance(judge(again, following, books), Cast)


# --- Who leaves, who comes, and with which keys. ---


def paying(charter: Charter, books: MemoryBooks, account: str, to: str) -> Signed[Order]:
    entry = Entry(f"{account}-pays-{to}", REFERRAL_ENTRY, to, 1, bytes(32))
    made = build_order(account, [entry], charter=charter, books=books, key=NODE[account])
    assert made is not None
    return made


def test_the_account_of_who_is_expelled_is_frozen_where_it_stood() -> None:
    table = Table(CHARTER)
    apply(proven(order("bridge", "aoba")), *table.books.values())
    draft = drafted(CHARTER, members=without(CHARTER, "bridge"))
    following = opened(table, table.decide(draft, THREE), [], "aoba")
    books = table.books["aoba"]
    assert (following.closed, books.head("bridge").balance) == (("bridge",), -3)
    own = order("bridge", "aoba", sequence=2, epoch=2, previous=books.head("bridge").digest)
    assert refusal_of(lambda: verify_order(own, following)) == "key-unknown"
    to_it = verify_order(order("aoba", "bridge", epoch=2), following)
    with pytest.raises(errors.OrderInvalid, match="bridge cannot be paid"):
        judge(to_it, following, books)
    # What nobody would vote for is never signed: it would hold up all that comes behind it.
    owed = [Entry("a-to-bridge", REFERRAL_ENTRY, "bridge", 1, bytes(32))]
    key = NODE["aoba"]
    assert build_order("aoba", owed, charter=following, books=books, key=key) is None
    # What it owed is still part of the sum, and the others pay on.
    assert isinstance(judge(paying(following, books, "aoba", "biwa"), following, books), Cast)
    assert sum(head.balance for head in books.heads().values()) == 0


def test_a_newcomer_pays_and_is_paid_from_the_first_order_on() -> None:
    table = Table(CHARTER)
    keys = NODE["aoba"], NODE["delta"], IDENTITY["delta"]
    draft = drafted(CHARTER, *keys, members=(*CHARTER.members, member("delta")), q=4)
    following = opened(table, table.decide(draft), [], "aoba")
    books = table.books["aoba"]
    apply(paying(following, books, "aoba", "delta"), books, charter=following)
    own = paying(following, books, "delta", "seeds")
    assert isinstance(judge(own, following, books), Cast)


def test_after_a_rotation_only_the_new_key_signs_for_its_member() -> None:
    table = Table(CHARTER)
    rotated = changed(CHARTER, "biwa", signing_key=NEW_KEY.verify_key.raw)
    draft = drafted(CHARTER, IDENTITY["biwa"], NEW_KEY, members=rotated)
    following = opened(table, table.decide(draft), [], "aoba")
    old = order("biwa", "aoba", epoch=2)
    assert refusal_of(lambda: verify_order(old, following)) == "key-unknown"
    body = Order.parse(old.payload)
    entries, books = body.entries, table.books["aoba"]
    new = build_order("biwa", entries, charter=following, books=books, key=NEW_KEY)
    assert new is not None
    assert verify_order(new.document, following).signer == "biwa"


def test_a_witness_votes_on_orders_and_has_none_of_its_own() -> None:
    table = Table(CHARTER)
    draft = drafted(CHARTER, members=changed(CHARTER, "bridge", role=WITNESS))
    following = opened(table, table.decide(draft), [], "aoba")
    books = table.books["aoba"]
    own = verify_order(order("bridge", "aoba", epoch=2), following)
    with pytest.raises(errors.OrderInvalid, match="bridge keeps no account"):
        judge(own, following, books)
    signed = paying(following, books, "aoba", "biwa")
    ballot = Ballot(signed, following)
    for name in ("biwa", "bridge"):
        ballot.add(cast_vote(signed, NODE[name]), name)
    assert ballot.certificate() is not None


def test_a_decree_that_changes_nothing_fixes_where_the_month_ended() -> None:
    table = Table(CHARTER)
    apply(FIRST, *table.books.values())
    following = decree.verify_decree(table.decide(drafted(CHARTER)), CHARTER)
    assert following.cut is not None
    assert following.members == CHARTER.members
    assert following.cut.accounts == {"aoba": Place(1, FIRST.digest)}
    assert following.cut.state == state_digest(table.books["aoba"].heads())
