"""Real nodes, one of which two others suspend: told to all, heeded by all, and it still votes."""

import pytest

from node import models
from node.services import measures
from tests.equipment.by_command import PATIENCE_S, tasuki
from tests.equipment.federation import Federation, RunningNode, eventually
from tests.equipment.standing import agree, balance, count, offer_from

pytestmark = pytest.mark.federation


def suspended(running: RunningNode) -> list[str]:
    """The members whose letters this node refuses by now."""
    with running.node.database.reading() as session:
        return [each.member for each in measures.in_force(session, running.node.context)]


def has_heard(running: RunningNode, by: str) -> bool:
    said = tasuki(running, "peers", "list")["suspensions"]
    assert isinstance(said, list)
    return [(each["member"], each["signers"]) for each in said] == [("bridge", [by])]


def waiting(running: RunningNode, to: str) -> int:
    table = models.OutboxEntry
    return count(running, table.recipient == to, table.state == "queued")


def test_two_members_suspend_a_third(federation: Federation) -> None:
    aoba, biwa, seeds, bridge = (federation[name] for name in ("aoba", "biwa", "seeds", "bridge"))
    agree(biwa)
    for running in (aoba, biwa, bridge):
        running.start()
    assert tasuki(aoba, "peers", "suspend", "bridge")["in_force"] is False
    eventually(
        lambda: has_heard(biwa, by="aoba"), timeout_s=PATIENCE_S, what="biwa to hear of aoba's word"
    )
    assert suspended(aoba) == suspended(bridge) == []
    with bridge.node.database.reading() as session:
        assert measures.views(session, bridge.node.context) == []

    assert tasuki(biwa, "peers", "suspend", "bridge")["in_force"] is True
    eventually(
        lambda: all(suspended(each) == ["bridge"] for each in (aoba, biwa, bridge)),
        timeout_s=PATIENCE_S,
        what="the suspension at three nodes",
    )
    offer_from(aoba, "bridge")
    offer_from(bridge, "biwa")
    offer_from(aoba, "biwa")
    # Seeds is away: without the suspended member's vote there would be no quorum for this point.
    eventually(
        lambda: all(balance(each, "aoba") == 1 for each in (aoba, biwa, bridge)),
        timeout_s=PATIENCE_S,
        what="a point that bridge has voted for",
    )
    assert (waiting(aoba, "bridge"), waiting(bridge, "biwa")) == (1, 1)
    (of_bridge,) = [each for each in peers(aoba) if each["member"] == "bridge"]
    assert of_bridge["state"] == "suspended"

    seeds.start()
    eventually(
        lambda: suspended(seeds) == ["bridge"],
        timeout_s=2 * PATIENCE_S,
        what="seeds, which was away, to hear of it",
    )


def test_one_member_blocks_another_by_command(federation: Federation) -> None:
    aoba, biwa = federation["aoba"], federation["biwa"]
    aoba.start()
    biwa.start()
    assert tasuki(biwa, "peers", "block", "aoba") == {"blocked": True, "member": "aoba"}
    (blocked,) = [each for each in peers(biwa) if each["member"] == "aoba"]
    assert blocked["state"] == "blocked"
    offer_from(aoba, "biwa")
    eventually(
        lambda: count(aoba, models.Peer.stopped_code == "peer-blocked") == 1,
        timeout_s=PATIENCE_S,
        what="aoba to learn that it is blocked",
    )
    assert waiting(aoba, "biwa") == 1
    tasuki(biwa, "peers", "unblock", "aoba")
    biwa.stop()
    # Its hello, when it is back, wakes what waited for it.
    biwa.start()
    eventually(
        lambda: count(biwa, models.ReferralIn.sender == "aoba") == 1,
        timeout_s=PATIENCE_S,
        what="the letter to arrive",
    )


def peers(running: RunningNode) -> list[dict[str, object]]:
    said = tasuki(running, "peers", "list")["peers"]
    assert isinstance(said, list)
    return said
