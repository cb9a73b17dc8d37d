"""Where the processor time of a process goes: samples of its stack, by the room they are in."""

import signal
from collections import Counter
from collections.abc import Callable
from types import FrameType

EVERY_S = 0.002

# The innermost frame that one of these knows decides.
ROOMS: list[tuple[str, Callable[[str, str], bool]]] = [
    ("signatures", lambda file, _: file.endswith("/protocol/keys.py")),
    ("SQLite", lambda file, name: "/sqlalchemy/" in file and name.startswith("do_")),
    ("SQLAlchemy", lambda file, _: "/sqlalchemy/" in file),
    (
        "JSON, patterns and base64",
        lambda file, _: (
            file.endswith(("/protocol/strictjson.py", "/protocol/signed.py"))
            or "/protocol/documents/" in file
        ),
    ),
    ("the ledger's rules", lambda file, _: "/protocol/" in file),
    ("the node's services", lambda file, _: "/node/" in file),
]
ELSEWHERE = "elsewhere"


class Sampler:
    """Counts, every two milliseconds of processor time, in which room the process is."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def start(self) -> None:
        signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)

    def stop(self) -> Counter[str]:
        signal.setitimer(signal.ITIMER_PROF, 0)
        return self.counts

    def _sample(self, _: int, frame: FrameType | None) -> None:
        while frame is not None:
            code = frame.f_code
            for room, knows in ROOMS:
                if knows(code.co_filename, code.co_name):
                    self.counts[room] += 1
                    return
            frame = frame.f_back
        self.counts[ELSEWHERE] += 1
