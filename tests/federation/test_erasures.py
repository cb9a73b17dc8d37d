"""Real nodes erase what a person took back; one of them is away and does it when it is back."""

import pytest
from sqlalchemy import select

from node import models
from node.services import erasures, referrals
from tests.equipment.by_command import PATIENCE_S
from tests.equipment.federation import Federation, RunningNode, eventually
from tests.equipment.standing import agree, count, offer_from

pytestmark = pytest.mark.federation

HELD = models.ReferralIn.profile_blob.is_not(None)
READABLE = models.PersonKey.wrapped.is_not(None)


def take_back(running: RunningNode, referral_id: str) -> None:
    with running.node.database.transaction() as session:
        consent = referrals.sent_of(session, referral_id).consent_id
        assert erasures.withdraw(session, running.node.context, consent) == 1


def proven(running: RunningNode) -> set[str]:
    """The members whose signed receipts are here."""
    table = models.Erasure
    with running.node.database.reading() as session:
        return set(
            session.scalars(
                select(table.peer).where(table.direction == "out", table.receipt.is_not(None))
            )
        )


def test_two_prove_it_at_once_and_the_third_when_it_is_back(federation: Federation) -> None:
    aoba, others = federation["aoba"], [federation[n] for n in ("biwa", "seeds", "bridge")]
    for each in others:
        agree(each)
    federation.start()
    taken = {each.member: offer_from(aoba, each.member) for each in others}
    eventually(
        lambda: all(count(each, HELD) == 1 for each in others),
        timeout_s=PATIENCE_S,
        what="a profile at each of the three",
    )
    federation["seeds"].stop()
    for referral_id in taken.values():
        take_back(aoba, referral_id)
    eventually(
        lambda: proven(aoba) == {"biwa", "bridge"}, timeout_s=PATIENCE_S, what="two receipts"
    )
    with aoba.node.database.reading() as session:
        assert erasures.owed(session, aoba.node.context) == (1, 0)

    federation["seeds"].start()
    eventually(
        lambda: proven(aoba) == {"biwa", "bridge", "seeds"},
        timeout_s=PATIENCE_S,
        what="the third receipt",
    )
    for each in others:
        assert (count(each, HELD), count(each, READABLE)) == (0, 0)
        # The records of Art. 29 and 30 remain on both sides.
        assert count(each, models.ReceiptRecord.peer == "aoba") == 1
    assert count(aoba, models.ProvisionRecord.consent_id != "") == 6
