"""A proxy between nodes that loses, delays, repeats, reorders, cuts and replays what passes.

It stands where a member's public address points and hands the bytes on as they are, so that
signatures hold; what it does to a message is drawn from a seed. `heal` makes it an honest wire.
"""

import socket
import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from random import Random

FAULTS = ("lost", "answer lost", "late", "twice", "cut", "replayed")
# Of a hundred messages so many meet each fault.
PERCENT = 8
LATE_S_MAX = 1.5
REMEMBERED = 50
PATIENCE_S = 20
HEAD_BYTES_MAX = 64 * 1024
BYTES_MAX = 16 * 1024 * 1024


class FaultProxy:
    """One member's front: `port` is what the others call, `behind` where its node listens."""

    def __init__(self, behind: int, seed: int) -> None:
        self._behind, self._random = behind, Random(seed)
        self._lock = threading.Lock()
        self._past: deque[bytes] = deque(maxlen=REMEMBERED)
        self._is_faulty, self._closing = False, threading.Event()
        self.met: Counter[str] = Counter()
        self._door = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = int(self._door.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def break_(self) -> None:
        """From now on messages meet faults."""
        self._is_faulty = True

    def heal(self) -> None:
        """From now on everything passes."""
        self._is_faulty = False

    def close(self) -> None:
        self._closing.set()
        # A blocked accept ends only when somebody comes.
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            pass
        self._thread.join(PATIENCE_S)
        self._door.close()

    def _serve(self) -> None:
        while not self._closing.is_set():
            caller, _ = self._door.accept()
            threading.Thread(target=self._talk, args=(caller,), daemon=True).start()

    def _talk(self, caller: socket.socket) -> None:
        """Every request of one connection."""
        with closing(caller), suppress(OSError):
            caller.settimeout(PATIENCE_S)
            while (request := _message(caller)) and self._pass_on(caller, request):
                pass

    def _pass_on(self, caller: socket.socket, request: bytes) -> bool:
        """One request and its answer; False when the connection ends here."""
        fault = self._draw(request)
        if fault == "lost":
            return False
        if fault == "late":
            self._closing.wait(self._random.random() * LATE_S_MAX)
        if fault == "replayed":
            with self._lock:
                old = self._random.choice(list(self._past))
            self._ask(old)
        answer = self._ask(request)
        if fault == "twice":
            self._ask(request)
        if fault == "answer lost" or not answer:
            return False
        if fault == "cut":
            caller.sendall(answer[: len(answer) // 2])
            return False
        caller.sendall(answer)
        return True

    def _draw(self, request: bytes) -> str:
        with self._lock:
            self._past.append(request)
            if not self._is_faulty or self._random.randrange(100) >= PERCENT * len(FAULTS):
                return ""
            fault = self._random.choice(FAULTS)
            self.met[fault] += 1
        return fault

    def _ask(self, request: bytes) -> bytes:
        """The answer of the node behind; nothing when it is down."""
        try:
            with socket.create_connection(("127.0.0.1", self._behind), PATIENCE_S) as node:
                node.sendall(request)
                return _message(node)
        except OSError:
            return b""


def _message(source: socket.socket) -> bytes:
    """One HTTP message with its content, byte for byte; nothing when the other side has ended."""
    data = b""
    while (end := data.find(b"\r\n\r\n")) < 0:
        if len(data) > HEAD_BYTES_MAX or not (more := source.recv(65536)):
            return b""
        data += more
    length = end + 4 + _content_length(data[:end])
    assert length < BYTES_MAX
    while len(data) < length:
        if not (more := source.recv(65536)):
            return b""
        data += more
    return data


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


@contextmanager
def fault_proxies(ports: dict[str, int], seed: int) -> Iterator[dict[str, FaultProxy]]:
    """A proxy before each member's port."""
    with ExitStack() as stack:
        yield {
            member: stack.enter_context(closing(FaultProxy(port, seed + place)))
            for place, (member, port) in enumerate(ports.items())
        }
