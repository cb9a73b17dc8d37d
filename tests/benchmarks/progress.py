"""A step of a selection on two real nodes: from HR's click to the applicant's page, and back."""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from sqlalchemy import select

from node import models
from node.services import erasures, referrals
from tests.benchmarks.registry import Figure, benchmark
from tests.equipment.federation import Federation, RunningNode, eventually, founded
from tests.equipment.standing import agree, count, offer_from

STEPS = ("test", "interview_1", "interview_2", "interview_n", "interview_final", "offer")
PATIENCE_S = 60
LOOK_S = 0.01


def until(is_so: Callable[[], bool]) -> float:
    """Seconds until something is so."""
    started = time.perf_counter()
    while not is_so():
        assert time.perf_counter() - started < PATIENCE_S
        time.sleep(LOOK_S)
    return time.perf_counter() - started


def shown(running: RunningNode, referral_id: str) -> models.ReferralOut:
    """What the applicant's page and the referrer's list are made of."""
    with running.node.database.reading() as session:
        return referrals.sent_of(session, referral_id)


def one_step(federation: Federation, referral_id: str, stage: str) -> float:
    biwa, aoba = federation["biwa"], federation["aoba"]
    with biwa.node.database.transaction() as session:
        row_id = session.scalars(select(models.ReferralIn.id)).one()
        referrals.move(session, biwa.node.context, row_id, stage, user_id="hanako")
    return until(lambda: shown(aoba, referral_id).stage_code == stage)


def one_withdrawal(federation: Federation, referral_id: str) -> float:
    aoba = federation["aoba"]

    def is_proven() -> bool:
        with aoba.node.database.reading() as session:
            found = erasures.by_referral(session, [referral_id]).get(referral_id)
        return found is not None and found.erased_at is not None

    with aoba.node.database.transaction() as session:
        consent = referrals.sent_of(session, referral_id).consent_id
        erasures.withdraw(session, aoba.node.context, consent)
    return until(is_proven)


@benchmark("progress")
def progress() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder, founded(Path(folder)) as federation:
        agree(federation["biwa"])
        federation.start()
        referral_id = offer_from(federation["aoba"], "biwa")
        has_arrived = models.ReferralIn.state == "profile_received"
        eventually(
            lambda: count(federation["biwa"], has_arrived) == 1,
            timeout_s=PATIENCE_S,
            what="the profile",
        )
        times = [one_step(federation, referral_id, stage) for stage in STEPS]
        proven = one_withdrawal(federation, referral_id)
    yield Figure("from the click to the applicant's page, median", median(times), "s", at_most=2)
    yield Figure("from the click to the applicant's page, slowest", max(times), "s", at_most=2)
    yield Figure("from taking a consent back to the proof of the erasure", proven, "s")
