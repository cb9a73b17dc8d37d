"""Real nodes agree on the next charter: proposed and approved by people, decided by the nodes."""

import pytest

from node.installation import Node
from node.services import charter as charters
from node.services import decrees
from protocol import decree
from tests.equipment.by_command import (
    PATIENCE_S,
    all_at,
    decide,
    in_force,
    refer_and_wait,
    tasuki,
)
from tests.equipment.federation import Federation, RunningNode, eventually
from tests.equipment.standing import agree, balance, digests, offer_from

pytestmark = pytest.mark.federation


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


def test_a_ballot_whose_proposer_is_gone_is_taken_over_and_payments_go_on(
    federation: Federation,
) -> None:
    agree(federation["biwa"])
    aoba, remaining = federation["aoba"], [federation[name] for name in ("biwa", "seeds", "bridge")]
    for each in remaining:
        each.start()
    # Aoba's machine says what a proposer says up to the fence, and is never heard of again.
    digest = bytes.fromhex(str(tasuki(aoba, "charter", "draft", "--limit", "biwa=33")["digest"]))
    with aoba.node.database.reading() as session:
        news = decrees.news(session, federation.charter, digest).encode()
    for each in remaining:
        assert said(federation, each, "drafts", news) == 200
    for name in ("biwa", "seeds"):
        tasuki(federation[name], "charter", "approve", digest.hex())
    biwa = federation["biwa"].node
    eventually(lambda: is_ready(biwa), timeout_s=PATIENCE_S, what="a draft that enough approve of")
    with biwa.database.reading() as session:
        [request] = decrees.ready(session, biwa.context)
    first = decree.next_ballot(0, federation.charter, "aoba")
    fence = decree.FenceRequest(first, request.draft, request.approvals).encode()
    answers = {said(federation, each, "ballots", fence) for each in remaining}
    assert answers <= {200, 409}, "unless they were quicker"

    eventually(
        lambda: all(in_force(each).version == 2 for each in remaining),
        timeout_s=PATIENCE_S,
        what="version 2 without its proposer",
    )
    offer_from(federation["seeds"], "biwa")
    eventually(
        lambda: {balance(each, "seeds") for each in remaining} == {1},
        timeout_s=PATIENCE_S,
        what="a point under the new version",
    )


def said(federation: Federation, to: RunningNode, what: str, body: bytes) -> int:
    """What aoba says over the wire, and how it is taken."""
    transport = federation["aoba"].node.transport
    return transport.post(federation.charter, to.member, f"/peer/v1/{what}", body).status


def is_ready(node: Node) -> bool:
    with node.database.reading() as session:
        return bool(decrees.ready(session, node.context))
