"""Two ledgers beside each other, over real nodes: equal, behind, and forked."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from node import models
from node.services import ledger
from protocol import SignedDocument, parse_certificate
from tests.equipment.command_line import Ended, Office
from tests.equipment.federation import Federation, RunningNode, eventually, founded

pytestmark = pytest.mark.federation

PATIENCE_S = 60


@pytest.fixture
def federation(tmp_path: Path) -> Iterator[Federation]:
    with founded(tmp_path) as running:
        yield running.start()


def tasuki(running: RunningNode, *words: str) -> Ended:
    return Office(running.folder, running.environment).tasuki(*words)


def owe(running: RunningNode, number: int) -> None:
    with running.node.database.transaction() as session:
        ledger.pay(
            session,
            running.node.context,
            entry_id=f"a-point-that-is-owed-{number}",
            kind="correction",
            to="biwa",
            points=1,
            reference=bytes(32),
        )


def head(running: RunningNode) -> int:
    with running.node.database.reading() as session:
        return ledger.SQLBooks(session).head("aoba").sequence


def test_a_peers_ledger_is_compared_to_the_first_difference(federation: Federation) -> None:
    aoba, biwa = federation["aoba"], federation["biwa"]
    for number in range(1, 5):
        owe(aoba, number)
        eventually(
            lambda at=number: head(biwa) == at,  # type: ignore[misc]
            timeout_s=PATIENCE_S,
            what=f"order {number} at biwa",
        )
    same = tasuki(aoba, "ledger", "diff", "biwa")
    assert (same.code, "Both ledgers are equal." in same.out) == (0, True), same.err

    # In place 2 biwa's database holds something else: a fork, or a disk that was changed.
    with biwa.node.database.transaction() as session:
        rows = session.scalars(
            select(models.LedgerCertificate).order_by(models.LedgerCertificate.sequence)
        ).all()
        for row in rows[1:]:
            order, vote = parse_certificate(row.document)
            changed = order.payload.replace(b'"points":1', b'"points":2')
            other = SignedDocument(order.kind, changed, order.signatures)
            row.document = b'{"order":%b,"vote":%b}' % (other.encode(), vote.encode())
    forked = tasuki(aoba, "ledger", "diff", "biwa", "--json")
    # The numbers are those of before, and so is the digest of the accounts' lines.
    assert (forked.code, "A quorum never certifies both" in forked.err) == (1, True)
    (line,) = json.loads(forked.out)["accounts"]
    assert line == {
        "account": "aoba",
        "first_difference": 2,
        "ours": 4,
        "same_content": False,
        "theirs": 4,
    }
    biwa.kill()
    away = tasuki(aoba, "ledger", "diff", "biwa")
    assert (away.code, "biwa does not answer" in away.err) == (1, True)
    nobody = tasuki(aoba, "ledger", "diff", "nobody")
    assert "The others are: biwa, bridge, seeds." in nobody.err


def test_a_member_that_is_behind_is_told_what_it_lacks(federation: Federation) -> None:
    aoba, biwa = federation["aoba"], federation["biwa"]
    biwa.kill()
    owe(aoba, 1)
    eventually(lambda: head(aoba) == 1, timeout_s=PATIENCE_S, what="the order at aoba")
    # biwa's machine is up, its node is not: it asks before it catches up.
    behind = tasuki(biwa, "ledger", "diff", "aoba")
    assert behind.code == 1
    assert "Certificates: here 1 lacking." in behind.err
    assert "#1" in behind.out
