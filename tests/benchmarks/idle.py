"""An idle `tasuki serve`: how soon the first page is there, and how much memory all of it takes.

Memory is PSS, what the processes take together: pages shared between them count once. Linux only.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

from tests.benchmarks.registry import Figure, benchmark
from tests.equipment.federation import RunningNode, eventually, founded

ROUNDS = 3
START_TIMEOUT_S = 30
# Its first rounds of the worker, the first pull included.
SETTLED_S = 8
MEBIBYTE_KB = 1024
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@benchmark("idle")
def idle() -> Iterator[Figure]:
    """Start a founded node a few times: the best first page; then wait, and weigh it."""
    with tempfile.TemporaryDirectory() as folder, founded(Path(folder)) as alliance:
        node = alliance["aoba"]
        seconds = []
        for _ in range(ROUNDS):
            seconds.append(_first_page_s(node))
            if len(seconds) < ROUNDS:
                node.stop()
        assert node.process is not None
        fresh = _pss_mib(node.process.pid)
        settled_at = time.monotonic() + SETTLED_S
        eventually(
            lambda: time.monotonic() > settled_at, timeout_s=SETTLED_S + 5, what="time to pass"
        )
        settled = _pss_mib(node.process.pid)
        cpu_s = _cpu_s(node.process.pid)
        rest_at = time.monotonic() + SETTLED_S
        eventually(lambda: time.monotonic() > rest_at, timeout_s=SETTLED_S + 5, what="rest")
        busy = (_cpu_s(node.process.pid) - cpu_s) / SETTLED_S
        node.stop()
    yield Figure("first page after the command", min(seconds), "s", at_most=3)
    yield Figure("memory of all processes, at once", fresh, "MiB PSS", at_most=150)
    yield Figure("memory of all processes, settled", settled, "MiB PSS", at_most=150)
    yield Figure("processor while nobody asks", busy * 100, "% of 1 core")


def _first_page_s(node: RunningNode) -> float:
    began = time.monotonic()
    node.start_without_waiting()
    eventually(lambda: _is_there(node.port), timeout_s=START_TIMEOUT_S, what="the page to sign in")
    return time.monotonic() - began


def _is_there(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/sign-in")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _family(pid: int) -> list[int]:
    """A process and everything that it started."""
    found = [pid]
    for folder in Path(f"/proc/{pid}/task").glob("*"):
        for child in (folder / "children").read_text().split():
            found += _family(int(child))
    return found


def _pss_mib(pid: int) -> float:
    total = 0
    for each in _family(pid):
        for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / MEBIBYTE_KB


def _cpu_s(pid: int) -> float:
    """Seconds of processor time so far, of all processes."""
    ticks = 0
    for each in _family(pid):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS_A_SECOND
