"""Run the simulator: `python -m tests.simulator --seeds 1000 --first-seed 1 --jobs 2`.

Each seed is one run of an alliance: faults first, then healing. A run that breaks an invariant is
shown with its seed; `--first-seed SEED --trace` runs it again, step by step. `--mutant NAME`
switches a rule of the production code off, to see it noticed; `--until-broken` stops there.
"""

import argparse
import json
import multiprocessing
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.simulator import mutants

if TYPE_CHECKING:
    from tests.simulator.runs import Outcome


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1, help="how many runs")
    parser.add_argument("--first-seed", type=int, default=1, help="the first of them")
    parser.add_argument("--fixed", action="store_true", help="the seeds of the test suite")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--trace", action="store_true", help="every message, as it is delivered")
    parser.add_argument("--until-broken", action="store_true", help="stop at the first finding")
    parser.add_argument("--json", action="store_true", help="for programs: one line a run")
    parser.add_argument("--mutant", choices=[each.name for each in mutants.MUTANTS])
    return parser.parse_args()


def outcomes(seeds: list[int], jobs: int, trace: bool) -> Iterator["Outcome"]:
    from tests.simulator.runs import run

    if jobs == 1 or trace:
        for seed in seeds:
            yield run(seed, trace=trace)
        return
    # Forked, so that a mutant stays one in every process.
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        yield from pool.imap_unordered(run, seeds, chunksize=4)


def main() -> int:
    """0 when every run held, 1 when one broke."""
    given = arguments()
    if given.mutant:
        mutants.install(mutants.by_name(given.mutant))
    from tests.simulator.seeds import fixed_seeds

    seeds = list(range(given.first_seed, given.first_seed + given.seeds))
    if given.fixed:
        seeds = fixed_seeds()
    started, broken, done = time.perf_counter(), 0, 0
    events = simulated_ms = 0
    counts: Counter[str] = Counter()
    for outcome in outcomes(seeds, given.jobs, given.trace):
        done += 1
        events += outcome.events
        simulated_ms += outcome.simulated_ms
        counts += outcome.counts
        if given.json:
            print(json.dumps(outcome.to_json()), flush=True)
        elif outcome.broken:
            print(f"\nseed {outcome.seed} broke: {outcome.broken}\n{outcome.where}", flush=True)
            print(f"again: python -m tests.simulator --first-seed {outcome.seed} --trace")
        broken += bool(outcome.broken)
        if broken and given.until_broken:
            break
    if not given.json:
        seconds = time.perf_counter() - started
        print(f"{done} seeds, {broken} broken, in {seconds:.1f} s: {done / seconds:.1f} seeds/s")
        report(events, simulated_ms, counts)
    return 1 if broken else 0


def report(events: int, simulated_ms: int, counts: Counter[str]) -> None:
    """What was done; a rate by processor time says the same on a busy machine."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    seconds = sum(each.ru_utime + each.ru_stime for each in used)
    print(f"{events:,} events, {events / seconds * 60:,.0f} a minute of one processor")
    print(f"{simulated_ms / 3_600_000:.1f} hours simulated")
    for what, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        print(f"{count:>12,}  {what}")


if __name__ == "__main__":
    sys.exit(main())
