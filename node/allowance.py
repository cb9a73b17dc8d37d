"""What one member may ask of us: requests a second, letters a day, and room while they wait.

A member that means harm has a key like every other. It may keep its own queue waiting, and nothing
else: not the processors, which the rate keeps free for others, and not the disk or HR's board, for
which each member has a share that an honest one never fills. Nothing is lost by it: whoever is told
to wait sends again later.  RELIABILITY A1.
"""

import threading
from dataclasses import dataclass, replace

from node.clock import Clock
from node.installation import Node
from node.services import inbox
from node.services.inbox import Filled
from protocol import REFERRAL, errors

# One member fills a node's two cores at about 400 a second; what comes above waits its turn.
REQUESTS_PER_S = 500
REQUESTS_AT_ONCE = 500
# Later than the bucket needs to refill for a whole batch of the sender's.
RETRY_AFTER_S = 1
# Every fence that we answer with a higher promise ends whatever ballot is under way. A liar sees
# each one begin, and could end them all: it has fewer than the others together make attempts.
BALLOTS_EVERY_S = 30
# What an honest one needs to raise a member that lags, in two attempts of sixteen steps.
BALLOTS_AT_ONCE = 32

# Each leaves about a kilobyte for ever, its number and receipt: 50 MB a day at the very most. A
# whole alliance of eight writes 6,500 referrals a year (DOMAIN 7.2).
LETTERS_A_DAY_MAX = 50_000
# What is received and not handled yet, or was set aside: seventy PDFs of the largest kind at once.
KEPT_BYTES_MAX = 512 * 1024 * 1024
# Cards that nobody has answered: more than a department can look at in a season.
CARDS_MAX = 5_000
# Counting costs a few milliseconds; in between, what comes in here is added up.
COUNTED_EVERY_S = 10.0
# Room comes with the worker's work and HR's, and with the next day: asking more often is no use.
FULL_RETRY_AFTER_S = 900


class Rates:
    """A bucket of requests for each member, refilled steadily."""

    def __init__(
        self,
        clock: Clock,
        *,
        per_s: float = REQUESTS_PER_S,
        at_once: int = REQUESTS_AT_ONCE,
        retry_after_s: int = RETRY_AFTER_S,
    ) -> None:
        self._clock = clock
        self._per_s, self._at_once, self._retry_after_s = per_s, at_once, retry_after_s
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, member: str, weight: int) -> None:
        """Take a request of that weight out of the member's bucket, or raise RateLimited."""
        now = self._clock.monotonic()
        with self._lock:
            left, at = self._buckets.get(member, (float(self._at_once), now))
            left = min(self._at_once, left + max(0.0, now - at) * self._per_s)
            self._buckets[member] = (max(0.0, left - weight), now)
        if left < weight:
            raise errors.RateLimited(retry_after_s=self._retry_after_s)


class BallotRates:
    """How many ballots each member may begin here in one epoch; the next one begins anew."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._epoch, self._rates = 0, self._fresh()

    def take(self, epoch: int, member: str) -> None:
        """Count a ballot, or raise RateLimited."""
        if epoch != self._epoch:
            self._epoch, self._rates = epoch, self._fresh()
        self._rates.take(member, 1)

    def _fresh(self) -> Rates:
        return Rates(
            self._clock,
            per_s=1 / BALLOTS_EVERY_S,
            at_once=BALLOTS_AT_ONCE,
            retry_after_s=BALLOTS_EVERY_S,
        )


@dataclass(frozen=True, slots=True)
class Share:
    """The most that one member may fill."""

    letters_a_day: int = LETTERS_A_DAY_MAX
    kept_bytes: int = KEPT_BYTES_MAX
    cards: int = CARDS_MAX


SHARE = Share()


class Room:
    """How much of its share each member has filled, counted now and then and added up between."""

    def __init__(self, node: Node, share: Share) -> None:
        self._node = node
        self._share = share
        self._lock = threading.Lock()
        self._filled: dict[str, tuple[Filled, float]] = {}

    def take(self, member: str, size: int, kind: str) -> None:
        """Let one more letter in, or raise RateLimited while the member's share is full."""
        filled, counted_at = self._counted(member)
        card = kind == REFERRAL
        filled = replace(
            filled,
            letters=filled.letters + 1,
            kept_bytes=filled.kept_bytes + size,
            cards=filled.cards + card,
        )
        share = self._share
        if (
            filled.letters > share.letters_a_day
            or filled.kept_bytes > share.kept_bytes
            or (card and filled.cards > share.cards)
        ):
            raise errors.RateLimited("no room", retry_after_s=FULL_RETRY_AFTER_S)
        with self._lock:
            self._filled[member] = (filled, counted_at)

    def _counted(self, member: str) -> tuple[Filled, float]:
        now = self._node.clock.monotonic()
        with self._lock:
            known = self._filled.get(member)
        if known is not None and 0 <= now - known[1] < COUNTED_EVERY_S:
            return known
        with self._node.database.reading() as session:
            return inbox.filled_by(session, self._node.context, member), now
