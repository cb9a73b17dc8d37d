"""What can be put together from all that the members of a small world have said, honestly or not.

    votes       every bundle of signatures that might pass for a quorum, and some that must not
    proposals   every motion under every set of reports, and some that do not follow from them

Nothing is left out because the code ought to refuse it: that is what is tested.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import combinations
from typing import NamedTuple

from protocol import (
    COMMIT,
    FENCE_REPORT,
    PREPARE,
    FenceReport,
    Held,
    MemoryBooks,
    Need,
    ProtocolError,
    Signature,
    SignedDocument,
    decree,
    sign,
)
from protocol.charter import encode_decreed
from protocol.documents.decrees import encode_statement
from tests.protocol.decree.drafts import NODE
from tests.protocol.decree.world import ORDER_VOTE, Said, Sitting, State, World


class Report(NamedTuple):
    """Who reported, and what."""

    name: str
    said: Said


class Offer(NamedTuple):
    """A motion in a ballot, the reports it is said to follow from, and what was prepared before."""

    ballot: int
    motion: int
    reports: frozenset[Report]
    again: int


def voters(world: World, state: State, kind: str, ballot: int, about: object) -> frozenset[str]:
    """The honest members that said it."""
    said = Said(kind, ballot, about)
    return frozenset(each.name for each in world.of(state) if said in each.said)


def certified(world: World, state: State) -> list[int]:
    """The orders that q members voted for; the liar votes for every one."""
    found = []
    for number in range(len(world.scenario.orders)):
        honest = voters(world, state, ORDER_VOTE, 0, number)
        if len(honest | world.liars) >= world.charter.q:
            found.append(number)
    return found


def signed_orders(world: World, state: State) -> set[int]:
    """The orders that their owners have signed: a liar's all along, an honest one's by its vote."""
    found = set()
    for number, order in enumerate(world.scenario.orders):
        owner = order.body.account
        if owner in world.liars | voters(world, state, ORDER_VOTE, 0, number):
            found.add(number)
    return found


class Bundle(NamedTuple):
    """Signatures that are said to be those of a quorum for a motion in a ballot."""

    ballot: int
    motion: int
    votes: tuple[Signature, ...]


def bundles(world: World, state: State, kind: str) -> list[Bundle]:
    """Whatever might pass for a quorum of this phase."""
    said = {(s.ballot, s.about) for each in world.of(state) for s in each.said if s.kind in PHASES}
    found = []
    for ballot, motion in sorted(said, key=str):
        assert isinstance(motion, int)
        for phase in PHASES:
            names = voters(world, state, phase, ballot, motion)
            if names:
                key = ("bundles", kind, phase, ballot, motion, names)
                made = partial(_bundles, world, kind, phase, Bundle(ballot, motion, ()), names)
                found += world.remember(key, made)
    return found


def _bundles(
    world: World, kind: str, phase: str, about: Bundle, honest: frozenset[str]
) -> list[Bundle]:
    q = world.charter.q
    names = sorted(honest | world.liars)
    votes = tuple(world.signed(name, phase, about.ballot, about.motion) for name in names)
    if len(votes) >= q:
        # A vote of the other phase shall not count in this one, so that one is tried too.
        return [about._replace(votes=votes[:q])]
    if phase != kind:
        return []
    # Too few, and one member's signature as often as it takes.
    return [about._replace(votes=votes), about._replace(votes=(votes * q)[:q])]


def decrees(world: World, state: State) -> list[decree.Decree]:
    """All that a member with nothing but the charter takes for a decree."""
    found = []
    for bundle in bundles(world, state, COMMIT if world.scenario.commits else PREPARE):
        made = world.remember(("decree", bundle), partial(_decree, world, bundle))
        if made is not None:
            found.append(made)
    return found


def _decree(world: World, bundle: Bundle) -> decree.Decree | None:
    found = decree.Decree(world.motions[bundle.motion], bundle.ballot, bundle.votes)
    if not world.scenario.commits and len(set(bundle.votes)) >= world.charter.q:
        everybody = world.charter.by_id
        votes = (world.signed(name, COMMIT, bundle.ballot, bundle.motion) for name in everybody)
        found = replace(found, votes=tuple(votes))
    try:
        decree.verify_decree(found, world.charter)
    except ProtocolError:
        return None
    return found


PHASES = (PREPARE, COMMIT)


def offers(world: World, state: State) -> Iterator[Offer]:
    """Every motion that anybody could propose now, on every set of reports."""
    books = furthest(world, state)
    if books is None:
        return
    prepared = {
        (each.ballot, each.motion)
        for each in bundles(world, state, PREPARE)
        if len(set(each.votes)) >= world.charter.q
    }
    for ballot in range(1, world.scenario.ballots + 1):
        honest = _reports(world, state, ballot)
        if len(honest) + len(world.liars) < world.charter.q - 1:
            continue
        before = frozenset(each for each in prepared if each[0] < ballot)
        known = frozenset(signed_orders(world, state))
        key = ("offers", ballot, honest, before, books.applied, known)
        made = partial(_offers, world, ballot, honest, before, known, books)
        yield from world.remember(key, made)


def _reports(world: World, state: State, ballot: int) -> frozenset[Report]:
    return frozenset(
        Report(each.name, said)
        for each in world.of(state)
        for said in each.said
        if said.kind == FENCE_REPORT and said.ballot == ballot
    )


def furthest(world: World, state: State) -> Sitting | None:
    """A proposer that has applied everything anybody has, as long as the epoch goes on anywhere."""
    going = [each for each in world.of(state) if each.enacted < 0]
    if not going:
        return None
    applied = frozenset(number for each in world.of(state) for number in each.applied)
    return going[0]._replace(applied=applied, locks=frozenset())


def _offers(
    world: World,
    ballot: int,
    honest: frozenset[Report],
    before: frozenset[tuple[int, int]],
    known: frozenset[int],
    books: Sitting,
) -> list[Offer]:
    q = world.charter.q
    fresh = {
        reports: frozenset((-1, motion) for motion in _fresh(world, ballot, reports, books))
        for reports in _sets_of_reports(honest, _lies(world, ballot, before, known), q)
    }
    motions = before.union(*fresh.values())
    return [
        Offer(ballot, motion, reports, again)
        for reports, own in fresh.items()
        # With q reports every motion is tried, whether or not it follows from them.
        for again, motion in sorted(motions if len(reports) == q else own)
    ]


def _sets_of_reports(
    honest: frozenset[Report], lies: Iterable[Report], q: int
) -> Iterator[frozenset[Report]]:
    """All sets of q reports, with one of the lies or without; and of one fewer than are needed."""
    choices = [frozenset[Report](), *(frozenset({lie}) for lie in lies)]
    for size in range(len(honest) + 1):
        for some in combinations(sorted(honest, key=str), size):
            yield from (lie.union(some) for lie in choices if q - 1 <= len(lie) + size)


def _lies(
    world: World, ballot: int, before: frozenset[tuple[int, int]], known: frozenset[int]
) -> Iterator[Report]:
    """What the liar may report: nothing at all, any order as locked, any motion as prepared."""
    count = len(world.scenario.orders)
    forged = range(count, count + len(world.scenario.forged))
    locks = [(), *((number,) for number in sorted({*known, *forged}))]
    held = [None, *(Held(at, world.motions[motion].digest) for at, motion in sorted(before))]
    for liar in world.liars:
        for lock in locks:
            for each in held:
                said = Said(FENCE_REPORT, ballot, (lock, each))
                if (liar, said) not in world.answers:
                    world.answers[liar, said] = _lie(world, ballot, lock, each)
                yield Report(liar, said)


def _lie(world: World, ballot: int, lock: tuple[int, ...], held: Held | None) -> decree.FenceAnswer:
    orders = [(order.body.account, order.document) for order in world.scenario.orders]
    orders += [("aoba", document) for document in world.scenario.forged]
    locked = dict(orders[number] for number in lock)
    report = FenceReport(
        alliance=world.charter.alliance,
        epoch=world.charter.epoch,
        ballot=ballot,
        locks={account: document.digest for account, document in locked.items()},
        held=held,
    )
    signed = sign(FENCE_REPORT, report.encode(), NODE[world.scenario.liar])
    return decree.FenceAnswer(signed, tuple(locked.values()), None)


def _fresh(
    world: World, ballot: int, reports: frozenset[Report], proposer: Sitting
) -> Iterator[int]:
    """The motion of this ballot's draft with the cut that the reports lead to, if to any."""
    answers = {report.name: world.answers[report.name, report.said] for report in reports}
    bodies = {name: FenceReport.parse(answer.report.payload) for name, answer in answers.items()}
    books: MemoryBooks = world.books(proposer)
    try:
        documents = _orders(world, reports)
        orders = decree.verify_locked(documents, bodies.values(), world.charter)
        cut = decree.cut_of(bodies, orders, world.charter, books)
    except ProtocolError:
        return
    if not isinstance(cut, Need):
        draft = world.draft(ballot)
        yield world.motion_of(decree.Motion(encode_decreed(draft.payload, cut), draft.signatures))


def _orders(world: World, reports: frozenset[Report]) -> tuple[SignedDocument, ...]:
    found = {
        document.digest: document
        for report in reports
        for document in world.answers[report.name, report.said].orders
    }
    return tuple(found.values())


def one_offer(world: World, state: State, draw: random.Random) -> Offer | None:
    """Any one of the offers, without making all the others."""
    q, books = world.charter.q, furthest(world, state)
    ballot = draw.randint(1, world.scenario.ballots)
    bundle = bundles(world, state, PREPARE)
    before = frozenset(
        (b.ballot, b.motion) for b in bundle if b.ballot < ballot and len(set(b.votes)) >= q
    )
    reports = sorted(_reports(world, state, ballot), key=str)
    draw.shuffle(reports)
    if world.liars and draw.random() < 0.7:
        known = frozenset(signed_orders(world, state))
        reports.insert(0, draw.choice(list(_lies(world, ballot, before, known))))
    chosen = frozenset(reports[: draw.choice((q, q, q, q + 1, q - 1))])
    if len(chosen) < q - 1 or books is None:
        return None
    motions = [(-1, motion) for motion in _fresh(world, ballot, chosen, books)]
    motions += sorted(before) * 2
    if not motions:
        return None
    again, motion = draw.choice(motions)
    return Offer(ballot, motion, chosen, again)


def vote(world: World, name: str, kind: str, ballot: int, motion: int) -> SignedDocument:
    """The member's vote as it travels."""
    statement = encode_statement(world.charter, ballot, world.motions[motion].digest)
    return SignedDocument(kind, statement, (world.signed(name, kind, ballot, motion),))


def proposal(world: World, offer: Offer) -> decree.Proposal:
    """The offer as it travels."""

    def made() -> decree.Proposal:
        again = None
        if offer.again >= 0:
            again = prepared(world, offer.again, offer.motion)
        return decree.Proposal(
            offer.ballot,
            world.motions[offer.motion],
            tuple(
                world.answers[each.name, each.said].report
                for each in sorted(offer.reports, key=str)
            ),
            _orders(world, offer.reports),
            world.approvals(world.draft(offer.ballot)),
            again,
        )

    return world.remember(offer, made)


def prepared(world: World, ballot: int, motion: int) -> decree.Prepared:
    """The proof that q members prepared it; which of them, makes no difference."""
    names = sorted(world.charter.by_id)[: world.charter.q]
    votes = tuple(world.signed(name, PREPARE, ballot, motion) for name in names)
    return decree.Prepared(world.motions[motion], ballot, votes)
