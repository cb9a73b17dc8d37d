"""Four real nodes between proxies that lose, delay, repeat, cut and replay, and kill -9 in a loop.

    python -m tests.federation.faults --minutes 10 --seed 1

Referrals are made all the while. Then the wires heal and every node runs: everything arrived once,
every point was paid once, the accounts add up to zero and all ledgers are equal. What was done is
drawn from the seed; a summary in JSON comes last.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

from tests.equipment import standing
from tests.equipment.alliance import MEMBERS
from tests.equipment.fault_proxy import FaultProxy, fault_proxies
from tests.equipment.federation import Federation, RunningNode, eventually, founded, free_ports

CREDIT_LIMIT = 1000
# A node is down for so long, and so long passes between two kills.
DOWN_S, BETWEEN_S = 2.0, 4.0
OFFER_EVERY_S = 0.7
# Back-off after the worst of it, on two cores that run four nodes.
PATIENCE_S = 240


@dataclass(frozen=True)
class Summary:
    """What was done, once all of it was found to hold."""

    seed: int
    referrals: int
    kills: int
    faults: dict[str, int]
    settled_after_s: float


class Storm:
    """One run: `rage` for a while, then `clear`."""

    def __init__(
        self,
        federation: Federation,
        proxies: dict[str, FaultProxy],
        seed: int,
        say: Callable[[str], None],
    ) -> None:
        self._federation, self._proxies = federation, proxies
        self._random, self._seed, self._say = Random(seed), seed, say
        self._offers: standing.Offers = Counter()
        self.kills = 0
        self._down: tuple[RunningNode, float] | None = None

    @property
    def referrals(self) -> int:
        return self._offers.total()

    @property
    def met(self) -> Counter[str]:
        """How often messages met each fault."""
        return sum((proxy.met for proxy in self._proxies.values()), Counter[str]())

    def rage(self, is_over: Callable[[], bool]) -> None:
        """Refer, and let everything go wrong meanwhile, until it is over."""
        for running in self._federation.nodes.values():
            standing.agree(running)
        self._federation.start()
        for proxy in self._proxies.values():
            proxy.break_()
        offer_at = kill_at = time.monotonic()
        while not is_over():
            now = time.monotonic()
            if now >= offer_at:
                sender, to = self._random.sample(MEMBERS, 2)
                standing.offer_from(self._federation[sender], to)
                self._offers[sender, to] += 1
                offer_at = now + OFFER_EVERY_S
            if self._down is None and now >= kill_at:
                self._kill(now)
            elif self._down is not None and now >= self._down[1]:
                self._down[0].start()
                self._down, kill_at = None, time.monotonic() + BETWEEN_S
            time.sleep(0.05)

    def _kill(self, now: float) -> None:
        running = self._federation[self._random.choice(MEMBERS)]
        running.kill()
        self.kills += 1
        self._down = (running, now + DOWN_S)
        self._say(f"{running.member} is killed; {self._offers.total()} referrals so far")

    def clear(self) -> Summary:
        """Heal the wires, start who is down, and assert what must hold."""
        for proxy in self._proxies.values():
            proxy.heal()
        if self._down is not None:
            self._down[0].start()
        healed_at = time.monotonic()
        federation = self._federation
        eventually(
            lambda: (
                standing.is_settled(federation, self._offers, MEMBERS)
                and len(standing.digests(federation.nodes.values())) == 1
                and standing.is_quiet(federation)
            ),
            timeout_s=PATIENCE_S,
            what="everything received, paid, and the same everywhere",
        )
        standing.assert_everything_arrived_once(federation)
        standing.assert_every_point_was_paid_once(federation, self._offers)
        standing.assert_exchanges_are_whole(federation)
        for running in federation.nodes.values():
            assert sum(standing.balance(running, account) for account in MEMBERS) == 0
        return Summary(
            seed=self._seed,
            referrals=self.referrals,
            kills=self.kills,
            faults=dict(sorted(self.met.items())),
            settled_after_s=round(time.monotonic() - healed_at, 1),
        )


@contextmanager
def storm(folder: Path, seed: int, say: Callable[[str], None]) -> Iterator[Storm]:
    """Four nodes that are ready to start, each behind its proxy."""
    ports = dict(zip(MEMBERS, free_ports(len(MEMBERS)), strict=True))
    with fault_proxies(ports, seed) as proxies:
        urls = {member: f"http://127.0.0.1:{proxy.port}" for member, proxy in proxies.items()}
        with founded(
            folder, ports=ports, public_urls=urls, credit_limit=CREDIT_LIMIT
        ) as federation:
            yield Storm(federation, proxies, seed, say)


def main(arguments: Sequence[str] | None = None) -> int:
    """Let it rage, and print what was seen; an assertion ends it where something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.federation.faults")
    parser.add_argument("--minutes", type=float, default=10, help="how long it lasts (10)")
    parser.add_argument("--seed", type=int, default=1, help="what everything is drawn from (1)")
    wish = parser.parse_args(arguments)

    def say(line: str) -> None:
        print(line, flush=True)

    with (
        tempfile.TemporaryDirectory(prefix="tasuki-faults-") as folder,
        storm(Path(folder), wish.seed, say) as run,
    ):
        ends_at = time.monotonic() + wish.minutes * 60
        run.rage(lambda: time.monotonic() >= ends_at)
        summary = run.clear()
    say(json.dumps(asdict(summary)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
