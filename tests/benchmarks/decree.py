"""A decree on four real nodes over loopback: from the last approval to everybody having it."""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

from node.services import charter as charters
from node.services import decrees
from protocol import Charter, next_draft
from tests.benchmarks.registry import Figure, benchmark
from tests.equipment.federation import Federation, RunningNode, eventually, founded

ROUNDS = 5
PATIENCE_S = 60
LOOK_S = 0.01


def in_force(running: RunningNode) -> Charter:
    with running.node.database.reading() as session:
        return charters.in_force(session)


def has_heard(running: RunningNode, digest: bytes, approvals: int) -> bool:
    with running.node.database.reading() as session:
        found = {each.digest: each for each in decrees.views(session, running.node.context)}
    return digest in found and len(found[digest].approving) >= approvals


def approve(running: RunningNode, digest: bytes) -> None:
    with running.node.database.transaction() as session:
        decrees.approve(session, running.node.context, digest, on=True, actor="cli")


def one_decree(federation: Federation, limit: int) -> float:
    """Seconds from the approval that makes a quorum until all four nodes have the new version."""
    first, second, last, fourth = federation.nodes.values()
    charter = in_force(first)
    members = (replace(charter.members[0], credit_limit=limit), *charter.members[1:])
    with first.node.database.transaction() as session:
        draft = next_draft(charter, members=members)
        digest = decrees.propose(session, first.node.context, draft, actor="cli").digest
    eventually(lambda: has_heard(second, digest, 1), timeout_s=PATIENCE_S, what="the draft")
    approve(second, digest)
    for running in (first, last, fourth):
        eventually(
            lambda each=running: has_heard(each, digest, 2),  # type: ignore[misc]
            timeout_s=PATIENCE_S,
            what="two approvals",
        )
    approve(last, digest)
    started, waiting = time.perf_counter(), list(federation.nodes.values())
    while waiting:
        assert time.perf_counter() - started < PATIENCE_S, "no decree"
        waiting = [each for each in waiting if in_force(each).version == charter.version]
        time.sleep(LOOK_S)
    return time.perf_counter() - started


@benchmark("decree")
def decree() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder, founded(Path(folder)) as federation:
        federation.start()
        times = [one_decree(federation, 30 + number) for number in range(ROUNDS)]
    yield Figure("from the last approval, median", median(times), "s", at_most=2)
    yield Figure("from the last approval, slowest", max(times), "s")
