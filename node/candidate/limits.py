"""How often one address, or one link, may try: kept in memory, in each web process.

Tokens have 128 bits, so nobody guesses one; what is limited here is the noise of trying, and the
work that checking a PDF costs. Only what failed or costs is counted, so that people behind one
company's proxy never stand in each other's way.  ASVS 2.4.1.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque

from node.refusals import Refusal

# More keys than people who are here at once; beyond, the oldest is forgotten.
KEYS_MAX = 10_000


class TooManyTries(Refusal, code="too-many-tries", status=429):
    """Too many addresses that do not exist were asked for. Please wait a few minutes."""


class Limit:
    """At most `most` counts of one key within `window_s` seconds."""

    def __init__(self, most: int, window_s: int) -> None:
        self._most, self._window_s = most, window_s
        self._lock = threading.Lock()
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def count(self, key: str, now: float) -> bool:
        """Count one more; tell whether it is still within the limit."""
        with self._lock:
            times = self._times.setdefault(key, deque(maxlen=self._most + 1))
            self._times.move_to_end(key)
            while times and times[0] <= now - self._window_s:
                times.popleft()
            times.append(now)
            if len(self._times) > KEYS_MAX:
                self._times.popitem(last=False)
            return len(times) <= self._most


class Limits:
    """The limits of one web process."""

    def __init__(self) -> None:
        # A person who mistypes an address tries a few times; a scanner of addresses hundreds.
        self.unknown = Limit(most=30, window_s=600)
        # Choosing the right file takes a few tries; each costs up to ten seconds of a processor.
        self.uploads = Limit(most=20, window_s=3600)

    def refuse_guessing(self, address: str, now: float) -> None:
        """Count an address of a page that does not exist; raise TooManyTries beyond the limit."""
        if not self.unknown.count(address, now):
            raise TooManyTries
