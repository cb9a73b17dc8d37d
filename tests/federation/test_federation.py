"""Four real nodes on loopback: what is sent arrives once, whatever happens on the way."""

import os
import random
import signal
from pathlib import Path

import pytest
from sqlalchemy import select

from node import models
from node.services import outbox
from tests.equipment.federation import Federation, eventually
from tests.equipment.standing import (
    agree,
    assert_exchanges_are_whole,
    balance,
    count,
    digests,
    offer_from,
    released,
)

pytestmark = pytest.mark.federation

# Two cores run four nodes and other tests; on PostgreSQL a killed worker's leases last 30 s.
PATIENCE_S = 120


def test_referrals_are_accepted_released_and_paid_once(federation: Federation) -> None:
    partners = ("biwa", "seeds", "bridge")
    for partner in partners:
        agree(federation[partner])
    federation.start()
    aoba = federation["aoba"]
    for number in range(9):
        offer_from(aoba, partners[number % 3])

    eventually(lambda: released(aoba) == 9, timeout_s=PATIENCE_S, what="nine profiles released")
    eventually(
        lambda: all(balance(each, "aoba") == 9 for each in federation.nodes.values()),
        timeout_s=PATIENCE_S,
        what="nine points in everybody's books",
    )
    eventually(
        lambda: len(digests(federation.nodes.values())) == 1,
        timeout_s=PATIENCE_S,
        what="equal digests",
    )
    for partner in partners:
        eventually(
            lambda: (
                count(
                    federation[partner],  # noqa: B023 (asked within this turn)
                    models.ReferralIn.state == "profile_received",
                )
                == 3
            ),
            timeout_s=PATIENCE_S,
            what="the profiles",
        )
        assert balance(federation[partner], partner) == -3
    assert_exchanges_are_whole(federation)
    assert [running.stop() for running in federation.nodes.values()] == [0, 0, 0, 0]


def test_a_receiver_that_was_down_gets_everything_once_it_is_back(federation: Federation) -> None:
    aoba, biwa, seeds = (federation[member] for member in ("aoba", "biwa", "seeds"))
    aoba.start()
    seeds.start()
    sent = [offer_from(aoba, "biwa") for _ in range(5)]
    to_seeds = offer_from(aoba, "seeds")

    def state(referral: str) -> str:
        with aoba.node.database.reading() as session:
            return outbox.state_of(session, referral)[0].state

    # The member that is down holds up nobody else.
    eventually(lambda: state(to_seeds) == "delivered", timeout_s=PATIENCE_S, what="seeds' letter")
    eventually(
        lambda: count(aoba, models.Peer.member == "biwa", models.Peer.failures >= 2) == 1,
        timeout_s=PATIENCE_S,
        what="two attempts in vain",
    )
    assert {state(referral) for referral in sent} == {"queued"}
    # An hour of back-off lies ahead; the receiver's hello makes an end of it.
    with aoba.node.database.transaction() as session:
        peer = session.scalars(select(models.Peer).where(models.Peer.member == "biwa")).one()
        peer.next_attempt_at = aoba.node.clock.now() + 3600

    biwa.start()
    eventually(
        lambda: {state(referral) for referral in sent} == {"delivered"},
        timeout_s=PATIENCE_S,
        what="everything delivered after hello",
    )
    eventually(
        lambda: count(biwa, models.ReferralIn.state == "received") == len(sent),
        timeout_s=PATIENCE_S,
        what="everything handled",
    )
    assert count(biwa, models.InboxEntry.sender == "aoba") == len(sent)


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_every_referral_arrives_once_and_is_paid_once_under_kill_9(
    federation: Federation,
) -> None:
    """Sender and receiver lose their processes at random moments, again and again."""
    aoba, biwa = federation["aoba"], federation["biwa"]
    agree(biwa)
    federation.start()
    moments = random.Random(20261123)
    total = 0
    for turn in range(16):
        victim = (aoba, biwa)[turn % 2]
        total += 1
        offer_from(aoba, "biwa")
        assert victim.process is not None
        eventually(
            lambda pid=victim.process.pid: bool(children(pid)),  # type: ignore[misc]
            timeout_s=PATIENCE_S,
            what="a process to kill",
        )
        moment = victim.node.clock.monotonic() + moments.random()
        eventually(
            lambda until=moment: aoba.node.clock.monotonic() >= until,  # type: ignore[misc]
            timeout_s=PATIENCE_S,
            what="the moment to kill",
        )
        for pid in children(victim.process.pid):
            os.kill(pid, signal.SIGKILL)

    eventually(lambda: released(aoba) == total, timeout_s=PATIENCE_S, what="every one released")
    eventually(
        lambda: all(balance(each, "aoba") == total for each in federation.nodes.values()),
        timeout_s=PATIENCE_S,
        what="every point paid",
    )
    eventually(
        lambda: count(biwa, models.ReferralIn.state == "profile_received") == total,
        timeout_s=PATIENCE_S,
        what="every profile received",
    )
    assert count(biwa, models.ReferralIn.sender == "aoba") == total
    assert balance(aoba, "aoba") == total
    assert balance(biwa, "biwa") == -total
    assert count(aoba, models.InboxEntry.state == "refused") == 0
    assert count(biwa, models.InboxEntry.state == "refused") == 0
    eventually(
        lambda: len(digests(federation.nodes.values())) == 1,
        timeout_s=PATIENCE_S,
        what="equal digests",
    )
    assert_exchanges_are_whole(federation)
