"""Evidence that an owner signed two orders for one place: kept, told to all, and bounded."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from node.services.ledger import evidence
from node.services.ledger.evidence import KEPT_MAX_PER_ACCOUNT
from node.worker.recovery import EVIDENCE_PATH, Recovery
from protocol import errors, evidence_of, sign, verify_order
from protocol.documents.ledger import ORDER
from tests.equipment.alliance import Alliance
from tests.equipment.deciding import approved, decide, enact, limited
from tests.equipment.ordering import accuse, opened, owe, proofs, second_order, vote
from tests.equipment.wires import node_with, wires_of


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def test_two_orders_for_one_place_are_evidence_that_everybody_gets(
    alliance: Alliance, executor: ThreadPoolExecutor
) -> None:
    aoba, seeds = alliance["aoba"], alliance["seeds"]
    owe(aoba, "biwa")
    one = opened(aoba)
    assert one is not None
    vote(seeds, one)
    with pytest.raises(errors.OrderConflict):
        vote(seeds, second_order(aoba, one))
    (proof,) = proofs(seeds)
    assert (proof.account, proof.sequence, proof.incarnation) == ("aoba", 1, 1)
    assert proof.told_at is None
    node = node_with(alliance, "seeds")
    recovery = Recovery(node, executor)
    recovery.tell_evidence()
    recovery.tell_evidence()
    assert wires_of(node).asked.count(("biwa", EVIDENCE_PATH)) == 1
    for house in alliance.houses.values():
        assert [each.document for each in proofs(house)] == [proof.document]


def test_an_accused_that_refuses_its_own_proofs_keeps_no_other_from_being_told(
    alliance: Alliance, executor: ThreadPoolExecutor
) -> None:
    aoba, bridge, seeds = alliance["aoba"], alliance["bridge"], alliance["seeds"]
    for number in range(1, evidence.TOLD_AT_ONCE + 1):
        accuse(bridge, seeds, number)
    alliance.clock.move(1)
    accuse(aoba, seeds, 1)

    def refuses(_path: str, _body: bytes) -> bytes:
        raise errors.PeerBlocked

    # One member is away as well, so that nothing is known to have come to all.
    node = node_with(alliance, "seeds", bridge=refuses, aoba=refuses)
    recovery = Recovery(node, executor)
    for _ in range(2):
        recovery.tell_evidence()
    biwa = {(each.account, each.sequence) for each in proofs(alliance["biwa"])}
    assert ("aoba", 1) in biwa
    assert len(biwa) == evidence.TOLD_AT_ONCE + 1
    recovery = Recovery(node_with(alliance, "seeds", bridge=refuses), executor)
    for _ in range(3):
        recovery.tell_evidence()
    told = {each.account for each in proofs(seeds) if each.told_at is not None}
    assert told == {"bridge"}, "by everybody but the accused"


def test_what_was_signed_twice_in_an_epoch_that_has_ended_is_still_proven(
    alliance: Alliance,
) -> None:
    bridge, seeds, biwa = alliance["bridge"], alliance["seeds"], alliance["biwa"]
    accuse(bridge, seeds, 1)
    (proof,) = proofs(seeds)
    approved(alliance, "aoba", limited(alliance.charter, "biwa", 33), ("biwa", "seeds"))
    enacted = decide(alliance, "aoba", ("aoba", "biwa", "seeds"))
    assert enact(biwa, enacted)
    with biwa.database.transaction() as session:
        evidence.receive(session, biwa.context, proof.document)
    assert [each.document for each in proofs(biwa)] == [proof.document]
    later = proof.document.replace(b'"orders"', b'"others"')
    with pytest.raises(errors.DocumentInvalid), biwa.database.transaction() as session:
        evidence.receive(session, biwa.context, later)


def test_false_evidence_is_refused_and_true_evidence_is_kept_up_to_a_bound(
    alliance: Alliance,
) -> None:
    seeds, aoba = alliance["seeds"], alliance["aoba"]
    owe(aoba, "biwa")
    order = opened(aoba)
    assert order is not None
    same = b'{"orders":[%b,%b]}' % (order.document.encode(), order.document.encode())
    with seeds.database.transaction() as session, pytest.raises(errors.EvidenceInvalid):
        evidence.receive(session, seeds.context, same)
    assert proofs(seeds) == []

    key = aoba.context.keyring.signing
    for sequence in range(1, KEPT_MAX_PER_ACCOUNT + 3):
        one, two = (
            verify_order(
                sign(ORDER, order.body._replace(sequence=sequence, seen=seen).encode(), key),
                alliance.charter,
            )
            for seen in ({}, {"biwa": 1})
        )
        with seeds.database.transaction() as session:
            evidence.receive(session, seeds.context, evidence_of(one, two).encode())
    assert len(proofs(seeds)) == KEPT_MAX_PER_ACCOUNT
