"""Real nodes agree on the next charter: proposed and approved by people, decided by the nodes."""

import pytest

from node.services import charter as charters
from protocol import decree
from tests.equipment.by_command import PATIENCE_S, all_at, decide, in_force, refer_and_wait
from tests.equipment.federation import Federation, eventually
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
