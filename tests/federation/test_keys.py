"""A member changes its node's keys while the alliance works: no restart, nobody at the peers."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from node import models
from node.clock import SystemClock
from node.recovery import sheet, write_code
from node.services import membership
from node.transport import PeerTransport
from protocol import SignedDocument, SigningKey, parse_certificate, problems
from tests.equipment.command_line import Ended, Office
from tests.equipment.federation import Federation, RunningNode, eventually
from tests.equipment.standing import (
    agree,
    assert_everything_arrived_once,
    assert_exchanges_are_whole,
    balance,
    digests,
    is_quiet,
    offer_from,
)

pytestmark = pytest.mark.federation

PATIENCE_S = 90


def tasuki(running: RunningNode, *words: str) -> Ended:
    return Office(running.folder, running.environment).tasuki(*words)


def recovery_sheet(federation: Federation, member: str, folder: Path) -> Path:
    identity, file = federation.identities[member], folder / f"sheet-of-{member}.txt"
    file.write_text(sheet(member, member, write_code(identity.seed), "0"), encoding="utf-8")
    return file


def version(running: RunningNode) -> int:
    with running.node.database.reading() as session:
        return running.node.context.charter(session).version


def states(running: RunningNode) -> list[str]:
    said = tasuki(running, "keys", "show", "--json")
    assert said.code == 0, said.err
    return [each["state"] for each in json.loads(said.out)["keys"]]


def balances(federation: Federation, account: str) -> set[int]:
    return {balance(running, account) for running in federation.nodes.values()}


def signer_of_last_order(running: RunningNode, account: str) -> tuple[int, str]:
    """The epoch of an account's last certified order, and the key that signed it."""
    table = models.LedgerCertificate
    with running.node.database.reading() as session:
        query = select(table).where(table.account == account).order_by(table.sequence.desc())
        row = session.scalars(query.limit(1)).one()
        order: SignedDocument = parse_certificate(row.document)[0]
        return row.epoch, order.signatures[0].keyid


def hello_with(running: RunningNode, to: str, key: SigningKey) -> str:
    """What a peer says to a hello of this member under the charter in force, signed with a key."""
    node = running.node
    with node.database.reading() as session:
        charter = node.context.charter(session)
        body = membership.make_hello(session, node.context).encode()
    transport = PeerTransport(node.settings, SystemClock(), lambda _: key)
    try:
        answer = transport.post(charter, to, "/peer/v1/hello", body)
    finally:
        transport.close()
    return "" if answer.status == 200 else problems.parse_problem(answer.body).code


def test_a_member_changes_its_nodes_keys_while_referrals_and_points_go_on(
    federation: Federation, tmp_path: Path
) -> None:
    aoba, biwa, seeds, bridge = federation.nodes.values()
    old = biwa.node.keyring.signing
    agree(biwa)
    agree(seeds)
    # Two processes of biwa answer its peers; each has to find the new key by itself.
    biwa.environment["TASUKI_WEB_WORKERS"] = "2" if biwa.node.database.dialect != "sqlite" else "1"
    for running in (aoba, biwa, bridge):
        running.start()
    offer_from(aoba, "biwa")
    # seeds is down: its letter is sealed to biwa's old key, biwa's to it is signed with that.
    offer_from(seeds, "biwa")
    offer_from(biwa, "seeds")
    eventually(
        lambda: {balance(each, "aoba") for each in (aoba, biwa, bridge)} == {1},
        timeout_s=PATIENCE_S,
        what="the first point",
    )

    own = recovery_sheet(federation, "biwa", tmp_path)
    offer_from(bridge, "biwa")
    begun = tasuki(biwa, "keys", "rotate", "--recovery-sheet", str(own), "--json")
    assert begun.code == 0, begun.err
    offer_from(aoba, "biwa")

    eventually(
        lambda: {version(each) for each in (aoba, biwa, bridge)} == {2},
        timeout_s=PATIENCE_S,
        what="version 2, with nobody at the peers",
    )
    assert states(biwa) == ["kept", "in-use"]
    assert version(seeds) == 1
    seeds.start()
    offer_from(aoba, "biwa")
    eventually(
        lambda: (
            (balances(federation, "aoba"), balances(federation, "bridge")) == ({3}, {1})
            and balances(federation, "biwa") == {-4}
            and balances(federation, "seeds") == {0}
        ),
        timeout_s=PATIENCE_S,
        what="every point, those of the letters from before as well",
    )
    eventually(lambda: is_quiet(federation), timeout_s=PATIENCE_S, what="quiet")
    assert len(digests(federation.nodes.values())) == 1
    assert_exchanges_are_whole(federation)
    assert_everything_arrived_once(federation)

    with biwa.node.database.reading() as session:
        new = biwa.node.context.signing(biwa.node.context.charter(session))
    staged = json.loads(begun.out)["staged"]["signing_key"]
    assert (new.keyid, signer_of_last_order(seeds, "biwa")) == (staged, (2, staged))
    assert [hello_with(biwa, "aoba", key) for key in (old, new)] == ["key-unknown", ""]
    said = tasuki(biwa, "doctor").out
    assert "is in hand" in said
    assert "old keys" in said


def test_a_member_that_is_down_while_its_keys_come_into_force_takes_them_up_when_it_is_back(
    federation: Federation, tmp_path: Path
) -> None:
    aoba, biwa, seeds, bridge = federation.nodes.values()
    agree(biwa)
    own = recovery_sheet(federation, "biwa", tmp_path)
    draft = tmp_path / "draft.json"
    # Its node does not run: another member brings the draft in.
    written = tasuki(biwa, "keys", "rotate", "--recovery-sheet", str(own), "--out", str(draft))
    assert written.code == 0, written.err
    for running in (aoba, seeds, bridge):
        running.start()
    offer_from(aoba, "biwa")
    brought = tasuki(aoba, "charter", "draft", "--file", str(draft), "--json")
    assert brought.code == 0, brought.err
    assert json.loads(brought.out)["changes"] == ["node-keys biwa"]
    eventually(
        lambda: {version(each) for each in (aoba, seeds, bridge)} == {2},
        timeout_s=PATIENCE_S,
        what="version 2",
    )
    assert (version(biwa), states(biwa)) == (1, ["in-use", "staged"])
    # Nobody knows its old key any more; it asks with that for what it missed all the same.
    biwa.start()
    eventually(lambda: version(biwa) == 2, timeout_s=PATIENCE_S, what="biwa to hear of version 2")
    assert states(biwa) == ["kept", "in-use"]
    offer_from(aoba, "biwa")
    eventually(
        lambda: (
            balances(federation, "aoba") == {2} and len(digests(federation.nodes.values())) == 1
        ),
        timeout_s=PATIENCE_S,
        what="points from biwa",
    )
