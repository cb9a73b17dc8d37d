"""A node that is lost comes back from its backup, and its peers fill the gap.  PEER 4."""

import json
import shutil
from pathlib import Path

import pytest
from sqlalchemy import func, select

from node import config, models
from node.opening import open_node
from node.services import decrees, ledger, referrals, restores
from node.services.ledger import Verification, tenure
from protocol import FIRST_INCARNATION, OrderRequest, errors, next_draft
from tests.equipment.alliance import House
from tests.equipment.command_line import Ended, Office
from tests.equipment.federation import Federation, RunningNode, eventually
from tests.equipment.referring import refer

pytestmark = pytest.mark.federation

PATIENCE_S = 120


def tasuki(running: RunningNode, *words: str) -> Ended:
    return Office(running.folder, running.environment).tasuki(*words)


def agree(running: RunningNode) -> None:
    with running.node.database.transaction() as session:
        referrals.write_rule(
            session,
            running.node.context,
            active=True,
            monthly_cap=1000,
            applicant_types=(),
            regions=(),
            user_id="hanako",
        )


def refer_from(running: RunningNode, to: str, times: int) -> None:
    for _ in range(times):
        refer(House(running.node.context, running.node.database), to)


def balances(federation: Federation, account: str) -> set[int]:
    found = set()
    for running in federation.nodes.values():
        with running.node.database.reading() as session:
            found.add(ledger.SQLBooks(session).head(account).balance)
    return found


def digests(federation: Federation) -> set[bytes]:
    found = set()
    for running in federation.nodes.values():
        with running.node.database.reading() as session:
            found.add(ledger.state(session)[1])
    return found


def settled(federation: Federation, account: str, points: int) -> None:
    eventually(
        lambda: balances(federation, account) == {points} and len(digests(federation)) == 1,
        timeout_s=PATIENCE_S,
        what=f"{points} points of {account} in everybody's books",
    )


def is_recovering(running: RunningNode) -> bool:
    with running.node.database.reading() as session:
        return restores.is_recovering(session)


def received(running: RunningNode) -> int:
    with running.node.database.reading() as session:
        table = models.ReferralIn
        return session.scalar(select(func.count()).select_from(table)) or 0


def back_up(running: RunningNode, folder: Path) -> tuple[Path, Path]:
    """A backup of a node at work, rehearsed; and the sheet that opens it."""
    sheet, file = folder / "sheet.txt", folder / "node.backup"
    recipient = tasuki(running, "backup-key", str(sheet)).out.strip()
    made = tasuki(running, "backup", str(file), "--recipient", recipient, "--rehearse", "--json")
    assert made.code == 0, made.err
    told = json.loads(made.out)
    assert told["rehearsed"] is True
    with running.node.database.reading() as session:
        assert told["digest"] == ledger.state(session)[1].hex()
    return file, sheet


def destroy(running: RunningNode) -> None:
    """kill -9, and the disk with it: files, keys and the database's rows."""
    running.kill()
    running.node.database.close()
    if running.node.database.dialect == "sqlite":
        for file in running.folder.glob("tasuki.db*"):
            file.unlink()
    else:
        engine = running.node.database.engine
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
        engine.dispose()
    shutil.rmtree(running.folder / "keys")


def restore(running: RunningNode, file: Path, sheet: Path) -> None:
    """On the machine that took its place: the same settings, nothing else."""
    done = tasuki(running, "restore", str(file), "--sheet", str(sheet))
    assert done.code == 0, done.err
    settings = {k: v for k, v in running.environment.items() if k.startswith(config.PREFIX)}
    running.node = open_node(config.parse(settings))


def test_a_lost_node_catches_up_and_every_point_is_paid_once(
    federation: Federation, tmp_path: Path
) -> None:
    aoba, biwa, seeds = (federation[member] for member in ("aoba", "biwa", "seeds"))
    agree(biwa)
    agree(seeds)
    federation.start()
    # biwa pays aoba, and seeds pays biwa: the node to be lost is payer, payee, and receiver.
    refer_from(aoba, "biwa", 3)
    refer_from(biwa, "seeds", 1)
    settled(federation, "aoba", 3)
    settled(federation, "seeds", -1)
    file, sheet = back_up(biwa, tmp_path)

    # It goes on: letters are received, orders certified, points paid, all after the backup.
    refer_from(aoba, "biwa", 4)
    refer_from(biwa, "seeds", 1)
    settled(federation, "aoba", 7)
    settled(federation, "seeds", -2)
    with biwa.node.database.reading() as session:
        lost = ledger.SQLBooks(session).head("biwa")
    destroy(biwa)
    restore(biwa, file, sheet)
    assert is_recovering(biwa)
    assert balances(federation, "aoba") == {3, 7}
    biwa.start()

    eventually(lambda: not is_recovering(biwa), timeout_s=PATIENCE_S, what="biwa to rejoin")
    settled(federation, "aoba", 7)
    settled(federation, "seeds", -2)
    with biwa.node.database.reading() as session:
        found = ledger.SQLBooks(session).head("biwa")
        assert (found.sequence, found.digest) == (lost.sequence, lost.digest)
    # What it had received after the backup is delivered again, once.
    eventually(lambda: received(biwa) == 7, timeout_s=PATIENCE_S, what="the lost letters")

    # It signs under an incarnation below which its peers vote for nothing of it any more.
    def incarnation() -> int:
        with biwa.node.database.reading() as session:
            return tenure.tenure(session, biwa.node.context).incarnation

    eventually(
        lambda: incarnation() > FIRST_INCARNATION,
        timeout_s=PATIENCE_S,
        what="biwa to take its account up",
    )
    # And it takes part again: its next order follows the last one that it had forgotten.
    refer_from(aoba, "biwa", 2)
    settled(federation, "aoba", 9)
    assert received(biwa) == 9
    for running in federation.nodes.values():
        with running.node.database.reading() as session:
            assert [each for each in Verification(session).findings() if each] == []
            refused = select(models.InboxEntry.kind).where(models.InboxEntry.state == "refused")
            # biwa forgot a referral that it had sent itself: the answer to it is set aside, and
            # IT is shown it. Nobody else lost anything.
            lost_answers = ["acceptance"] if running is biwa else []
            assert list(session.scalars(refused)) == lost_answers


def test_a_restored_node_signs_nothing_before_enough_peers_were_heard(
    federation: Federation, tmp_path: Path
) -> None:
    aoba, biwa = federation["aoba"], federation["biwa"]
    agree(biwa)
    for member in ("aoba", "biwa", "seeds", "bridge"):
        federation[member].start()
    refer_from(aoba, "biwa", 1)
    settled(federation, "aoba", 1)
    file, sheet = back_up(biwa, tmp_path)
    refer_from(aoba, "biwa", 1)
    settled(federation, "aoba", 2)
    destroy(biwa)
    federation["bridge"].kill()
    federation["seeds"].kill()
    restore(biwa, file, sheet)
    with biwa.node.database.transaction() as session:
        ledger.pay(
            session,
            biwa.node.context,
            entry_id="owed-by-a-restored-node",
            kind="correction",
            to="seeds",
            points=1,
            reference=bytes(32),
        )
    biwa.start()

    def heard() -> list[str]:
        with biwa.node.database.reading() as session:
            return list(restores.heard(session))

    eventually(lambda: heard() == ["aoba"], timeout_s=PATIENCE_S, what="aoba to be heard")
    # Two of four are not enough, and the number after the backup's is taken: nothing is signed.
    with biwa.node.database.transaction() as session:
        assert ledger.SQLBooks(session).head("biwa").sequence == 2
        assert ledger.open_order(session, biwa.node.context) is None
        own = models.LedgerLock.account == "biwa"
        assert session.scalar(select(func.count()).where(own)) == 0
        with pytest.raises(errors.Recovering):
            ledger.vote_on(session, biwa.node.context, b"{}")
    assert is_recovering(biwa)

    federation["bridge"].start()
    federation["seeds"].start()
    eventually(lambda: not is_recovering(biwa), timeout_s=PATIENCE_S, what="biwa to rejoin")
    settled(federation, "seeds", 1)
    settled(federation, "aoba", 2)


def test_a_node_whose_backup_is_older_than_a_decree_rejoins_under_the_new_charter(
    federation: Federation, tmp_path: Path
) -> None:
    biwa, aoba, seeds = (federation[member] for member in ("biwa", "aoba", "seeds"))
    agree(biwa)
    federation.start()
    refer_from(aoba, "biwa", 1)
    settled(federation, "aoba", 1)
    file, sheet = back_up(biwa, tmp_path)
    with aoba.node.database.transaction() as session:
        draft = next_draft(aoba.node.context.charter(session))
        decrees.propose(session, aoba.node.context, draft, actor="cli")
    # A draft that changes nothing needs no person: it closes the books of a month.
    eventually(lambda: version(seeds) == 2, timeout_s=PATIENCE_S, what="version 2")
    destroy(biwa)
    restore(biwa, file, sheet)
    assert version(biwa) == 1
    biwa.start()
    eventually(lambda: not is_recovering(biwa), timeout_s=PATIENCE_S, what="biwa to rejoin")
    assert version(biwa) == 2
    refer_from(aoba, "biwa", 1)
    settled(federation, "aoba", 2)


def version(running: RunningNode) -> int:
    with running.node.database.reading() as session:
        return running.node.context.charter(session).version


def owe(running: RunningNode, entry_id: str, to: str) -> None:
    with running.node.database.transaction() as session:
        ledger.pay(
            session,
            running.node.context,
            entry_id=entry_id,
            kind="correction",
            to=to,
            points=1,
            reference=bytes(32),
        )


def test_an_order_that_one_peer_had_locked_when_its_owner_was_lost_is_certified_once(
    federation: Federation, tmp_path: Path
) -> None:
    aoba, biwa, seeds = (federation[member] for member in ("aoba", "biwa", "seeds"))
    file, sheet = back_up(biwa, tmp_path)
    # After the backup biwa signs an order, and only seeds has seen it when biwa is lost.
    owe(biwa, "signed-after-the-backup", "seeds")
    with biwa.node.database.transaction() as session:
        lost = ledger.open_order(session, biwa.node.context)
    assert lost is not None
    with seeds.node.database.transaction() as session:
        ledger.vote_on(session, seeds.node.context, OrderRequest(lost.document).encode())
    destroy(biwa)
    restore(biwa, file, sheet)
    # What it would sign next under that number is another order.
    owe(biwa, "owed-after-the-restore", "aoba")
    federation.start()

    eventually(lambda: not is_recovering(biwa), timeout_s=PATIENCE_S, what="biwa to rejoin")
    settled(federation, "seeds", 1)
    settled(federation, "aoba", 1)
    settled(federation, "biwa", -2)
    for running in (aoba, biwa, seeds):
        with running.node.database.reading() as session:
            assert [each for each in Verification(session).findings() if each] == []
            assert session.scalar(select(func.count()).select_from(models.LedgerEvidence)) == 0
