"""Cases 5xx: what a replica lacks, page by page, and the digest of its state.  SPEC §6.4, §6.5."""

from collections.abc import Mapping

from node.cli.conformance.caller import Caller, Deviation, NotApplicable
from node.cli.conformance.cases import Chapter, Run
from protocol import (
    Charter,
    MemoryBooks,
    Order,
    ProtocolError,
    Pull,
    PullAnswer,
    advance,
    limits,
    state_digest,
    verify_certificate,
)

PULL = "/peer/v1/pull"
# Enough for what an alliance writes in years; a larger ledger is compared by its owner.
PAGES_MAX = 20
CHAPTER = Chapter([])


def pull(caller: Caller, vector: Mapping[str, int]) -> PullAnswer:
    """A page of what a replica that stands there lacks."""
    body = Pull(vector, caller.charter.version).encode()
    try:
        return PullAnswer.parse(caller.accepted(caller.call(PULL, body)))
    except ProtocolError as error:
        raise Deviation(f"no page: {error}") from error


def vector_of(caller: Caller) -> Mapping[str, int]:
    """Where the peer stands."""
    most = dict.fromkeys(caller.charter.accounts, limits.SEQUENCE_MAX)
    return pull(caller, most).vector


def some_certificate(caller: Caller) -> bytes:
    """The first certificate of the peer's ledger."""
    if caller.charter.cut is not None:
        raise NotApplicable("its first certificates are of an epoch that has ended")
    page = pull(caller, {}).certificates
    if not page:
        raise NotApplicable("its ledger is empty")
    return page[0]


def proven(data: bytes, charter: Charter) -> Order:
    """The order of a certificate that is one."""
    try:
        return verify_certificate(data, charter).order.body
    except ProtocolError as error:
        raise Deviation(f"what is no certificate: {error}") from error


@CHAPTER.case(501, "its whole ledger", "6.5", "pages that can be applied as they come")
def _pages(caller: Caller) -> None:
    read_ledger(caller)


@CHAPTER.case(502, "the digest of its state", "6.4", "that of the certificates it showed")
def _state(caller: Caller) -> None:
    books, last = read_ledger(caller)
    if dict(books.vector()) != dict(last.vector):
        raise Deviation(f"it says {dict(last.vector)} and showed {dict(books.vector())}")
    if state_digest(books.heads()) != last.state:
        raise Deviation("another digest")


def read_ledger(caller: Caller) -> tuple[MemoryBooks, PullAnswer]:
    """The peer's whole ledger, applied page by page, and the last page; Deviation if it cannot."""
    if caller.charter.cut is not None:
        raise NotApplicable("its ledger begins in an epoch that has ended")
    books = MemoryBooks()
    for _ in range(PAGES_MAX):
        page = pull(caller, books.vector())
        for data in page.certificates:
            proven(data, caller.charter)
            changes = advance(verify_certificate(data, caller.charter), books)
            if changes is None:
                raise Deviation("a certificate before what it builds on, or one that was there")
            books.commit(changes)
        if not page.more:
            return books, page
        if not page.certificates:
            raise Deviation("more, and nothing on the page")
    raise NotApplicable(f"its ledger has more than {PAGES_MAX} pages")


@CHAPTER.case(503, "from where it stands", "6.5", "an empty page, and no more")
def _nothing(caller: Caller) -> None:
    page = pull(caller, vector_of(caller))
    if page.certificates or page.more:
        raise Deviation(f"{len(page.certificates)} certificates, more: {page.more}")


def _pull(code: str, body: bytes) -> Run:
    def run(caller: Caller) -> None:
        caller.refused(caller.call(PULL, body), code)

    return run


CHAPTER.refusals(
    (
        (511, "a place 0", "6.5", "document-invalid",
         _pull("document-invalid", b'{"charter_version":1,"vector":{"a":0}}')),
        (512, "no vector", "6.5", "document-invalid",
         _pull("document-invalid", b'{"charter_version":1}')),
    )
)  # fmt: skip


@CHAPTER.case(513, "under another charter", "6.5", "the refusal epoch-mismatch")
def _version(caller: Caller) -> None:
    body = Pull({}, caller.charter.version + 1).encode()
    caller.refused(caller.call(PULL, body), "epoch-mismatch")
