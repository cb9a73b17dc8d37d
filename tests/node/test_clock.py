"""The clocks: the machine's tells whole seconds, the tests' stands until it is moved."""

import time

from node.clock import FixedClock, SystemClock


def test_the_machines_clock_tells_whole_seconds_and_measures_forwards() -> None:
    clock = SystemClock()
    assert isinstance(clock.now(), int)
    assert abs(clock.now() - time.time()) <= 2
    assert clock.monotonic() <= clock.monotonic()


def test_a_fixed_clock_moves_only_when_it_is_moved() -> None:
    clock = FixedClock(1_800_000_000)
    assert clock.now() == clock.now() == 1_800_000_000
    clock.move(-86_400)
    assert clock.now() == 1_799_913_600
    assert clock.monotonic() == 1_799_913_600
