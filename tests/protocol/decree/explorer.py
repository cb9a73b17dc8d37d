"""The explorer: goes through a small world of members, in every order of events.

    python -m tests.protocol.decree.explorer agreement [SEED]

In each state it checks what a decree promises (LEDGER 5). What it prints for a broken promise is
the way that led there. The seed decides only where it looks first.
"""

import random
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, TypeVar

from protocol import PREPARE, Cut, decree, state_digest
from tests.protocol.decree import gathering
from tests.protocol.decree.gathering import bundles, certified, decrees, offers
from tests.protocol.decree.scenarios import SCENARIOS
from tests.protocol.decree.world import Sitting, State, World, crash

T = TypeVar("T")


class Broken(Exception):
    """A promise that was not kept, and the events that led there."""

    def __init__(self, promise: str, way: list[str]) -> None:
        super().__init__("\n  ".join([promise, *way]))
        self.promise = promise


@dataclass(frozen=True, slots=True)
class Explored:
    """How many states there were, and what was reached in any of them."""

    states: int
    motions: int
    decrees: int
    certified: int


def steps(world: World, state: State) -> Iterator[tuple[str, State]]:
    """Every next state, with the event that leads there."""
    events = list(_events(world, state))
    for at, number in enumerate(state):
        name = world.sittings[number].name
        going = [event for event in events if event.by in ("", name)]
        for event in going if world.sittings[number].enacted < 0 else events[:1]:
            after = world.asked(event.verb, number, event.about, event.ask)
            if after != number:
                yield f"{name} {event.verb} {event.title}", (*state[:at], after, *state[at + 1 :])


class Event(NamedTuple):
    """Something that can happen at any member, or `by` one only."""

    verb: str
    title: str
    about: object
    ask: Callable[[Sitting], Sitting]
    by: str = ""


def _events(world: World, state: State) -> Iterator[Event]:
    """All that can reach somebody now. The first is the one that always can."""
    yield Event("crashes", "and starts again", None, crash)
    yield from _ledger_events(world, state)
    for n in range(1, world.scenario.ballots + 1):
        yield Event("stops", f"for ballot {n}", n, partial(_call, world.fence, n))
    for offer in offers(world, state):
        title = f"motion {offer.motion} in ballot {offer.ballot}"
        what = gathering.proposal(world, offer)
        yield Event("prepares", title, offer, partial(_call, world.prepare, what))
    for each in bundles(world, state, PREPARE) if world.scenario.commits else ():
        title = f"motion {each.motion} of ballot {each.ballot}"
        proof = decree.Prepared(world.motions[each.motion], each.ballot, each.votes)
        yield Event("commits to", title, each, partial(_call, world.commit, proof))
    if world.scenario.enacts:
        for found in decrees(world, state):
            title = f"motion {world.motion_of(found.motion)} into force"
            yield Event("takes", title, found, partial(_call, world.enact, found))


def _ledger_events(world: World, state: State) -> Iterator[Event]:
    signed = gathering.signed_orders(world, state)
    for number, order in enumerate(world.scenario.orders):
        # An honest owner votes first, by signing.
        by = "" if number in signed else order.body.account
        vote = partial(_call, world.vote, number)
        yield Event("votes", f"for order {number}", number, vote, by)
    for number in certified(world, state):
        yield Event("applies", f"order {number}", number, partial(_call, world.apply, number))


def _call(ask: Callable[[Sitting, T], Sitting], about: T, sitting: Sitting) -> Sitting:
    return ask(sitting, about)


# --- The promises. ---


def broken(world: World, state: State) -> str:
    """The first promise that does not hold in this state; nothing when all do."""
    enacted = {world.motion_of(each.motion): each for each in decrees(world, state)}
    beyond = {each.enacted for each in world.of(state)} - {-1}
    if len(enacted.keys() | beyond) > 1:
        return "two decrees for one version"
    places: dict[tuple[str, int], bytes] = {}
    for number in certified(world, state):
        order = world.scenario.orders[number]
        place = order.body.account, order.body.sequence
        if places.setdefault(place, order.digest) != order.digest:
            return f"two certificates for one place of {order.body.account}"
    orders = world.scenario.orders
    signed = frozenset(orders[n].digest for n in gathering.signed_orders(world, state))
    for found in enacted.values():
        cut = found.motion.charter.cut
        assert cut is not None
        if reason := _cut_broken(cut, places, signed):
            return reason
        for each in world.of(state):
            if reason := _books_broken(world, each, found):
                return reason
    return ""


def _cut_broken(cut: Cut, places: Mapping[tuple[str, int], bytes], signed: frozenset[bytes]) -> str:
    """Nothing certified is lost by the cut, nothing is beyond it, and owners signed all of it."""
    for (account, sequence), digest in places.items():
        there = cut.accounts.get(account)
        if there is None or sequence > there.sequence:
            return f"a certified order of {account} is not within the cut"
        if sequence == there.sequence and digest not in cut.carried.get(account, (there.digest,)):
            return f"the cut puts another order in the place of a certified one of {account}"
    for account, digests in cut.carried.items():
        if not signed.issuperset(digests):
            return f"the cut carries an order that {account} has not signed"
    return ""


def _books_broken(world: World, sitting: Sitting, found: decree.Decree) -> str:
    """What is in the member's books when it takes the decree into force, if it has all it needs."""
    key = ("books broken", sitting.name, sitting.applied, sitting.enacted, found)
    return world.remember(key, lambda: _asked_books(world, sitting, found))


def _asked_books(world: World, sitting: Sitting, found: decree.Decree) -> str:
    beyond = sitting if sitting.enacted >= 0 else world.enact(sitting, found)
    heads = world.books(beyond).heads()
    if sum(head.balance for head in heads.values()):
        return f"the balances at {sitting.name} do not add up to zero"
    cut = found.motion.charter.cut
    assert cut is not None
    if beyond.enacted >= 0 and state_digest(heads) != cut.state:
        return f"{sitting.name} stands elsewhere than the decree says"
    return ""


# --- Going through a world. ---


def explore(world: World, seed: int = 0, states_max: int = 200_000) -> Explored:
    """Every state that can be reached. Raises Broken with the way to one that breaks a promise."""
    draw, start = random.Random(seed), world.start()
    came_from: dict[State, tuple[State, str] | None] = {start: None}
    seen, waiting = {world.key(start)}, [start]
    enacted, places = set[int](), set[int]()
    while waiting:
        state = waiting.pop()
        try:
            promise = broken(world, state)
            following = [] if promise else list(steps(world, state))
        except AssertionError as failed:
            promise, following = f"the code contradicts itself {failed}", []
        if promise:
            raise Broken(promise, _way(state, came_from))
        enacted |= {world.motion_of(each.motion) for each in decrees(world, state)}
        places |= set(certified(world, state))
        draw.shuffle(following)
        for event, after in following:
            key = world.key(after)
            if key not in seen:
                seen.add(key)
                came_from[after] = state, event
                waiting.append(after)
        assert len(seen) <= states_max, f"more than {states_max} states: the bounds are too wide"
    return Explored(len(seen), len(world.motions), len(enacted), len(places))


def _way(state: State, came_from: dict[State, tuple[State, str] | None]) -> list[str]:
    way, step = [], came_from[state]
    while step is not None:
        state, event = step
        way.append(event)
        step = came_from[state]
    return way[::-1]


def main(name: str, seed: str = "2") -> None:
    """Explore one scenario by its name; a broken promise is an error. The seed is for the order."""
    print(explore(World(SCENARIOS[name]()), int(seed)))


if __name__ == "__main__":
    main(*sys.argv[1:])
