"""Activation: what a member does when a decree takes effect.  SPEC Decrees.

judge_decree         decree -> Activation, or Need while orders within its cut are not applied
require_within_cut   whether a certificate of the epoch before still counts
verify_placed        the orders that a decree put where a certificate would stand
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from protocol.charter import Charter
from protocol.decree.cut import credits_of, parse_placed, place_orders
from protocol.decree.seat import Seat
from protocol.decree.votes import Decree, verify_decree
from protocol.documents.ledger import Order
from protocol.errors import BeyondCut, DecreeInvalid
from protocol.ledger.books import Books, Changes, Head
from protocol.ledger.certificates import verify_order
from protocol.ledger.replica import Need
from protocol.signed import Signed


class Activation(NamedTuple):
    """What to do when a decree takes effect, in one transaction.

    `placed` are the orders that the decree itself decided, for the accounts where they are not
    applied yet; `amended` are places where one of two such orders is applied, and what the other
    one adds to it; `seat` is the new epoch's.
    """

    charter: Charter
    placed: tuple[Changes, ...]
    amended: tuple[Changes, ...]
    seat: Seat


def judge_decree(
    decree: Decree, carried: Mapping[bytes, Signed[Order]], charter: Charter, books: Books
) -> Activation | Need:
    """Take the next version into force; Need while orders within its cut are not applied here.

    `carried` are the orders that the cut names by their digest, from the proposal or from a peer.
    """
    following = verify_decree(decree, charter)
    cut = following.cut
    assert cut is not None
    _require_nothing_beyond(following, books)
    missing = {
        account: (have + 1, cut.certified(account))
        for account in cut.accounts
        if (have := books.head(account).sequence) < cut.certified(account)
    }
    if missing:
        return Need(missing)
    lacking = {
        account: (cut.accounts[account].sequence,) * 2
        for account, digests in cut.carried.items()
        if books.head(account).digest != cut.accounts[account].digest
        and not carried.keys() >= set(digests)
    }
    if lacking:
        return Need(lacking)

    placed, amended = [], []
    for account, digests in cut.carried.items():
        head = books.head(account)
        if head.digest == cut.accounts[account].digest:
            continue
        orders = [carried[digest] for digest in digests]
        if head.digest in digests:
            amended.append(_amended(account, orders, head))
        else:
            placed.append(place_orders(account, orders, head))
    return Activation(following, tuple(placed), tuple(amended), Seat(following.epoch))


def _require_nothing_beyond(following: Charter, books: Books) -> None:
    """Raise when a certified order stands beyond the cut, or is not the one within it.

    Neither can be while no more than b members lie. Whoever sees it stops, and calls the others.
    """
    assert following.cut is not None
    for account, sequence in books.vector().items():
        place = following.cut.accounts.get(account)
        if place is None or sequence > place.sequence:
            raise DecreeInvalid(f"the cut leaves out certified order {sequence} of {account}")
        here = {place.digest, *following.cut.carried.get(account, ())}
        if sequence == place.sequence and books.head(account).digest not in here:
            raise DecreeInvalid(f"the cut puts another order in place {sequence} of {account}")


def _amended(account: str, orders: Sequence[Signed[Order]], head: Head) -> Changes:
    """What the orders add to the one of them that was certified and is applied here already."""
    applied = next(order for order in orders if order.digest == head.digest)
    done = applied.body
    before = head._replace(
        sequence=head.sequence - 1, digest=done.previous, debits=head.debits - done.debit
    )
    whole = place_orders(account, orders, before, applied=applied.digest)
    added = whole.entries[len(done.entries) :]
    return whole._replace(entries=added, credits=credits_of(added))


def require_within_cut(order: Order, digest: bytes, following: Charter) -> None:
    """Raise BeyondCut unless a certificate of the epoch before `following` still counts.

    It counts up to the cut. In a place that the decree decided, only for the order it put there.
    """
    cut = following.cut
    assert cut is not None
    if order.epoch != following.epoch - 1:
        raise DecreeInvalid(f"epoch {order.epoch} was not ended by version {following.version}")
    place = cut.accounts.get(order.account)
    if place is None or order.sequence > place.sequence:
        raise BeyondCut(f"epoch {order.epoch} ended before order {order.sequence}")
    if order.sequence == place.sequence and digest != place.digest:
        raise BeyondCut(f"the decree put another order into place {order.sequence}")


def verify_placed(
    data: bytes, account: str, following: Charter, charter: Charter
) -> Mapping[bytes, Signed[Order]]:
    """The orders of `account` that `following` carried, from what stands in their place at a peer.

    The cut names their digests and the owner signed them under `charter`, the version before.
    """
    cut = following.cut
    assert cut is not None
    orders = {document.digest: document for document in parse_placed(data)}
    if orders.keys() != set(cut.carried.get(account, ())) or not orders:
        raise DecreeInvalid(f"these are not the orders of {account} that the decree carried")
    return {digest: verify_order(document, charter) for digest, document in orders.items()}
