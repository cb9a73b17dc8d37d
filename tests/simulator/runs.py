"""Runs by seed: what each one was, what it reached, and how it broke."""

import hashlib
import traceback
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.simulator.member import Message
from tests.simulator.plan import draw
from tests.simulator.world import World


@dataclass
class Outcome:
    """One seed's run. Runs with equal fingerprints delivered the same bytes at the same times."""

    seed: int
    events: int = 0
    simulated_ms: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    fingerprint: str = ""
    broken: str = ""
    where: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "broken": self.broken,
            "counts": dict(sorted(self.counts.items())),
            "events": self.events,
            "fingerprint": self.fingerprint,
            "seed": self.seed,
        }


def run(seed: int, *, trace: bool = False) -> Outcome:
    """The run of a seed. Whatever goes wrong in it, in the protocol or beside it, is a finding."""
    fingerprint = hashlib.blake2b(digest_size=8)

    def hear(now: int, message: Message, instance: str) -> None:
        fingerprint.update(f"{now} {message.kind} {message.instance} {instance}".encode())
        fingerprint.update(message.data)
        if trace:
            print(f"{now:>7} {message.instance:>12} -> {instance:<12} {message.kind}")

    outcome = Outcome(seed)
    try:
        world = World(draw(seed), hear)
        outcome.counts = world.counts
        world.run()
        outcome.events, outcome.simulated_ms = world.events, world.now
    except Exception as error:  # noqa: BLE001 -- anything that is raised is what we look for
        outcome.broken = f"{type(error).__name__}: {error}"
        outcome.where = traceback.format_exc()
    outcome.fingerprint = fingerprint.hexdigest()
    return outcome
