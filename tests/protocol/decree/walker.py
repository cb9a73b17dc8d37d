"""Walks through a world too large for every order of events: the seed draws what happens next.

    python -m tests.protocol.decree.walker SEED [SEEDS]

A walk has two parts. In the first anything may happen, and the promises must hold after each event.
In the second the liar is silent and the others talk to each other: all of them must come to stand
in the next epoch with the same books, and go on paying there.
"""

import random
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from protocol import (
    COMMIT,
    PREPARE,
    REFERRAL_ENTRY,
    Ballot,
    Entry,
    MemoryBooks,
    Need,
    ProtocolError,
    advance,
    build_order,
    cast_vote,
    decree,
    judge,
    state_digest,
)
from tests.protocol.decree import gathering
from tests.protocol.decree.drafts import NODE, approvals
from tests.protocol.decree.explorer import Broken, broken
from tests.protocol.decree.gathering import Offer
from tests.protocol.decree.scenarios import SCENARIOS
from tests.protocol.decree.world import Sitting, State, World, crash

EVENTS_MAX = 150
T = TypeVar("T")


class Walk:
    """One way through a world, drawn by a seed."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.draw = random.Random(seed)
        self.state: State = world.start()
        orders = world.scenario.orders
        # In some walks there is nothing but what the liar signed, so that it comes to a head.
        lies = [n for n, order in enumerate(orders) if order.body.account in world.liars]
        every = lies if self.draw.random() < 0.3 else range(len(orders))
        self.orders = self.draw.sample(every, self.draw.randint(1, min(3, len(every))))
        self.way = [f"seed {seed}"]
        self.happened: Counter[str] = Counter()

    def go(self) -> None:
        """Let things happen. Raises Broken with the events that led to a broken promise."""
        kinds = [self._vote, self._apply, self._stop, self._prepare, self._commit, self._enact]
        # Each walk leans another way, or all of them would stop early or certify everything.
        draw = self.draw.choice
        weights = [8, draw((0.3, 4)), draw((0.2, 0.5, 2)), draw((2, 8)), draw((1, 6)), draw((0, 1))]
        for _ in range(EVENTS_MAX):
            at = self.draw.randrange(len(self.state))
            if self.draw.random() < 0.02:
                self._happen(at, "crashes", None, crash)
            one = self.world.sittings[self.state[at]]
            if one.enacted < 0:
                self.draw.choices(kinds, weights)[0](at, one)
            if promise := broken(self.world, self.state):
                raise Broken(promise, self.way)

    def _happen(self, at: int, verb: str, about: object, ask: Callable[[Sitting], Sitting]) -> None:
        number = self.state[at]
        after = self.world.asked(verb, number, about, ask)
        if after != number:
            again = isinstance(about, Offer) and about.again >= 0
            self.happened["prepares again" if again else verb] += 1
            self.way.append(f"{self.world.sittings[number].name} {verb} {_shown(about)}")
            self.state = (*self.state[:at], after, *self.state[at + 1 :])

    def _vote(self, at: int, one: Sitting) -> None:
        number = self.draw.choice(self.orders)
        owner = self.world.scenario.orders[number].body.account
        if owner == one.name or number in gathering.signed_orders(self.world, self.state):
            self._happen(at, "votes", number, partial(_given, self.world.vote, number))

    def _apply(self, at: int, one: Sitting) -> None:
        for number in gathering.certified(self.world, self.state):
            if number not in one.applied:
                self._happen(at, "applies", number, partial(_given, self.world.apply, number))
                return

    def _stop(self, at: int, one: Sitting) -> None:
        ballots = range(1, self.world.scenario.ballots + 1)
        ballot = min(self.draw.choices(ballots, k=2))
        self._happen(at, "stops", ballot, partial(_given, self.world.fence, ballot))

    def _prepare(self, at: int, one: Sitting) -> None:
        offer = gathering.one_offer(self.world, self.state, self.draw)
        if offer is not None:
            what = gathering.proposal(self.world, offer)
            self._happen(at, "prepares", offer, partial(_given, self.world.prepare, what))

    def _commit(self, at: int, one: Sitting) -> None:
        bundles = gathering.bundles(self.world, self.state, PREPARE)
        if bundles:
            each = self.draw.choice(bundles)
            proof = decree.Prepared(self.world.motions[each.motion], each.ballot, each.votes)
            self._happen(at, "commits", each, partial(_given, self.world.commit, proof))

    def _enact(self, at: int, one: Sitting) -> None:
        decrees = gathering.decrees(self.world, self.state)
        if decrees:
            found = self.draw.choice(decrees)
            about = self.world.motion_of(found.motion)
            self._happen(at, "enacts", about, partial(_given, self.world.enact, found))

    # --- The second part: everybody honest can reach everybody honest. ---

    def converge(self) -> list[MemoryBooks]:
        """All honest members in the next epoch; raises Broken if one of them does not get there."""
        found = next(iter(gathering.decrees(self.world, self.state)), None) or self._decide()
        self._count(found)
        for at in range(len(self.state)):
            if self.world.sittings[self.state[at]].enacted < 0:
                about = self.world.motion_of(found.motion)
                self._catch_up(at)
                self._happen(at, "enacts", about, partial(_given, self.world.enact, found))
        members = self.world.of(self.state)
        if promise := broken(self.world, self.state):
            raise Broken(promise, self.way)
        if any(each.enacted < 0 for each in members):
            raise Broken("somebody does not get into the next epoch", self.way)
        return [self.world.fresh_books(each) for each in members]

    def _count(self, found: decree.Decree) -> None:
        """What there is to do when the decree takes effect."""
        cut = found.motion.charter.cut
        assert cut is not None
        for digests in cut.carried.values():
            self.happened["orders carried" if len(digests) == 1 else "orders united"] += 1
            for each in self.world.of(self.state):
                applied = {self.world.scenario.orders[n].digest for n in each.applied}
                if len(digests) > 1 and applied & set(digests):
                    self.happened["books amended"] += 1

    def _catch_up(self, at: int) -> None:
        """Apply everything that anybody has applied or that is certified."""
        known = gathering.certified(self.world, self.state)
        for number in sorted({*known, *(n for e in self.world.of(self.state) for n in e.applied)}):
            self._happen(at, "applies", number, partial(_given, self.world.apply, number))

    def _decide(self) -> decree.Decree:
        """A ballot above all others, carried through by a proposer that plays by the rules."""
        world = self.world
        for at in range(len(self.state)):
            self._catch_up(at)
        highest = max(each.seat.promised for each in world.of(self.state))
        ballot = decree.next_ballot(highest, world.charter, world.honest[0])
        draft = world.draft(ballot)
        proposer = decree.Proposer(world.charter, ballot, draft, approvals(world.charter, draft))
        for at in range(len(self.state)):
            self._happen(at, "stops", ballot, partial(_given, world.fence, ballot))
            answer = world.sittings[self.state[at]].seat.answer
            proposer.add_report(decree.FenceAnswer.parse(answer))
        proposal = proposer.proposal(world.books(world.sittings[self.state[0]]))
        if not isinstance(proposal, decree.Proposal):
            raise Broken("q reports lead to no proposal", self.way)
        self._gather(proposer, PREPARE, "prepares", partial(_given, world.prepare, proposal))
        prepared = proposer.prepared()
        if prepared is None:
            raise Broken("q members do not prepare what an honest one proposes", self.way)
        self._gather(proposer, COMMIT, "commits", partial(_given, world.commit, prepared))
        found = proposer.decree()
        if found is None:
            raise Broken("q members do not commit to what they prepared", self.way)
        return found

    def _gather(
        self, proposer: decree.Proposer, kind: str, verb: str, ask: Callable[[Sitting], Sitting]
    ) -> None:
        assert proposer.motion is not None
        motion = self.world.motion_of(proposer.motion)
        for at in range(len(self.state)):
            self._happen(at, verb, ("last", proposer.ballot, motion), ask)
            name = self.world.sittings[self.state[at]].name
            if name in gathering.voters(self.world, self.state, kind, proposer.ballot, motion):
                proposer.add_vote(gathering.vote(self.world, name, kind, proposer.ballot, motion))

    def pay_on(self, everybody: list[MemoryBooks]) -> None:
        """One order of each honest member in the new epoch, certified and applied by all."""
        charter = self.world.motions[self.world.of(self.state)[0].enacted].charter
        for owner, own in zip(self.world.honest, everybody, strict=True):
            to = next(name for name in self.world.honest if name != owner)
            entry = Entry(f"{owner}-goes-on", REFERRAL_ENTRY, to, 1, bytes(32))
            order = build_order(owner, [entry], charter=charter, books=own, key=NODE[owner])
            assert order is not None
            ballot = Ballot(order, charter)
            for name, books in zip(self.world.honest, everybody, strict=True):
                if name != owner and not isinstance(judge(order, charter, books), Need):
                    ballot.add(cast_vote(order, NODE[name]), name)
            certificate = ballot.certificate()
            if certificate is None:
                raise Broken(f"{owner} cannot pay in the new epoch", self.way)
            for books in everybody:
                changes = advance(certificate, books)
                assert changes is not None
                books.commit(changes)
        if len({state_digest(books.heads()) for books in everybody}) != 1:
            raise Broken("equal vectors, and books that differ", self.way)


def _given(ask: Callable[[Sitting, T], Sitting], about: T, sitting: Sitting) -> Sitting:
    return ask(sitting, about)


def _shown(about: object) -> str:
    if isinstance(about, Offer | gathering.Bundle):
        return f"motion {about.motion} of ballot {about.ballot}"
    return str(about)


def walk(seed: int, world: World | None = None) -> Walk:
    """Both parts of the walk of this seed; a world may be walked again, it remembers answers."""
    way = Walk(world or World(SCENARIOS["everything"]()), seed)
    try:
        way.go()
        way.pay_on(way.converge())
    except (ProtocolError, AssertionError) as failed:
        raise Broken(f"the code contradicts itself: {failed!r}", way.way) from failed
    return way


def main(first: str, count: str = "1") -> None:
    """Walk these seeds and say how often each kind of event happened."""
    happened: Counter[str] = Counter()
    world = World(SCENARIOS["everything"]())
    for seed in range(int(first), int(first) + int(count)):
        happened += walk(seed, world).happened
    print(dict(happened))


if __name__ == "__main__":
    main(*sys.argv[1:])
