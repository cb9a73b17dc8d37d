"""What a decree promises holds in every order of events of small worlds, and on walks."""

import pytest

from tests.protocol.decree.explorer import Explored, explore
from tests.protocol.decree.scenarios import SCENARIOS
from tests.protocol.decree.walker import walk
from tests.protocol.decree.world import World

SEEDS = range(1, 201)


@pytest.mark.parametrize(
    ("name", "reached"),
    [
        # Either draft may become version 2, and whichever does, the other one cannot.
        ("agreement", Explored(states=6408, motions=2, decrees=2, certified=0)),
        # An order may be applied, carried, or left out when nobody had voted for it.
        ("honest_owner", Explored(states=1176, motions=3, decrees=3, certified=1)),
        # Either of two may be certified; none, one or both are carried.
        ("lying_owner", Explored(states=2457, motions=6, decrees=6, certified=2)),
        ("forged_order", Explored(states=12, motions=1, decrees=1, certified=0)),
    ],
)
def test_no_order_of_events_breaks_what_a_decree_promises(name: str, reached: Explored) -> None:
    # The figures are there so that a world that shrinks by mistake does not pass for a safe one.
    assert explore(World(SCENARIOS[name]())) == reached


def test_whatever_happens_before_honest_members_reach_the_next_epoch_and_pay_on() -> None:
    world, happened = World(SCENARIOS["everything"]()), set[str]()
    for seed in SEEDS:
        happened |= walk(seed, world).happened.keys()
    # Each way of getting there was gone at least once.
    assert happened >= {"prepares again", "orders carried", "orders united", "books amended"}
