"""How often one address, or one link, may try: kept in memory, in each web process.

What is limited is the noise of trying, and the work that a try costs. Only what failed or costs is
counted, so that people behind one company's proxy never stand in each other's way.  ASVS 2.4.1.
"""

import threading
from collections import OrderedDict, deque

# More keys than people who are here at once; beyond, the oldest is forgotten.
KEYS_MAX = 10_000


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
