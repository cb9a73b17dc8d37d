"""The cut of a decree: a fixed function of what q members reported on stopping.  SPEC Decrees.

Why it loses nothing: two quorums share more than b members, so each certified order was voted for
by an honest member among the reporters. That one has applied it, or reports it as locked at the
first place that nobody applied; and what it had seen, an honest reporter has applied.

Why nothing can be certified beyond it: q members have stopped, so at most n - q honest ones and b
liars could still vote in the epoch, which is less than q.

What may have been certified and was not applied by any reporter is *carried*: the decree itself
puts it into its place, with the bytes that its owner signed. Which order that is, is decided by a
`Carry`; `carried_orders` is that rule for an owner that never restored: orders of one incarnation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from protocol import limits
from protocol.charter import Charter
from protocol.charter_cut import Cut, Place, placed_digest
from protocol.documents.decrees import FenceReport
from protocol.documents.ledger import Entry, Order
from protocol.errors import DecreeInvalid, ProposalInvalid, ProtocolError
from protocol.ledger.books import Books, Changes, Head, Lock, state_digest
from protocol.ledger.certificates import parse_certificate
from protocol.ledger.replica import Need, check_valid, missing_before
from protocol.signed import Signed, SignedDocument
from protocol.strictjson import Reader, b64decode, b64encode, encode, parse


class LockReports(NamedTuple):
    """What the reporters of a ballot locked in an account's open place; valid orders only."""

    account: str
    reporters: frozenset[str]
    locked: Mapping[str, Signed[Order]]


# The orders to carry: none, one, or two when either may have been certified.
Carry: TypeAlias = Callable[[LockReports, Charter], tuple[Signed[Order], ...]]


def carried_orders(reports: LockReports, charter: Charter) -> tuple[Signed[Order], ...]:
    """The orders that may have been certified.  LEDGER 4, for one incarnation.

    A single one is carried whether it may have been or not: its owner signed it, it is valid, and
    an honest owner gets its order through with the same bytes. Two prove that the owner is a liar,
    so among the others one fewer lies.
    """
    orders = {order.digest: order for order in reports.locked.values()}
    if len(orders) > 1:
        orders = {
            digest: order
            for digest, order in orders.items()
            if _possible_votes(digest, reports, charter) >= charter.q
        }
    return tuple(orders[digest] for digest in sorted(orders))


def _possible_votes(digest: bytes, reports: LockReports, charter: Charter) -> int:
    """How many members may have voted for the order, the liar that owns the account included."""
    others = reports.reporters - {reports.account}
    locked = {member for member in others if member in reports.locked}
    voted = {member for member in locked if reports.locked[member].digest == digest}
    silent = charter.by_id.keys() - reports.reporters - {reports.account}
    liars = min(max(charter.b - 1, 0), len(others - voted))
    return len(voted) + len(silent) + liars + 1


def cut_of(
    reports: Mapping[str, FenceReport],
    orders: Mapping[bytes, Signed[Order]],
    charter: Charter,
    books: Books,
    carry: Carry = carried_orders,
) -> Cut | Need:
    """The cut that these reports lead to, the same on every node; Need while `books` lag behind.

    `orders` are the locked ones by their digest, each proven to be its account owner's.
    """
    vector = dict(charter.opened_on)
    for report in reports.values():
        for account, sequence in report.vector.items():
            vector[account] = max(sequence, vector.get(account, 0))
    missing = {
        account: (have + 1, sequence)
        for account, sequence in vector.items()
        if (have := books.head(account).sequence) < sequence
    }
    if missing:
        return Need(missing)

    before = _BooksAt(books, vector)
    carried = {}
    for account in sorted(charter.accounts):
        locked = _open_locks(account, reports, orders, charter, before)
        chosen = carry(LockReports(account, frozenset(reports), locked), charter)
        before.require_kept(account, chosen)
        if chosen:
            carried[account] = chosen
    return _cut(carried, charter, before)


def _open_locks(
    account: str,
    reports: Mapping[str, FenceReport],
    orders: Mapping[bytes, Signed[Order]],
    charter: Charter,
    books: Books,
) -> Mapping[str, Signed[Order]]:
    """Who locked what in the account's first place that nobody applied.

    What is not valid there was voted for by no honest member; what stands elsewhere is settled, or
    was voted for without what it follows. Neither can have been certified.
    """
    found = {}
    for member, report in reports.items():
        digest = report.locks.get(account)
        order = None if digest is None else orders[digest]
        if order is not None and _is_open(order.body, charter, books):
            found[member] = order
    return found


def _is_open(order: Order, charter: Charter, books: Books) -> bool:
    head = books.head(order.account)
    if order.sequence != head.sequence + 1 or missing_before(order, books, charter):
        return False
    try:
        check_valid(order, head, charter, books)
    except ProtocolError:
        return False
    return True


def _cut(carried: Mapping[str, tuple[Signed[Order], ...]], charter: Charter, books: Books) -> Cut:
    heads: dict[str, Head] = {}
    paid: dict[str, int] = {}
    for account in charter.accounts | set(charter.closed):
        heads[account] = books.head(account)
        if account in carried:
            changes = place_orders(account, carried[account], heads[account])
            heads[account] = changes.head
            for payee, points in changes.credits.items():
                paid[payee] = paid.get(payee, 0) + points
    for account, head in heads.items():
        earned = books.credited(account, books.vector()) + paid.get(account, 0)
        heads[account] = head._replace(credits=earned)
    return Cut(
        accounts={a: Place(h.sequence, h.digest) for a, h in sorted(heads.items()) if h.sequence},
        carried={a: tuple(sorted(o.digest for o in each)) for a, each in carried.items()},
        state=state_digest(heads),
    )


def place_orders(
    account: str, orders: Iterable[Signed[Order]], head: Head, *, applied: bytes = b""
) -> Changes:
    """What it changes when a decree puts these orders into the place after `head`.

    Two of them take effect together. `applied` is the digest of one that is applied already, whose
    entries come first.
    """
    ordered = sorted(orders, key=lambda order: (order.digest != applied, order.digest))
    entries = _entries_of((order.digest, order.body.entries) for order in ordered)
    place = Head(
        head.sequence + 1,
        placed_digest(order.digest for order in ordered),
        head.debits + sum(entry.points for entry in entries),
        head.credits,
    )
    return Changes(account, place, credits_of(entries), entries, _written(ordered))


def _entries_of(orders: Iterable[tuple[bytes, Sequence[Entry]]]) -> tuple[Entry, ...]:
    """The entries of all these (digest, entries), and what stands in two of them alike only once.

    An id that names two different entries was given twice by a liar. Either may be the one that was
    certified, so both are owed, and the second goes by a name that nobody else can have given.
    """
    entries: dict[str, Entry] = {}
    paid: set[Entry] = set()
    for digest, each in orders:
        for entry in each:
            if entry in paid:
                continue
            paid.add(entry)
            name = entry.id
            if name in entries:
                name = hashlib.sha256(digest + entry.id.encode()).hexdigest()
            entries[name] = entry if name == entry.id else entry._replace(id=name)
    return tuple(entries.values())


def credits_of(entries: Iterable[Entry]) -> Mapping[str, int]:
    """What each payee is paid by these entries."""
    paid: dict[str, int] = {}
    for entry in entries:
        paid[entry.to] = paid.get(entry.to, 0) + entry.points
    return paid


def parse_placed(data: bytes) -> tuple[SignedDocument, ...]:
    """The orders that stand where a certificate would, with nothing proven about them."""
    reader = Reader(parse(data, bytes_max=limits.PROPOSAL_BYTES_MAX))
    chars_max = limits.ORDER_BYTES_MAX * 2
    orders = reader.texts("orders", limits.MEMBERS_MAX, chars_max, pattern="[A-Za-z0-9_-]+")
    reader.done()
    return tuple(SignedDocument.parse(b64decode(order)) for order in orders)


def is_placed(data: bytes) -> bool:
    """Whether a decree put its orders here, and no certificate stands in the place."""
    return data.startswith(b'{"orders":')


def changes_placed(
    account: str, data: bytes, orders: Mapping[bytes, Signed[Order]], head: Head
) -> Changes:
    """What these proven orders changed after `head`, from the bytes that stand in their place."""
    first = parse_placed(data)[0].digest
    return place_orders(account, orders.values(), head, applied=first)


def placed_entries(data: bytes) -> tuple[Entry, ...]:
    """The entries that stand in such a place, from our own books: nothing is proven again."""
    return _entries_of(
        (document.digest, Order.parse(document.payload).entries) for document in parse_placed(data)
    )


def _written(orders: Iterable[Signed[Order]]) -> bytes:
    """What stands where a certificate would: the orders. The charter's cut names their digests."""
    return encode({"orders": [b64encode(order.document.encode()) for order in orders]})


def check_cut(cut: Cut, charter: Charter) -> None:
    """Raise unless the cut goes on from the one that `charter` opened on, and is one."""
    known = charter.accounts | set(charter.closed)
    before = Cut() if charter.cut is None else charter.cut
    for account, place in cut.accounts.items():
        if account not in known:
            raise DecreeInvalid(f"the cut names {account}, which keeps no account")
        digests = cut.carried.get(account)
        if digests is not None and placed_digest(digests) != place.digest:
            raise DecreeInvalid(f"the carried order of {account} is not the one in its place")
        was = before.accounts.get(account)
        if was is None:
            continue
        stood = place.sequence == was.sequence
        if place.sequence < was.sequence or (stood and place != was):
            raise DecreeInvalid(f"the cut takes back orders of {account}")
        if (stood and digests is not None) or (not stood and account in charter.closed):
            raise DecreeInvalid(f"the cut adds to {account}, which stood still")
    if lost := before.accounts.keys() - cut.accounts.keys():
        raise DecreeInvalid(f"the cut leaves out {min(lost)}")
    if foreign := cut.carried.keys() - cut.accounts.keys():
        raise DecreeInvalid(f"the cut carries an order of {min(foreign)} to no place")


class _BooksAt:
    """The books as they stood at a vector, for a node that has applied one order more.

    More than one more cannot be: whoever certified the second had applied the first, and would
    have reported it.
    """

    def __init__(self, books: Books, vector: Mapping[str, int]) -> None:
        self._books = books
        self._vector = vector
        self._after: dict[str, tuple[bytes, Order]] = {}
        for account, sequence in books.vector().items():
            if sequence == vector.get(account, 0) + 1:
                data = books.certificate(account, sequence)
                assert data is not None
                document, _ = parse_certificate(data)
                self._after[account] = document.digest, Order.parse(document.payload)
            elif sequence > vector.get(account, 0):
                raise ProposalInvalid(f"the reports leave out certified orders of {account}")

    def require_kept(self, account: str, chosen: Iterable[Signed[Order]]) -> None:
        """Raise when the order that this node has applied beyond the vector is not carried."""
        applied = self._after.get(account)
        if applied is not None and applied[0] not in {order.digest for order in chosen}:
            raise ProposalInvalid(f"the reports leave out a certified order of {account}")

    def head(self, account: str) -> Head:
        head = self._books.head(account)
        if account not in self._after:
            return head
        order = self._after[account][1]
        return Head(order.sequence - 1, order.previous, head.debits - order.debit, head.credits)

    def vector(self) -> Mapping[str, int]:
        return self._vector

    def lock(self, account: str, sequence: int) -> Lock | None:
        return self._books.lock(account, sequence)

    def credited(self, payee: str, seen: Mapping[str, int]) -> int:
        return self._books.credited(payee, seen)

    def repeated(self, account: str, entry_ids: Iterable[str]) -> str | None:
        later: set[str] = set()
        if account in self._after:
            later = {entry.id for entry in self._after[account][1].entries}
        return self._books.repeated(account, [each for each in entry_ids if each not in later])

    def certificate(self, account: str, sequence: int) -> bytes | None:
        return self._books.certificate(account, sequence)
