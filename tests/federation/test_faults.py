"""Real faults, the short form: `python -m tests.federation.faults --minutes 10` is the long one."""

import resource
import sys
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from node import models
from node.cli.demo.postgresql import PostgreSQLServer
from tests.conftest import migrate
from tests.equipment import standing
from tests.equipment.alliance import MEMBERS
from tests.equipment.databases import PostgreSQLDatabases
from tests.equipment.fault_proxy import FAULTS
from tests.equipment.federation import Federation, RunningNode, eventually, founded
from tests.federation.faults import storm

pytestmark = pytest.mark.federation

PATIENCE_S = 120
# `tasuki serve` on a machine whose clock is off by so many seconds.
SKEWED = "import time; real = time.time; time.time = lambda: real() + {}; "
SERVE = "from node.cli import main; main()"


def test_lost_late_repeated_cut_and_replayed_messages_change_nothing_in_the_end(
    tmp_path: Path,
) -> None:
    said: list[str] = []
    with storm(tmp_path, 7, said.append) as run:
        gives_up_at = time.monotonic() + PATIENCE_S
        run.rage(
            lambda: (
                (run.kills >= 3 and run.referrals >= 12 and set(run.met) == set(FAULTS))
                or time.monotonic() >= gives_up_at
            )
        )
        summary = run.clear()
    assert summary.kills >= 3, said
    assert set(summary.faults) == set(FAULTS), summary


def refer(federation: Federation, offers: standing.Offers, sender: str, to: str) -> None:
    standing.offer_from(federation[sender], to)
    offers[sender, to] += 1


def settled(federation: Federation, offers: standing.Offers) -> None:
    eventually(
        lambda: (
            standing.is_settled(federation, offers, federation.nodes)
            and len(standing.digests(federation.nodes.values())) == 1
            and standing.is_quiet(federation)
        ),
        timeout_s=PATIENCE_S,
        what="everything received, paid, and the same everywhere",
    )
    standing.assert_every_point_was_paid_once(federation, offers)


def set_clock(running: RunningNode, seconds: int) -> None:
    running.command = (sys.executable, "-c", SKEWED.format(seconds) + SERVE, "serve")


def failure_of(running: RunningNode, peer: str) -> str | None:
    with running.node.database.reading() as session:
        row = session.get(models.Peer, peer)
        return None if row is None else row.last_error_code


def test_a_clock_29_seconds_off_works_and_one_31_off_is_named_until_it_is_set(
    tmp_path: Path,
) -> None:
    offers: standing.Offers = Counter()
    with founded(tmp_path) as federation:
        for running in federation.nodes.values():
            standing.agree(running)
        biwa, aoba = federation["biwa"], federation["aoba"]
        # One second less than the limit on each side: what a message takes comes on top.
        set_clock(biwa, 28)
        federation.start()
        refer(federation, offers, "aoba", "biwa")
        refer(federation, offers, "biwa", "seeds")
        settled(federation, offers)

        biwa.stop()
        set_clock(biwa, 40)
        biwa.start()
        refer(federation, offers, "aoba", "biwa")
        eventually(
            lambda: failure_of(aoba, "biwa") == "clock-skew",
            timeout_s=PATIENCE_S,
            what="aoba to be told of the clock",
        )
        # It votes on nothing meanwhile; three of four are a quorum.
        refer(federation, offers, "bridge", "seeds")
        eventually(
            lambda: standing.is_settled(federation, offers, ("bridge", "seeds", "aoba")),
            timeout_s=PATIENCE_S,
            what="the others to go on",
        )
        biwa.stop()
        set_clock(biwa, 0)
        biwa.start()
        settled(federation, offers)


def test_a_full_disk_is_an_honest_503_and_everything_goes_on_once_there_is_space(
    tmp_path: Path,
) -> None:
    offers: standing.Offers = Counter()
    with founded(tmp_path) as federation:
        for running in federation.nodes.values():
            standing.agree(running)
        federation.start()
        refer(federation, offers, "aoba", "biwa")
        settled(federation, offers)
        biwa = federation["biwa"]
        # No file of biwa's processes may grow any more: to SQLite that is a disk without space.
        _limit(biwa, 0)
        refer(federation, offers, "aoba", "biwa")
        refer(federation, offers, "seeds", "biwa")
        eventually(
            lambda: failure_of(federation["aoba"], "biwa") is not None,
            timeout_s=PATIENCE_S,
            what="aoba to be told to wait",
        )
        received = models.ReferralIn.sender != "biwa"
        assert standing.count(biwa, received) == 1, "nothing was said to be stored"
        _limit(biwa, resource.RLIM_INFINITY)
        settled(federation, offers)


@pytest.mark.postgresql
def test_a_postgresql_that_crashes_and_comes_back_loses_nothing(tmp_path: Path) -> None:
    offers: standing.Offers = Counter()
    with PostgreSQLServer(durable=True) as server:
        databases = PostgreSQLDatabases(server.url, migrate)
        with ExitStack() as stack:
            urls = [stack.enter_context(databases.fresh()) for _ in MEMBERS]
            federation = stack.enter_context(founded(tmp_path, database_urls=urls))
            for running in federation.nodes.values():
                standing.agree(running)
            federation.start()
            for _ in range(3):
                # It ends in the middle of what the letters of a moment ago set off.
                refer(federation, offers, "aoba", "biwa")
                refer(federation, offers, "biwa", "seeds")
                server.crash()
                server.start_again()
                for running in federation.nodes.values():
                    # What these tests hold open beside the nodes was cut off like theirs.
                    running.node.database.engine.dispose()
            settled(federation, offers)
            standing.assert_everything_arrived_once(federation)


def _limit(running: RunningNode, most: int) -> None:
    assert running.process is not None
    for process in _family(running.process.pid):
        resource.prlimit(process, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))


def _family(pid: int) -> list[int]:
    """A process and everything it started."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += _family(int(child))
    return found
