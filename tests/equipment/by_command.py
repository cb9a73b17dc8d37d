"""Members who change their charter as their IT does: by commands, beside the running nodes."""

import json
import subprocess

from sqlalchemy import select

from node import models
from node.services import charter as charters
from protocol import Charter
from tests.equipment.command_line import TASUKI
from tests.equipment.federation import Federation, RunningNode, eventually
from tests.equipment.standing import balance, offer_from

PATIENCE_S = 60
COMMAND_S = 60


def tasuki(running: RunningNode, *words: str) -> dict[str, object]:
    """What a command at a member's machine says to a script."""
    ended = subprocess.run(
        [*TASUKI, *words, "--json"],
        env=running.environment,
        cwd=running.folder,
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    said: dict[str, object] = json.loads(ended.stdout)
    return said


def in_force(running: RunningNode) -> Charter:
    """The charter in force at a member's node."""
    with running.node.database.reading() as session:
        return charters.in_force(session)


def knows(running: RunningNode, digest: object) -> bool:
    """Whether a member's node has heard of a draft."""
    with running.node.database.reading() as session:
        return digest in {row.hex() for row in session.scalars(select(models.Draft.digest))}


def decide(federation: Federation, *change: str, by: str, with_: tuple[str, ...]) -> None:
    """One member proposes the change, others approve; nobody waits for the decree here."""
    digest = str(tasuki(federation[by], "charter", "draft", *change)["digest"])
    for name in with_:
        eventually(
            lambda: knows(federation[name], digest),  # noqa: B023 (asked within this turn)
            timeout_s=PATIENCE_S,
            what=f"{name} to hear of the draft",
        )
        tasuki(federation[name], "charter", "approve", digest)


def all_at(federation: Federation, version: int) -> bool:
    """Whether every member's node holds this version."""
    return all(in_force(each).version == version for each in federation.nodes.values())


def refer_and_wait(federation: Federation, by: str, to: str, points: int) -> None:
    """A referral is accepted and paid, and everybody's books say so."""
    offer_from(federation[by], to)
    eventually(
        lambda: all(balance(each, by) == points for each in federation.nodes.values()),
        timeout_s=PATIENCE_S,
        what=f"{points} points of {by} in everybody's books",
    )
