"""A throttle: so many mails in a minute for each domain, so that no provider takes us for spam.

Kept in memory: after a restart a domain gets what it gets in one minute at once, and no more. The
domains of applicants' addresses are told to nobody and written nowhere.
"""

import threading
from dataclasses import dataclass

WINDOW_S = 60


@dataclass(slots=True)
class _Window:
    """The minute that begins with a domain's first mail."""

    began_at: int
    sent: int = 0
    put_off: int = 0


class Throttle:
    """At most `limit` mails to one domain within each of its minutes; safe between threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._windows: dict[str, _Window] = {}
        self._lock = threading.Lock()

    def admit(self, address: str, now: int) -> int | None:
        """None: send it now, it is counted. Otherwise the second from which it may be tried.

        Those that are put off share out the minutes that follow, in the order in which they came.
        """
        domain = address.rpartition("@")[2].casefold()
        with self._lock:
            window = self._windows.get(domain)
            if window is None or now >= window.began_at + WINDOW_S:
                self._forget(now)
                window = self._windows[domain] = _Window(now)
            if window.sent < self._limit:
                window.sent += 1
                return None
            later = window.put_off // self._limit
            window.put_off += 1
            return window.began_at + WINDOW_S * (1 + later)

    def __len__(self) -> int:
        """How many domains are remembered."""
        return len(self._windows)

    def _forget(self, now: int) -> None:
        """Only domains of the last minute are kept, and their number by the mails of a minute."""
        ended = [
            domain for domain, window in self._windows.items() if now >= window.began_at + WINDOW_S
        ]
        for domain in ended:
            del self._windows[domain]
