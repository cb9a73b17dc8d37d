"""A lane: one thread of the worker that carries out one step, again and again.  STYLE 21, 25.

The step's topic decides what it does; the lane decides when. It goes on at once while the step says
that there is more, else it rests until its bell rings or a short while has passed: another process
may have written something. This is the only place that catches whatever a step failed with: it is
written down, and the step is tried again.
"""

import threading
from collections.abc import Callable

import structlog

# After an unexpected failure: soon again, then less and less often.
FAILED_FIRST_S = 0.5
FAILED_S_MAX = 30.0

log = structlog.get_logger("node.worker")


class Lane:
    """`step` tells whether there is more to do at once."""

    def __init__(self, name: str, step: Callable[[], bool], *, rest_s: float) -> None:
        self.name = name
        self._step = step
        self._rest_s = rest_s
        self._bell = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def ring(self) -> None:
        """There is something to do: do not wait."""
        self._bell.set()

    def stop(self) -> None:
        """Ask it to end after the step it is in; `join` waits for that."""
        self._stopping.set()
        self._bell.set()

    def join(self, timeout_s: float) -> bool:
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            self._bell.clear()
            rest_s = self._rest_s
            try:
                more = self._step()
                failures = 0
            except Exception:
                failures += 1
                more, rest_s = False, min(FAILED_FIRST_S * 2 ** min(failures, 10), FAILED_S_MAX)
                # The log keeps the place and the kind of error; its words may be somebody's data.
                log.error("step failed", worker=self.name, attempts=failures, exc_info=True)
            if not more and not self._stopping.is_set():
                self._bell.wait(rest_s)
