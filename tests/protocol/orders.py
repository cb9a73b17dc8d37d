"""Orders, certificates and payments of the four, for the tests of the ledger's rules."""

import secrets

from protocol import (
    NO_PREVIOUS,
    ORDER,
    REFERRAL_ENTRY,
    Ballot,
    Certificate,
    Charter,
    Entry,
    MemoryBooks,
    Order,
    Signed,
    advance,
    build_order,
    cast_vote,
    sign,
    state_digest,
    verify,
)
from tests.protocol.alliance import NAMES, founded
from tests.protocol.cast import SIGNING

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
