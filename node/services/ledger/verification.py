"""The whole ledger proven again, from the signed bytes alone.  RELIABILITY F4, LEDGER 3.

Charters first, then every certificate in the order in which it was applied: its signatures, its
place, what it builds on, who could afford it; then what this node keeps beside the bytes. What is
wrong is told in one finding each, and the recount goes on, so that one flipped bit does not hide
the next. Memory holds the accounts and one page, whatever the ledger's length.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from node import models
from node.services.ledger.books import SQLBooks
from node.services.ledger.recount import Recount
from protocol import (
    GENESIS,
    Cast,
    Charter,
    Need,
    Order,
    ProtocolError,
    SignedDocument,
    advance,
    decree,
    digest_of_content,
    errors,
    judge,
    limits,
    parse_certificate,
    state_digest,
    verify_certificate,
    verify_founding,
    verify_order,
)

# A page of the fullest certificates is 50 MB at most; of usual ones, 1 MB.
PAGE_ROWS = 100

_row = models.LedgerCertificate


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it must be: the table, the place in it, and what is wrong."""

    table: str
    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.table} {self.place}: {self.reason}"


@dataclass(slots=True)
class Verification:
    """How far the recount is, and what it came to; filled while `findings` is gone through."""

    session: Session
    total: int = 0
    done: int = 0
    entries: int = 0
    # The digest of the state that the certificates alone add up to.
    digest: bytes = b""
    vector: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.total = self.session.scalar(select(func.count()).select_from(_row)) or 0

    def findings(self) -> Iterator[Finding | None]:
        """Everything that is wrong, as it is found; None after each page, to show progress."""
        charters: dict[int, Charter] = {}
        yield from _charters(self.session, charters)
        recount = Recount(self.session)
        for page in _pages(self.session):
            for row in page:
                yield from _certificate(recount, charters, row)
            self.done += len(page)
            yield None
        self.entries = sum(recount.entries.values())
        self.digest, self.vector = state_digest(recount.heads()), recount.vector()
        yield from _lines(self.session, recount)
        yield from _indexes(recount)
        yield from _waiting(self.session, recount, charters)


def _charters(session: Session, proven: dict[int, Charter]) -> Iterator[Finding]:
    for row in session.scalars(select(models.Charter).order_by(models.Charter.version)):
        place = f"version {row.version}"
        try:
            charter = _proven(row, proven)
        except ProtocolError as refusal:
            yield Finding("charters", place, _words(refusal))
            continue
        if (row.version, row.digest) != (charter.version, charter.digest):
            yield Finding("charters", place, "version or digest are not those of the document")
        proven[charter.version] = charter
    if not proven:
        yield Finding("charters", "all", "there is none that proves anything")


def _proven(row: models.Charter, proven: Mapping[int, Charter]) -> Charter:
    """The founding by its founders, a later version by the members of the one before."""
    if row.version == GENESIS:
        document = SignedDocument.parse(row.document, bytes_max=limits.CHARTER_BYTES_MAX)
        return verify_founding(document)
    before = proven.get(row.version - 1)
    if before is None:
        raise errors.CharterSkipped(f"version {row.version - 1} is not proven")
    return decree.follow(decree.Decree.parse(row.document), before)[0]


def _pages(session: Session) -> Iterator[list[models.LedgerCertificate]]:
    """All certificates in the order of applying, a page at a time."""
    place = tuple_(_row.position, _row.account, _row.sequence)
    query = select(_row).order_by(_row.position, _row.account, _row.sequence).limit(PAGE_ROWS)
    page = list(session.scalars(query))
    while page:
        last = (page[-1].position, page[-1].account, page[-1].sequence)
        yield page
        session.expunge_all()
        page = list(session.scalars(query.where(place > last)))


def _certificate(
    recount: Recount, charters: Mapping[int, Charter], row: models.LedgerCertificate
) -> Iterator[Finding]:
    place = f"{row.account} #{row.sequence}"
    if decree.is_placed(row.document):
        wrong = _decreed(recount, charters, row)
        if wrong:
            yield Finding("ledger_certificates", place, wrong)
        return
    try:
        document, _vote = parse_certificate(row.document)
        order = Order.parse(document.payload)
        digest = digest_of_content(document, order.incarnation)
    except ProtocolError as refusal:
        yield Finding("ledger_certificates", place, f"cannot be read: {_words(refusal)}")
        return
    wrong = _columns(row, order, digest) or _judged(recount, charters, row.document, order)
    if wrong:
        yield Finding("ledger_certificates", place, wrong)
        recount.count_as_it_stands(order, digest)
    yield from _beside(recount, order, place)


def _decreed(
    recount: Recount, charters: Mapping[int, Charter], row: models.LedgerCertificate
) -> str:
    """Why what a decree put into a place may not be counted; "" when it was."""
    charter, following = charters.get(row.epoch), charters.get(row.epoch + 1)
    if charter is None or following is None or following.cut is None:
        return f"there is no proven decree that ended epoch {row.epoch}"
    place = following.cut.accounts.get(row.account)
    if place is None or (place.sequence, place.digest) != (row.sequence, row.digest):
        return "the decree put something else here"
    try:
        orders = decree.verify_placed(row.document, row.account, following, charter)
        changes = decree.changes_placed(
            row.account, row.document, orders, recount.head(row.account)
        )
    except ProtocolError as refusal:
        return _words(refusal)
    recount.count(changes)
    return ""


def _columns(row: models.LedgerCertificate, order: Order, digest: bytes) -> str:
    """What the columns say otherwise than the bytes; "" when they agree."""
    for name, column, signed in (
        ("account", row.account, order.account),
        ("sequence", row.sequence, order.sequence),
        ("epoch", row.epoch, order.epoch),
        ("incarnation", row.incarnation, order.incarnation),
        ("digest", row.digest.hex()[:16], digest.hex()[:16]),
    ):
        if column != signed:
            return f"the column {name} says {column}, the signed order {signed}"
    return ""


def _judged(recount: Recount, charters: Mapping[int, Charter], data: bytes, order: Order) -> str:
    """Why the certificate may not be counted; "" when it was."""
    charter = charters.get(order.epoch)
    if charter is None:
        return f"there is no proven charter of epoch {order.epoch}"
    expected = recount.head(order.account).sequence + 1
    if order.sequence < expected:
        return f"its place comes after #{expected - 1} of the account"
    try:
        certificate = verify_certificate(data, charter)
        # A quorum has seen what allowed a later incarnation; it is not part of the certificate.
        verdict = judge(certificate.order, charter, recount, warrant=b"")
    except ProtocolError as refusal:
        return _words(refusal)
    if isinstance(verdict, Need):
        first = ", ".join(f"{account} #{span[0]}" for account, span in verdict.ranges.items())
        return f"it builds on {first}, which is missing or stands after it"
    assert isinstance(verdict, Cast)
    changes = advance(certificate, recount)
    assert changes is not None
    recount.count(changes)
    return ""


def _beside(recount: Recount, order: Order, place: str) -> Iterator[Finding]:
    """The two indexes beside one certificate: entry ids, and what each payee got."""
    for entry_id, elsewhere in recount.misplaced(order).items():
        name = f"{order.account} {entry_id}"
        if elsewhere is None:
            yield Finding("ledger_entries", name, f"is missing; it stands in {place}")
        elif entry_id in _ids_of(recount.certificate(order.account, elsewhere)):
            reason = f"the entry was paid twice, in #{elsewhere} and in #{order.sequence}"
            yield Finding("ledger_certificates", place, f"{reason}: {entry_id}")
        else:
            reason = f"the index says #{elsewhere}; it stands in #{order.sequence}"
            yield Finding("ledger_entries", name, reason)
    paid: dict[str, int] = {}
    for entry in order.entries:
        paid[entry.to] = paid.get(entry.to, 0) + entry.points
    if recount.credit_index(order) != paid:
        yield Finding("ledger_credits", place, "are not what the signed order paid")


def _ids_of(certificate: bytes | None) -> set[str]:
    try:
        if certificate is not None:
            order = Order.parse(parse_certificate(certificate)[0].payload)
            return {entry.id for entry in order.entries}
    except ProtocolError:
        pass  # It has a finding of its own.
    return set()


def _lines(session: Session, recount: Recount) -> Iterator[Finding]:
    """The accounts as this node keeps them, beside what the certificates add up to."""
    kept, counted = SQLBooks(session).heads(), recount.heads()
    for account in sorted({*kept, *counted}):
        line, head = kept.get(account), recount.head(account)
        if line is None:
            yield Finding("ledger_accounts", account, "is missing")
            continue
        for name in head._fields:
            ours, theirs = getattr(line, name), getattr(head, name)
            if ours != theirs:
                shown = [v.hex()[:16] if isinstance(v, bytes) else v for v in (ours, theirs)]
                reason = f"{name} is {shown[0]}, the certificates make it {shown[1]}"
                yield Finding("ledger_accounts", account, reason)
    if sum(head.balance for head in counted.values()) != 0:
        yield Finding("ledger_certificates", "all", "the balances do not add up to zero")


def _indexes(recount: Recount) -> Iterator[Finding]:
    """Rows that no certificate accounts for: every row that should be there was looked at."""
    entries, credit_rows = recount.rows_in_indexes()
    for account in sorted({*entries, *recount.entries}):
        here, counted = entries.get(account, 0), recount.entries.get(account, 0)
        if here != counted:
            reason = f"has {here} rows, the certificates have {counted} entries"
            yield Finding("ledger_entries", account, reason)
    if credit_rows != recount.credit_rows:
        reason = f"has {credit_rows} rows, the certificates make it {recount.credit_rows}"
        yield Finding("ledger_credits", "all", reason)


def _waiting(
    session: Session, recount: Recount, charters: Mapping[int, Charter]
) -> Iterator[Finding]:
    """Votes that bind us, and certificates held back: proven too, and not settled yet."""
    newest = charters[max(charters)] if charters else None
    for held in session.scalars(select(models.HeldCertificate)):
        wrong = _held_wrong(held.document, newest, (held.account, held.sequence))
        if wrong:
            yield Finding("ledger_held", f"{held.account} #{held.sequence}", wrong)
    for lock in session.scalars(select(models.LedgerLock)):
        wrong = _lock_wrong(lock, newest)
        if not wrong and lock.sequence <= recount.head(lock.account).sequence:
            wrong = "holds a place that is settled"
        if wrong:
            yield Finding("ledger_locks", f"{lock.account} #{lock.sequence}", wrong)


def _held_wrong(data: bytes, charter: Charter | None, place: tuple[str, int]) -> str:
    try:
        if charter is not None and verify_certificate(data, charter).order.body.slot != place:
            return "is about another place"
    except ProtocolError as refusal:
        return _words(refusal)
    return ""


def _lock_wrong(lock: models.LedgerLock, charter: Charter | None) -> str:
    try:
        document = SignedDocument.parse(lock.document, bytes_max=limits.CERTIFICATE_BYTES_MAX)
        if charter is None:
            return ""
        order = verify_order(document, charter)
    except ProtocolError as refusal:
        return _words(refusal)
    body = order.body
    signed = (*body.slot, body.incarnation, order.digest)
    agrees = signed == (lock.account, lock.sequence, lock.incarnation, lock.digest)
    return "" if agrees else "the columns are not those of the signed order"


def _words(refusal: ProtocolError) -> str:
    return f"{refusal.code} ({refusal.detail})" if refusal.detail else refusal.code
