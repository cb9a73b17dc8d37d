"""Four real nodes: `tasuki serve` as processes of their own, started, watched and stopped."""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

from node.cli.demo.workshop import Place, tail
from node.cli.entrance import Failed
from node.config import FILE_VARIABLE, PREFIX

T = TypeVar("T")

# A busy laptop starts four nodes at once; alone, one needs less than two seconds.
START_TIMEOUT_S = 60
# gunicorn lets a request end, the worker its step; then they are ended without being asked.
STOP_TIMEOUT_S = 40
LOOK_S = 0.05


class NodeFailed(Failed):
    """A node ended, or does not answer; the message holds the last lines of its log."""


class Nodes:
    """The processes of all places; `with Nodes(places) as nodes:` leaves none behind."""

    def __init__(self, places: list[Place]) -> None:
        self._places = places
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        try:
            for place in self._places:
                self._processes[place.id] = _start(place)
            self.wait_until(self._all_answer, "the nodes should answer", START_TIMEOUT_S)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def check(self) -> None:
        """Raise NodeFailed when a node has ended."""
        for place in self._places:
            process = self._processes.get(place.id)
            code = None if process is None else process.poll()
            if code is not None:
                raise NodeFailed(
                    f"The node of {place.id} ended with code {code}. Its log says last:\n"
                    f"{tail(place.log)}"
                )

    def wait_until(self, found: Callable[[], T | None], wish: str, timeout_s: float) -> T:
        """Ask again and again until the answer is true; NodeFailed when a node ends meanwhile."""
        deadline = time.monotonic() + timeout_s
        while True:
            answer = found()
            if answer:
                return answer
            self.check()
            if time.monotonic() > deadline:
                logs = "\n".join(f"--- {p.id}\n{tail(p.log, 5)}" for p in self._places)
                raise NodeFailed(f"Waited {timeout_s:.0f} s: {wish}. The logs say last:\n{logs}")
            time.sleep(LOOK_S)

    def stop_one(self, member: str) -> None:
        """End one node cleanly; the others see a member that is away."""
        process = self._processes.pop(member)
        process.terminate()
        process.wait(STOP_TIMEOUT_S)

    def start_one(self, member: str) -> None:
        """Start a node that was stopped, and wait until it answers."""
        place = next(place for place in self._places if place.id == member)
        self._processes[member] = _start(place)
        self.wait_until(lambda: _answers(place), f"{member} should answer", START_TIMEOUT_S)

    def stop(self) -> list[str]:
        """End all of them cleanly, side by side; the names of those that had to be killed."""
        for process in self._processes.values():
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + STOP_TIMEOUT_S
        killed = []
        for member, process in self._processes.items():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                killed.append(member)
        self._processes.clear()
        return killed

    def _all_answer(self) -> bool:
        return all(_answers(place) for place in self._places)


def _start(place: Place) -> subprocess.Popen[bytes]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)}
    environment[FILE_VARIABLE] = str(place.env_file)
    with place.log.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "node.cli.demo.child"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Ctrl-C reaches the demonstration, which then stops its nodes in order.
            start_new_session=True,
        )


def _answers(place: Place) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", place.port, timeout=5)
    try:
        connection.request("GET", "/sign-in")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
