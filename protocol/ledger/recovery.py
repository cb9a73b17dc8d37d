"""Recovery: how an owner that was restored or cloned goes on with its account.  SPEC §6.6.

After a crash with its disk intact an owner sends the same bytes again, and needs nothing of this.
An owner that may have forgotten asks its peers; if any can show something that it signed and does
not know, or if it was restored on purpose, it begins a new incarnation:

    begin     Tenure -> Tenure with an open fence; durable before the fence leaves
    Promises  gathers the answers; `resume` says what the open place must hold, and gives the Tenure
              and the order to make durable before the order leaves

While a fence is open the owner builds no order. A second live clone is stopped by the first's
fence: members show it the fence that its own key signed and it did not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from protocol import limits
from protocol.charter import Charter
from protocol.documents.ledger import FIRST_INCARNATION, ORDER, Order, in_incarnation
from protocol.documents.recovery import FENCE, Fence, Promise
from protocol.errors import NotNow, OrderConflict, ProtocolError, SenderMismatch
from protocol.keys import SigningKey, b64decode, b64encode
from protocol.ledger.books import Books, Head
from protocol.ledger.certificates import (
    content_digest,
    parse_certificate,
    verify_certificate,
    verify_order,
)
from protocol.ledger.guards import Guards, verify_fence
from protocol.ledger.sync import CERTIFICATE_CHARS_MAX
from protocol.ledger.warrant import (
    Answer,
    Open,
    Warrant,
    choose,
    promises_needed,
    verify_answer,
)
from protocol.signed import Signed, SignedDocument, sign, verify
from protocol.strictjson import Reader, encode, parse


class Tenure(NamedTuple):
    """An owner's hold on its own account, durable: what it may sign orders under."""

    incarnation: int = FIRST_INCARNATION
    # What allows that incarnation; it goes out with every order. Empty in the first.
    warrant: bytes = b""
    # The signed fence of the next incarnation, until enough members promised; then empty.
    fence: bytes = b""

    @property
    def is_fencing(self) -> bool:
        return bool(self.fence)


class Resumption(NamedTuple):
    """The owner's new tenure and the order it issues first, if the place is not free.

    Both are to be durable, in one transaction, before the order leaves.
    """

    tenure: Tenure
    order: Signed[Order] | None


def begin(
    tenure: Tenure, known: int, account: str, *, charter: Charter, key: SigningKey, attempt: bytes
) -> Tenure:
    """A fence of the incarnation above all that is known, `known` being the highest shown.

    `attempt` is 16 random bytes. The tenure is to be durable before the fence leaves: a fence that
    was sent and forgotten would be asked for again under another attempt, and refused.
    """
    incarnation = 1 + max(known, tenure.incarnation, _incarnation(tenure.fence))
    if incarnation > limits.INCARNATION_MAX:
        raise NotNow("the account has no incarnation left; its key must be replaced")
    body = Fence(charter.alliance, charter.epoch, account, incarnation, attempt)
    return tenure._replace(fence=sign(FENCE, body.encode(), key).encode())


def _incarnation(fence: bytes) -> int:
    return Fence.parse(SignedDocument.parse(fence).payload).incarnation if fence else 0


class Promises:
    """The answers gathered for one's own open fence."""

    def __init__(self, tenure: Tenure, charter: Charter) -> None:
        assert tenure.is_fencing
        self._tenure = tenure
        self._charter = charter
        self.fence = verify_fence(SignedDocument.parse(tenure.fence), charter)
        self._answers: dict[str, Answer] = {}
        self._forgetful: set[str] = set()

    @property
    def members(self) -> frozenset[str]:
        return frozenset(self._answers)

    @property
    def are_enough(self) -> bool:
        """Whether so many promised that `resume` may say something."""
        return len(self._answers) >= promises_needed(self._charter)

    def add(self, answer: Warrant, member: str) -> None:
        """Count one member's answer; a refusal unless it is `member`'s and proven."""
        proven = verify_answer(answer, self.fence.body, self._charter)
        if proven.member != member:
            raise SenderMismatch(f"{proven.member} gave the promise that {member} sent")
        self._answers[member] = proven

    def refused(self, refusal: ProtocolError, member: str) -> None:
        """Note a member that promised this very fence, was restored, and forgot what it answered.

        It shows the fence as the one it holds to. It could answer a later one.
        """
        fences = [document.encode() for document in _shown(refusal)]
        if self._tenure.fence in fences and member not in self._answers:
            self._forgetful.add(member)

    @property
    def is_hopeless(self) -> bool:
        """Whether so many have forgotten that only a later fence can gather enough promises.

        Not one earlier: a liar that says so may not keep an owner beginning for ever.
        """
        others = len(self._charter.members) - 1 - len(self._forgetful)
        return others < promises_needed(self._charter)

    def resume(
        self, head: Head, key: SigningKey, own: Signed[Order] | None = None
    ) -> Resumption | None:
        """How to go on behind our applied head; None while more promises are needed.

        `own` is our own open order in that place: if the place is free it is what we issue again,
        so that nobody who saw it has seen anything else of us.
        """
        fence = self.fence.body
        warrant = self._warrant(head.sequence)
        chosen = choose(fence, head.sequence + 1, warrant, self._charter)
        if chosen is None:
            return None
        order = own if isinstance(chosen, Open) else chosen
        if order is not None:
            order = reissue(order, fence.incarnation, self._charter, key)
        return Resumption(Tenure(fence.incarnation, warrant.encode()), order)

    def _warrant(self, sequence: int) -> Warrant:
        """The answers as one, each order shown once; in a steady order, so that bytes repeat.

        Without those of members that stood beyond our head: they do not speak of our open place,
        and what they had locked behind it would bind us there, though the others leave it free.
        """
        answers = [
            self._answers[member]
            for member in sorted(self._answers)
            if self._answers[member].promise.body.sequence <= sequence
        ]
        cases = {case.order.digest: case for answer in reversed(answers) for case in answer.cases}
        return Warrant(
            tuple(answer.promise.document for answer in answers),
            tuple(cases[digest] for digest in sorted(cases)),
        )


def settled(tenure: Tenure) -> Tenure:
    """The tenure once an order of its incarnation is certified: what was locked matters no more."""
    if not tenure.warrant:
        return tenure
    warrant = Warrant.parse(tenure.warrant)
    return tenure._replace(warrant=Warrant(warrant.promises).encode())


def is_current(tenure: Tenure, charter: Charter) -> bool:
    """Whether the tenure's warrant is of this epoch; if not, the owner begins a new incarnation.

    Promises name their epoch, and its members and quorum count them: under a new charter they
    prove nothing, and an order of a later incarnation would be refused.
    """
    promises = Warrant.parse(tenure.warrant).promises if tenure.warrant else ()
    return all(Promise.parse(each.payload).epoch == charter.epoch for each in promises)


def reissue(
    order: Signed[Order], incarnation: int, charter: Charter, key: SigningKey
) -> Signed[Order]:
    """The same order, byte for byte, signed again under a later incarnation."""
    payload = in_incarnation(order.document.payload, incarnation)
    return verify(sign(ORDER, payload, key), ORDER, charter.keys, Order.parse)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a peer shows an owner of the owner's own account, when the owner starts.

    The certificate of the last order that the peer applied, the order it voted for behind it, and
    the fence that it promised. Each is signed by the owner, so no peer can make it begin a new
    incarnation for nothing. `fences` are those of all accounts, for a voter that was restored.
    """

    certificate: bytes | None = None
    order: SignedDocument | None = None
    fences: tuple[SignedDocument, ...] = ()

    def encode(self) -> bytes:
        certificate = None if self.certificate is None else b64encode(self.certificate)
        return encode(
            {
                "certificate": certificate,
                "fences": [fence.to_json() for fence in self.fences],
                "order": None if self.order is None else self.order.to_json(),
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> Standing:
        reader = Reader(parse(data, bytes_max=limits.PEER_RESPONSE_BYTES_MAX))
        certificate, order = reader.value("certificate"), reader.value("order")
        standing = cls(
            certificate=None
            if certificate is None
            else b64decode(reader.text("certificate", CERTIFICATE_CHARS_MAX)),
            order=None if order is None else SignedDocument.from_json(order),
            fences=tuple(
                SignedDocument.from_json(each) for each in reader.list("fences", limits.MEMBERS_MAX)
            ),
        )
        reader.done()
        return standing


def standing_of(account: str, charter: Charter, books: Books, guards: Guards) -> Standing:
    """What we show the owner of an account when it asks where it stands."""
    sequence = books.head(account).sequence
    lock = books.lock(account, sequence + 1)
    fences = [guards.guard(each).fence for each in sorted(charter.accounts)]
    return Standing(
        certificate=books.certificate(account, sequence) if sequence else None,
        order=None if lock is None else SignedDocument.parse(lock.document),
        fences=tuple(SignedDocument.parse(fence) for fence in fences if fence),
    )


def forgotten(
    standing: Standing,
    account: str,
    tenure: Tenure,
    charter: Charter,
    books: Books,
    own: Signed[Order] | None,
) -> int | None:
    """The incarnation of what a peer shows that we signed and do not know; None: nothing new.

    `own` is our open order. What cannot be proven to be ours counts for nothing, and what is of a
    closed epoch says nothing that its cut does not say.
    """
    head, found = books.head(account), 0
    if standing.certificate is not None:
        claim, _ = parse_certificate(standing.certificate)
        if _is_of_epoch(claim, charter):
            order = verify_certificate(standing.certificate, charter).order
            # Only we gather votes, and we keep a certificate before we send it: we have forgotten.
            if order.body.account == account and order.body.sequence > head.sequence:
                found = max(found, order.body.incarnation)
    if standing.order is not None and _is_of_epoch(standing.order, charter):
        order = verify_order(standing.order, charter)
        if order.body.account == account and _is_new(order, head, own):
            found = max(found, order.body.incarnation)
    for document in standing.fences:
        if not _is_of_epoch(document, charter):
            continue
        fence = verify_fence(document, charter).body
        is_later = fence.account == account and fence.incarnation > tenure.incarnation
        if is_later and document.encode() != tenure.fence:
            found = max(found, fence.incarnation)
    return found or None


def _is_of_epoch(document: SignedDocument, charter: Charter) -> bool:
    read = Fence.parse if document.kind == FENCE else Order.parse
    return read(document.payload).epoch == charter.epoch


def _is_new(order: Signed[Order], head: Head, own: Signed[Order] | None) -> bool:
    if order.body.sequence <= head.sequence:
        return False
    return own is None or content_digest(order) != content_digest(own)


def superseded(
    refusal: ProtocolError, account: str, tenure: Tenure, charter: Charter
) -> int | None:
    """The later incarnation that a refusal proves by our own signature; None when it proves none.

    It stops an owner: either it forgot, or a clone of it has taken the account over.
    """
    found = 0
    for document in _shown(refusal):
        if not _is_of_epoch(document, charter):
            continue
        if document.kind == FENCE:
            body: Fence | Order = verify_fence(document, charter).body
        else:
            body = verify_order(document, charter).body
        if body.account == account and document.encode() != tenure.fence:
            found = max(found, body.incarnation)
    return found if found > tenure.incarnation else None


def contradicted(refusal: ProtocolError, own: Signed[Order] | None, charter: Charter) -> int | None:
    """The incarnation in which a refusal proves that our key signed another order for our place.

    A clone did, or we did before we forgot. Nobody can vote for both, so the place is unlocked in
    the next incarnation.
    """
    if own is None or type(refusal) is not OrderConflict:
        return None
    order = verify_order(SignedDocument.from_json(refusal.facts.get("order")), charter)
    is_other = order.body.slot == own.body.slot and order.digest != own.digest
    return order.body.incarnation if is_other else None


def _shown(refusal: ProtocolError) -> list[SignedDocument]:
    shown = refusal.facts.get("shown")
    # A guard's fence and a lock; whoever shows more shows nothing.
    if type(shown) is not list or len(shown) > 2:
        return []
    return [SignedDocument.from_json(each) for each in shown]
