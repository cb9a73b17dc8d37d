"""Two web processes, or a web process and a worker, spend the same points in the same moment."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from node import models
from node.services import hires, inbox, ledger, referrals
from node.services.referrals import refusals
from protocol import REFERRAL_ENTRY
from tests.equipment.alliance import Alliance, House
from tests.equipment.letters import carry, deliver
from tests.equipment.referring import accept, refer
from tests.equipment.season import Season

Deed = Callable[[Session], object]
# Long enough for whoever does not wait for the other to be done.
OVERLAP_S = 1.0


def offered(alliance: Alliance, count: int) -> list[str]:
    """So many referrals of aoba's, at biwa; biwa's ids."""
    for _ in range(count):
        refer(alliance["aoba"], "biwa")
    carry(alliance)
    with alliance["biwa"].database.reading() as session:
        return list(session.scalars(select(models.ReferralIn.id)))


def owe(payer: House, to: str, points: int) -> None:
    with payer.database.transaction() as session:
        ledger.pay(
            session,
            payer.context,
            entry_id=ledger.new_entry_id(payer.context.now()),
            kind=REFERRAL_ENTRY,
            to=to,
            points=points,
            reference=bytes(32),
        )


def at_once(house: House, first: Deed, second: Deed) -> None:
    """The second begins when the first has done everything but commit."""

    def begin() -> None:
        with house.database.transaction() as session:
            second(session)

    with ThreadPoolExecutor(1) as other:
        with house.database.transaction() as session:
            first(session)
            begun: Future[None] = other.submit(begin)
            wait([begun], OVERLAP_S)
        begun.result()


def test_ten_points_pay_for_one_slot(alliance: Alliance) -> None:
    biwa, season = alliance["biwa"], Season(alliance)
    owe(alliance["aoba"], "biwa", 12)
    season.certify_all()
    ids = offered(alliance, 2)
    for each in ids:
        accept(biwa, each)
    carry(alliance)

    def hire(referral_id: str) -> Deed:
        return lambda session: hires.register(
            session,
            biwa.context,
            referral_id,
            joins_on="2027-04-01",
            with_slot=True,
            user_id="hanako",
        )

    with pytest.raises(hires.SlotMissing):
        at_once(biwa, hire(ids[0]), hire(ids[1]))
    with biwa.database.reading() as session:
        assert ledger.position(session, biwa.context).available == 0


def test_the_last_point_of_the_limit_is_promised_once(alliance: Alliance) -> None:
    biwa = alliance["biwa"]
    owe(biwa, "seeds", 19)
    ids = offered(alliance, 2)

    def promise(referral_id: str) -> Deed:
        return lambda session: referrals.accept(
            session, biwa.context, referral_id, user_id="hanako"
        )

    with pytest.raises(refusals.CapReached):
        at_once(biwa, promise(ids[0]), promise(ids[1]))
    with biwa.database.reading() as session:
        assert ledger.position(session, biwa.context).available == -20


def test_the_rule_keeps_to_its_cap_with_two_workers(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    with biwa.database.transaction() as session:
        referrals.write_rule(
            session,
            biwa.context,
            active=True,
            monthly_cap=1,
            applicant_types=(),
            regions=(),
            user_id="hanako",
        )
    refer(aoba, "biwa")
    refer(alliance["seeds"], "biwa")
    for house in (aoba, alliance["seeds"]):
        deliver(alliance, house)
    with biwa.database.reading() as session:
        entries = inbox.waiting(session, biwa.context)

    def handle(entry: inbox.Waiting) -> Deed:
        with biwa.database.reading() as session:
            letter = inbox.open_letter(session, biwa.context, entry)
        return lambda session: inbox.handle(session, biwa.context, entry, letter)

    at_once(biwa, handle(entries[0]), handle(entries[1]))
    with biwa.database.reading() as session:
        assert referrals.accepted_this_month(session, biwa.context) == 1
        assert referrals.waiting_count(session) == 1
