"""One member's node runs twice, from one state: both pay, and in the end every point is paid once.

A machine that was copied and not switched off is the worst that happens to an honest member: two
nodes hold its keys, neither knows of the other, and each believes that the account is its own.
"""

import subprocess
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from node import config, models
from node.opening import open_node
from tests.equipment.alliance import House
from tests.equipment.by_command import PATIENCE_S, tasuki
from tests.equipment.federation import RunningNode, eventually, founded, free_ports
from tests.equipment.referring import accept
from tests.equipment.standing import balance, digests, entries_applied, offer_from

pytestmark = pytest.mark.federation


def clone_of(running: RunningNode, folder: Path) -> RunningNode:
    """The same keys and the same state on another machine; its peers' calls reach the first one."""
    assert running.process is None
    # In a process of its own: one that reads a database's file beside its own connection to it
    # gives up that connection's locks when it closes the file.
    subprocess.run(["cp", "-a", running.folder, folder], check=True)
    (port,) = free_ports(1)
    environment = running.environment | {
        "TASUKI_DATA_DIR": str(folder),
        "TASUKI_LISTEN": f"127.0.0.1:{port}",
    }
    settings = config.parse({k: v for k, v in environment.items() if k.startswith(config.PREFIX)})
    return RunningNode(running.member, port, environment, folder, open_node(settings))


def cards(running: RunningNode) -> list[str]:
    """Our own ids of the referrals that wait for an answer here, in the order of their arrival."""
    table = models.ReferralIn
    with running.node.database.reading() as session:
        rows = session.scalars(select(table.id).where(table.state == "received"))
        return sorted(rows)


def accept_at(running: RunningNode, referral: str) -> None:
    accept(House(running.node.context, running.node.database), referral)


def test_a_cloned_node_spends_no_point_twice_and_its_account_does_not_stay_stuck(
    tmp_path: Path,
) -> None:
    with founded(tmp_path / "alliance") as federation:
        federation.start()
        biwa = federation["biwa"]
        for sender in ("aoba", "aoba", "seeds"):
            offer_from(federation[sender], "biwa")
        eventually(lambda: len(cards(biwa)) == 3, timeout_s=PATIENCE_S, what="three cards")
        one, two, three = cards(biwa)

        biwa.stop()
        clone = clone_of(biwa, tmp_path / "clone")
        try:
            # Each answers another card, and pays for it in the same place of the account.
            accept_at(biwa, one)
            accept_at(clone, two)
            biwa.start()
            clone.start()
            eventually(
                lambda: any(balance(each, "biwa") < 0 for each in federation.nodes.values()),
                timeout_s=PATIENCE_S,
                what="somebody's payment",
            )
            # And both answer the third.
            accept_at(biwa, three)
            accept_at(clone, three)
            eventually(
                lambda: balance(federation["bridge"], "biwa") <= -2,
                timeout_s=PATIENCE_S,
                what="the account to go on while both run",
            )
        finally:
            clone.close()

        # The other machine is found, and switched off. If it had taken the account over, this one
        # signs nothing until it is started again, as the page of points says; then it answers.
        biwa.stop()
        biwa.start()
        for card in cards(biwa):
            accept_at(biwa, card)
        eventually(
            lambda: balance(federation["bridge"], "biwa") == -3,
            timeout_s=PATIENCE_S,
            what="three points paid",
        )
        eventually(
            lambda: len(digests(federation.nodes.values())) == 1,
            timeout_s=PATIENCE_S,
            what="equal digests",
        )
        for each in federation.nodes.values():
            entries = Counter(entry for _, entry, _, _ in entries_applied(each))
            assert set(entries.values()) == {1}
            assert sum(balance(each, member) for member in federation.nodes) == 0
        # Proven again from the signed bytes, by the member whose account it is.
        tasuki(biwa, "ledger", "verify")
