"""What a seed decides before a run begins: how many members, who lies, which faults are on."""

from dataclasses import dataclass
from random import Random

from protocol import Charter
from tests.simulator.parties import NAMES, charter_of

SIZES = (1, 2, 3, 3, 4, 4, 4, 4, 4, 5, 5, 6, 7, 8, 9, 10)
# One seed of so many signs with Ed25519.
REAL_KEYS_ONE_IN = 10


@dataclass(frozen=True)
class Plan:
    """One run."""

    seed: int
    charter: Charter
    liars: frozenset[str]
    # A member whose machine is copied and runs twice. It breaks the rules without knowing.
    cloned: str
    payers: tuple[str, ...]
    chaos_ms: int
    loss: float
    repeat: float
    delay_ms: int
    late: float
    crash: float
    restores: float
    partitions: float
    liars_fall_silent: bool

    @property
    def rule_breakers(self) -> frozenset[str]:
        return self.liars | ({self.cloned} if self.cloned else set())


def draw(seed: int) -> Plan:
    """The plan of a seed. Each fault is off in some runs, so that the others are seen alone."""
    random = Random(seed)
    count = random.choice(SIZES)
    trusting = count >= 3 and random.random() < 0.1
    charter = charter_of(count, trusting=trusting, real=seed % REAL_KEYS_ONE_IN == 0)
    names = list(NAMES[:count])
    breakers = min(charter.b, count - 1) if random.random() < 0.75 else 0
    broken = random.sample(names, breakers)
    cloned = broken.pop() if broken and random.random() < 0.2 else ""
    others = [name for name in names if name not in broken]
    payers = random.sample(others, min(len(others), random.choice((1, 1, 2, 3))))

    def maybe(*values: float) -> float:
        return random.choice((0.0, *values))

    restores = maybe(0.02, 0.05, 0.15)
    if count == 2 and breakers:
        # Of two members the other is all that an owner can ask: if it lies, what was forgotten is
        # lost, and no rule of two can help.
        restores = 0.0

    return Plan(
        seed=seed,
        charter=charter,
        liars=frozenset(broken),
        cloned=cloned,
        payers=tuple(sorted({*payers, *([cloned] if cloned else ())})),
        chaos_ms=random.choice((15_000, 25_000)),
        loss=maybe(0.02, 0.1, 0.3),
        repeat=maybe(0.02, 0.2),
        delay_ms=random.choice((20, 100, 400)),
        late=maybe(0.02, 0.1),
        crash=maybe(0.001, 0.005),
        restores=restores,
        partitions=maybe(0.05, 0.2),
        liars_fall_silent=random.random() < 0.5,
    )
