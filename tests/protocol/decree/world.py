"""A small world of members that make a decree: every next step, on the production code.

What members have signed is in the air for good: a message may arrive at any time, at anybody, or
never. So the state of the world is what each honest member keeps, and all that it has ever said.
One member may be a liar, which signs whatever helps. The world asks for everything that can be put
together from signatures (`gathering`) and leaves the refusing to the code.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple, TypeVar

from protocol import (
    COMMIT,
    FENCE_REPORT,
    PREPARE,
    Ballot,
    Certificate,
    Charter,
    FenceReport,
    Lock,
    MemoryBooks,
    Need,
    Order,
    ProtocolError,
    Settled,
    Signature,
    Signed,
    SignedDocument,
    advance,
    cast_vote,
    decree,
    judge,
    sign,
)
from protocol.documents.decrees import encode_statement
from tests.protocol.decree.drafts import NODE, approvals

ORDER_VOTE = "order"
T = TypeVar("T")


class Said(NamedTuple):
    """Something that a member signed: a vote for an order or a motion, or a report."""

    kind: str
    ballot: int
    about: object


class Sitting(NamedTuple):
    """One honest member: its seat, what it applied and locked, and all that it has ever said."""

    name: str
    seat: decree.Seat
    applied: frozenset[int] = frozenset()
    locks: frozenset[int] = frozenset()
    said: frozenset[Said] = frozenset()
    enacted: int = -1

    @property
    def kept(self) -> tuple[object, ...]:
        """The seat without what only the member's keys decide."""
        seat, held = self.seat, None
        if seat.prepared is not None:
            held = seat.prepared.ballot, seat.prepared.digest
        return seat.epoch, seat.promised, reported(seat.answer), seat.voted, held

    @property
    def sketch(self) -> tuple[object, ...]:
        return self.kept, self.applied, self.locks, self.said, self.enacted


@cache
def reported(answer: bytes) -> bytes:
    """What a kept answer reports, without who signed it."""
    return decree.FenceAnswer.parse(answer).report.payload if answer else b""


State = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Scenario:
    """The bounds of a world: who is in it, who lies, which drafts in turn, which orders."""

    charter: Charter
    drafts: tuple[SignedDocument, ...]
    ballots: int = 1
    liar: str = ""
    orders: tuple[Signed[Order], ...] = ()
    # Whether there is a second phase; if not, whatever is prepared counts as enacted.
    commits: bool = True
    # Whether members go on to the next epoch; if not, it is only checked that they could.
    enacts: bool = False
    # Orders that the liar wrote in another member's name.
    forged: tuple[SignedDocument, ...] = ()


class World:
    """The members of a scenario, and what each of them can do next."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.charter = scenario.charter
        self.honest = tuple(name for name in self.charter.by_id if name != scenario.liar)
        self.liars = frozenset({scenario.liar} - {""})
        self.motions: list[decree.Motion] = []
        self.decrees: dict[int, decree.Decree] = {}
        self.sittings: list[Sitting] = []
        self.classes: list[int] = []
        self.answers: dict[tuple[str, Said], decree.FenceAnswer] = {}
        self._known: dict[object, int] = {}
        self._asked: dict[object, int] = {}
        self._questions: list[tuple[int, int]] = []
        self._refused: set[object] = set()
        self._classes: dict[object, int] = {}
        self._memory: dict[object, object] = {}
        self._moves: dict[object, int] = {}

    # --- States. ---

    def start(self) -> State:
        seats = (Sitting(name, decree.Seat(self.charter.epoch)) for name in self.honest)
        return tuple(map(self.number_of, seats))

    def key(self, state: State) -> tuple[int, ...]:
        """The same for two states that differ only in who of the honest did what."""
        return tuple(sorted(self.classes[each] for each in state))

    def of(self, state: State) -> list[Sitting]:
        return [self.sittings[each] for each in state]

    def number_of(self, sitting: Sitting) -> int:
        key = (sitting.name, sitting.sketch)
        if key not in self._known:
            self._known[key] = len(self.sittings)
            self.sittings.append(sitting)
            # Whoever owns an order is not like the others; whom it pays makes no difference.
            owners = {order.body.account for order in self.scenario.orders}
            name = sitting.name if sitting.name in owners else ""
            alike = (name, sitting.sketch)
            self.classes.append(self._classes.setdefault(alike, len(self._classes)))
            # What it has said does not change what it answers.
            asked = sitting._replace(said=frozenset())
            for question in ((name, asked.sketch), (sitting.name, asked.sketch, "")):
                self._asked.setdefault(question, len(self._asked))
            nameless = self._asked[name, asked.sketch]
            self._questions.append((nameless, self._asked[sitting.name, asked.sketch, ""]))
        return self._known[key]

    def motion_of(self, motion: decree.Motion) -> int:
        if motion not in self.motions:
            self.motions.append(motion)
        return self.motions.index(motion)

    def remember(self, key: object, make: Callable[[], T]) -> T:
        """What `make` answers, asked only once: every judge is a pure function."""
        if key not in self._memory:
            self._memory[key] = make()
        return self._memory[key]  # type: ignore[return-value]

    def books(self, sitting: Sitting) -> MemoryBooks:
        """The member's books. They are made once and must not be changed."""
        key = ("books", sitting.applied, sitting.locks, sitting.enacted)
        return self.remember(key, lambda: self.fresh_books(sitting))

    def fresh_books(self, sitting: Sitting) -> MemoryBooks:
        books = MemoryBooks()
        for number in sorted(sitting.applied):
            changes = advance(self.certificate(number), books)
            assert changes is not None
            books.commit(changes)
        for number in sitting.locks:
            order = self.scenario.orders[number]
            lock = Lock(order.body.incarnation, order.digest, order.document.encode())
            books.lock_order(order.body.account, order.body.sequence, lock)
        if sitting.enacted >= 0:
            self.open_epoch(sitting.enacted, books)
        return books

    def open_epoch(self, motion: int, books: MemoryBooks) -> None:
        """What a member does with its books when the motion takes effect."""
        carried = {order.digest: order for order in self.scenario.orders}
        activation = decree.judge_decree(self.decrees[motion], carried, self.charter, books)
        assert isinstance(activation, decree.Activation)
        for changes in activation.placed:
            books.commit(changes)
        for changes in activation.amended:
            books.amend(changes)
        books.release_locks()

    def certificate(self, number: int) -> Certificate:
        """The order's certificate; whether q have voted for it is a question of the state."""
        order = self.scenario.orders[number]

        def made() -> Certificate:
            ballot = Ballot(order, self.charter)
            for name in sorted(self.charter.by_id.keys() - {order.body.account}):
                ballot.add(cast_vote(order, NODE[name]), name)
            certificate = ballot.certificate()
            assert certificate is not None
            return certificate

        return self.remember(("certificate", number), made)

    def signed(self, name: str, kind: str, ballot: int, motion: int) -> Signature:
        """The member's signature of the statement of a phase."""

        def made() -> Signature:
            statement = encode_statement(self.charter, ballot, self.motions[motion].digest)
            return sign(kind, statement, NODE[name]).signatures[0]

        return self.remember((name, kind, ballot, motion), made)

    def draft(self, ballot: int) -> SignedDocument:
        return self.scenario.drafts[(ballot - 1) % len(self.scenario.drafts)]

    def approvals(self, draft: SignedDocument) -> tuple[SignedDocument, ...]:
        return self.remember(("approvals", draft), lambda: approvals(self.charter, draft))

    # --- What one member does when it is asked. ---

    def asked(
        self, verb: str, number: int, about: object, ask: Callable[[Sitting], Sitting]
    ) -> int:
        """What the member is afterwards: the same when it refuses."""
        key = (verb, number, about)
        after = self._moves.get(key)
        if after is None:
            before = self.sittings[number]
            nameless, question = self._questions[number]
            answer = None
            # What one member refuses, another that stands where it stands refuses too.
            if (verb, nameless, about) not in self._refused:
                answer = self.remember((verb, question, about), lambda: self._answer(before, ask))
                if answer is None:
                    self._refused.add((verb, nameless, about))
            after = number
            if answer is not None:
                after = self.number_of(answer._replace(said=before.said | answer.said))
            self._moves[key] = after
        return after

    def _answer(self, before: Sitting, ask: Callable[[Sitting], Sitting]) -> Sitting | None:
        try:
            return ask(before._replace(said=frozenset()))
        except ProtocolError:
            return None

    def vote(self, sitting: Sitting, number: int) -> Sitting:
        decree.require_voting(sitting.seat, self.charter)
        verdict = judge(self.scenario.orders[number], self.charter, self.books(sitting))
        if isinstance(verdict, Need | Settled):
            return sitting
        said = frozenset({Said(ORDER_VOTE, 0, number)})
        return sitting._replace(locks=sitting.locks | {number}, said=said)

    def apply(self, sitting: Sitting, number: int) -> Sitting:
        if advance(self.certificate(number), self.books(sitting)) is None:
            return sitting
        return sitting._replace(applied=sitting.applied | {number}, locks=sitting.locks - {number})

    def fence(self, sitting: Sitting, ballot: int) -> Sitting:
        draft = self.draft(ballot)
        orders = [self.scenario.orders[number] for number in sitting.locks]
        kept = decree.judge_fence(
            decree.FenceRequest(ballot, draft, self.approvals(draft)),
            seat=sitting.seat,
            charter=self.charter,
            books=self.books(sitting),
            locks={order.body.account: order.document for order in orders},
            key=NODE[sitting.name],
        )
        # Asked again it gives the same answer, wherever it stands by now.
        report = FenceReport.parse(kept.answer.report.payload)
        about = tuple(report.vector.items()), tuple(report.locks.items()), report.held
        said = Said(FENCE_REPORT, ballot, about)
        self.answers.setdefault((sitting.name, said), kept.answer)
        return sitting._replace(seat=kept.seat, said=frozenset({said}))

    def prepare(self, sitting: Sitting, proposal: decree.Proposal) -> Sitting:
        kept = decree.judge_proposal(
            proposal,
            seat=sitting.seat,
            charter=self.charter,
            books=self.books(sitting),
            key=NODE[sitting.name],
        )
        if isinstance(kept, Need):
            return sitting
        said = Said(PREPARE, proposal.ballot, self.motion_of(proposal.motion))
        return sitting._replace(seat=kept.seat, said=frozenset({said}))

    def commit(self, sitting: Sitting, prepared: decree.Prepared) -> Sitting:
        kept = decree.judge_prepared(
            prepared, seat=sitting.seat, charter=self.charter, key=NODE[sitting.name]
        )
        said = Said(COMMIT, prepared.ballot, self.motion_of(prepared.motion))
        return sitting._replace(seat=kept.seat, said=frozenset({said}))

    def enact(self, sitting: Sitting, found: decree.Decree) -> Sitting:
        carried = {order.digest: order for order in self.scenario.orders}
        books = self.books(sitting)
        activation = decree.judge_decree(found, carried, self.charter, books)
        if isinstance(activation, Need):
            return sitting
        enacted = self.motion_of(found.motion)
        self.decrees.setdefault(enacted, found)
        return sitting._replace(seat=activation.seat, locks=frozenset(), enacted=enacted)


def crash(sitting: Sitting) -> Sitting:
    """The member falls over and starts again from what it had made durable."""
    return sitting._replace(seat=decree.Seat.parse(sitting.seat.encode()))
