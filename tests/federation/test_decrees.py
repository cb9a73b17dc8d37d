"""Real nodes agree on the next charter: proposed and approved by people, decided by the nodes."""

import json
import subprocess

import pytest

from node.services import charter as charters
from protocol import Charter, decree
from tests.equipment.command_line import TASUKI
from tests.equipment.federation import Federation, RunningNode, eventually
from tests.equipment.standing import agree, balance, digests, offer_from

pytestmark = pytest.mark.federation

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
    with running.node.database.reading() as session:
        return charters.in_force(session)


def knows(running: RunningNode, digest: object) -> bool:
    drafts = tasuki(running, "charter", "status")["drafts"]
    assert isinstance(drafts, list)
    return digest in [draft["digest"] for draft in drafts]


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
    return all(in_force(each).version == version for each in federation.nodes.values())


def refer_and_wait(federation: Federation, by: str, to: str, points: int) -> None:
    """A referral is accepted and paid, and everybody's books say so."""
    offer_from(federation[by], to)
    eventually(
        lambda: all(balance(each, by) == points for each in federation.nodes.values()),
        timeout_s=PATIENCE_S,
        what=f"{points} points of {by} in everybody's books",
    )


def test_four_members_change_a_limit_and_go_on_paying(federation: Federation) -> None:
    agree(federation["biwa"])
    federation.start()
    refer_and_wait(federation, "aoba", "biwa", 1)

    decide(federation, "--limit", "biwa=33", by="aoba", with_=("biwa", "seeds"))
    eventually(lambda: all_at(federation, 2), timeout_s=PATIENCE_S, what="version 2 everywhere")
    assert {in_force(each).digest for each in federation.nodes.values()} == {
        in_force(federation["aoba"]).digest
    }
    assert in_force(federation["bridge"]).member("biwa").credit_limit == 33

    refer_and_wait(federation, "aoba", "biwa", 2)
    eventually(
        lambda: len(digests(federation.nodes.values())) == 1,
        timeout_s=PATIENCE_S,
        what="equal digests",
    )
    with federation["bridge"].node.database.reading() as session:
        chain = charters.chain(session)
    assert decree.verify_chain(chain, federation.charter.digest)


def test_a_member_that_was_down_takes_the_version_that_it_missed(federation: Federation) -> None:
    agree(federation["biwa"])
    for name in ("aoba", "biwa", "seeds"):
        federation[name].start()
    offer_from(federation["aoba"], "biwa")
    eventually(
        lambda: balance(federation["aoba"], "aoba") == 1, timeout_s=PATIENCE_S, what="a point"
    )
    decide(federation, "--policy", "answer_days=7", by="aoba", with_=("biwa", "seeds"))
    eventually(
        lambda: in_force(federation["aoba"]).version == 2, timeout_s=PATIENCE_S, what="version 2"
    )
    federation["bridge"].start()
    eventually(lambda: all_at(federation, 2), timeout_s=PATIENCE_S, what="version 2 everywhere")
    assert in_force(federation["bridge"]).policy.answer_days == 7
    eventually(
        lambda: len(digests(federation.nodes.values())) == 1,
        timeout_s=PATIENCE_S,
        what="equal digests",
    )


def test_an_expelled_member_is_answered_no_more_and_its_account_stands_still(
    federation: Federation,
) -> None:
    agree(federation["biwa"])
    remaining = [federation[name] for name in ("aoba", "biwa", "seeds")]
    federation.start()
    refer_and_wait(federation, "bridge", "biwa", 1)

    decide(federation, "--expel", "bridge", by="aoba", with_=("biwa", "seeds"))
    eventually(
        lambda: all(in_force(each).version == 2 for each in remaining),
        timeout_s=PATIENCE_S,
        what="version 2",
    )
    assert in_force(federation["aoba"]).closed == ("bridge",)
    offer_from(federation["aoba"], "biwa")
    eventually(
        lambda: all(balance(each, "aoba") == 1 for each in remaining),
        timeout_s=PATIENCE_S,
        what="a point of aoba",
    )
    assert {balance(each, "bridge") for each in remaining} == {1}
    eventually(lambda: len(digests(remaining)) == 1, timeout_s=PATIENCE_S, what="equal digests")
