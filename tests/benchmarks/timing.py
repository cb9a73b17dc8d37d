"""Measuring: the best of many short rounds, in turn, so that noise strikes everyone alike."""

from collections.abc import Callable
from time import perf_counter

Action = Callable[[], object]


def best_us(*actions: Action, rounds: int = 40, calls: int = 40) -> list[float]:
    """Microseconds a call for each action; the rounds alternate between them.

    The best round counts: what disturbs a machine only ever makes it slower.
    """
    best = [float("inf")] * len(actions)
    for action in actions:
        action()
    for _ in range(rounds):
        for index, action in enumerate(actions):
            started = perf_counter()
            for _ in range(calls):
                action()
            best[index] = min(best[index], (perf_counter() - started) / calls * 1e6)
    return best
