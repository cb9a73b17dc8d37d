"""The clock: the only module that reads the time.  STYLE 24."""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time; handed to everything that needs it."""

    def now(self) -> int:
        """Return whole Unix seconds, UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run backwards, for measuring a wait."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> int:
        """Return whole Unix seconds, UTC."""
        return int(time.time())

    def monotonic(self) -> float:
        """Return seconds that never run backwards, for measuring a wait."""
        return time.monotonic()


class FixedClock:
    """A clock that stands until it is moved: for tests and rehearsals."""

    def __init__(self, now: int = 1_800_000_000) -> None:
        self._now = now

    def now(self) -> int:
        """Return the second it was set to."""
        return self._now

    def monotonic(self) -> float:
        """Return the same second; a standing clock measures no wait."""
        return float(self._now)

    def move(self, seconds: int) -> None:
        """Move the clock, backwards if `seconds` is negative."""
        self._now += seconds
