"""Measuring: many short rounds, in turn, so that noise strikes everyone alike."""

from collections.abc import Callable
from statistics import median
from time import perf_counter, process_time

Action = Callable[[], object]


def best_us(*actions: Action, rounds: int = 40, calls: int = 40) -> list[float]:
    """Microseconds a call for each action; the rounds alternate between them.

    The best round counts: what disturbs a machine only ever makes it slower.
    """
    rows = _rounds_us(perf_counter, actions, rounds, calls)
    return [min(column) for column in zip(*rows, strict=True)]


def cpu_us(*actions: Action, rounds: int = 60, calls: int = 20) -> list[float]:
    """Microseconds of processor time a call: the median round, for what does not wait."""
    rows = _rounds_us(process_time, actions, rounds, calls)
    return [median(column) for column in zip(*rows, strict=True)]


def _rounds_us(
    clock: Callable[[], float], actions: tuple[Action, ...], rounds: int, calls: int
) -> list[list[float]]:
    for action in actions:
        action()
    return [[_round_us(clock, action, calls) for action in actions] for _ in range(rounds)]


def _round_us(clock: Callable[[], float], action: Action, calls: int) -> float:
    started = clock()
    for _ in range(calls):
        action()
    return (clock() - started) / calls * 1e6
