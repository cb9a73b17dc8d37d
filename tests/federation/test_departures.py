"""Real nodes part with a member: it is expelled while it is away, or it leaves."""

import json
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import select

from node import models
from node.services import outbox
from tests.equipment.by_command import PATIENCE_S, decide, in_force, refer_and_wait, tasuki
from tests.equipment.command_line import TASUKI
from tests.equipment.federation import Federation, RunningNode, eventually, founded
from tests.equipment.standing import agree, balance, digests, offer_from

pytestmark = pytest.mark.federation
REMAINING = ("aoba", "biwa", "seeds")


def letters(running: RunningNode, recipient: str) -> list[tuple[str, str | None]]:
    table = models.OutboxEntry
    with running.node.database.reading() as session:
        rows = session.execute(
            select(table.state, table.error_code).where(table.recipient == recipient)
        )
        return [(state, code) for state, code in rows]


def findings(running: RunningNode) -> dict[str, str]:
    """What doctor says of a node, by the name of what it looked at."""
    ended = subprocess.run(
        [*TASUKI, "doctor", "--json"],
        env=running.environment,
        cwd=running.folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return {each["name"]: each["text"] for each in json.loads(ended.stdout)["findings"]}


def test_a_member_is_expelled_while_a_letter_waits_for_it(federation: Federation) -> None:
    agree(federation["biwa"])
    bridge, remaining = federation["bridge"], [federation[name] for name in REMAINING]
    federation.start()
    refer_and_wait(federation, "bridge", "biwa", 1)
    bridge.stop()
    offer_from(federation["aoba"], "bridge")
    assert letters(federation["aoba"], "bridge") == [("queued", None)]

    decide(federation, "--expel", "bridge", by="aoba", with_=("biwa", "seeds"))
    eventually(
        lambda: all(in_force(each).version == 2 for each in remaining),
        timeout_s=PATIENCE_S,
        what="version 2",
    )
    assert in_force(federation["aoba"]).closed == ("bridge",)
    # An attempt that was under way in that moment is tidied after it.
    eventually(
        lambda: letters(federation["aoba"], "bridge") == [("cancelled", outbox.PARTNER_LEFT)],
        timeout_s=2 * PATIENCE_S,
        what="the letter to be cancelled",
    )

    # It comes back, wants to send, and learns from those who refuse it that it has left.
    offer_from(bridge, "aoba")
    bridge.start()
    eventually(
        lambda: in_force(bridge).version == 2, timeout_s=PATIENCE_S, what="bridge to hear of it"
    )
    assert in_force(bridge).digest == in_force(federation["aoba"]).digest
    assert "bridge" not in in_force(bridge).by_id
    eventually(
        lambda: letters(bridge, "aoba") == [("cancelled", outbox.WE_LEFT)],
        timeout_s=2 * PATIENCE_S,
        what="its own letter to be cancelled",
    )
    said = findings(bridge)
    assert "has left" in said["charter"]
    assert "peer" not in said

    offer_from(federation["aoba"], "biwa")
    eventually(
        lambda: all(balance(each, "aoba") == 1 for each in remaining),
        timeout_s=PATIENCE_S,
        what="a point of aoba",
    )
    assert {balance(each, "bridge") for each in remaining} == {1}
    eventually(lambda: len(digests(remaining)) == 1, timeout_s=PATIENCE_S, what="equal digests")


def test_a_member_leaves_by_its_own_draft(federation: Federation) -> None:
    federation.start()
    decide(federation, "--leave", by="bridge", with_=("biwa", "seeds"))
    eventually(
        lambda: all(in_force(each).version == 2 for each in federation.nodes.values()),
        timeout_s=PATIENCE_S,
        what="version 2 everywhere, also at bridge",
    )
    assert "bridge" not in in_force(federation["aoba"]).by_id
    said = tasuki(federation["aoba"], "charter", "status")
    assert said["version"] == 2
    assert "has left" in findings(federation["bridge"])["charter"]


def test_the_last_member_cannot_leave(tmp_path: Path) -> None:
    with founded(tmp_path, members=("aoba",)) as alone:
        running = alone["aoba"]
        ended = subprocess.run(
            [*TASUKI, "charter", "draft", "--leave"],
            env=running.environment,
            cwd=running.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert ended.returncode == 1
        assert "We are the last member" in ended.stderr
        assert in_force(running).version == 1
