"""Letters as a hostile member writes them, or as an accident shuffles them, and what they do."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from node import models
from node.services import hires, inbox, referrals
from node.services.referrals.progress import STEPS_TOLD_MAX
from node.worker.inbox import Handling
from protocol import (
    ACCEPTANCE,
    ALREADY_KNOWN,
    ATTACHMENT,
    HIRE,
    PROGRESS,
    Acceptance,
    AlreadyKnown,
    Attachment,
    Hire,
    Progress,
    limits,
)
from tests.equipment.alliance import Alliance, House
from tests.equipment.letters import carry, deliver, handle
from tests.equipment.peers import node_of
from tests.equipment.referring import PDF, accept, letter, owed, received, refer, sent
from tests.equipment.season import Season


def inbox_states(house: House) -> list[str]:
    with house.database.reading() as session:
        return list(session.scalars(select(models.InboxEntry.state)))


def test_a_pdf_that_is_handled_before_its_referral_waits_for_it(alliance: Alliance) -> None:
    """The database went away under the referral, and was back for the letters behind it."""
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    refer(aoba, "biwa", now=True, resume=PDF)
    deliver(alliance, aoba)
    with biwa.database.transaction() as session:
        first = inbox.waiting(session, biwa.context)[0]
        inbox.postpone(session, biwa.context, first, "our-mistake", jitter=0.0)
    assert handle(alliance, biwa) == []

    for _ in range(2):
        alliance.clock.move(3600)
        assert handle(alliance, biwa) == []
    assert set(inbox_states(biwa)) == {"handled"}
    with biwa.database.transaction() as session:
        row = session.scalars(select(models.ReferralIn)).one()
        assert referrals.open_resume(session, biwa.context, row, user_id="hanako") == PDF


def test_a_pdf_of_no_referral_is_set_aside_when_nothing_can_come_any_more(
    alliance: Alliance,
) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    letter(aoba, "biwa", ATTACHMENT, Attachment("never-referred", 0, 1, b"%PDF-").encode())
    assert carry(alliance) == []
    assert inbox_states(biwa) == ["received"]
    alliance.clock.move(limits.ENVELOPE_DEADLINE_S)
    assert handle(alliance, biwa) == ["letter-unexpected"]
    assert inbox_states(biwa) == ["refused"]


def promise(alliance: Alliance, referral: str, entry: str) -> None:
    """Biwa accepts as its own node never would: with an entry of its choice, and no payment."""
    biwa = alliance["biwa"]
    acceptance = Acceptance(referral, biwa.context.now(), 1, entry, bytes(32))
    letter(biwa, "aoba", ACCEPTANCE, acceptance.encode())
    carry(alliance)


def declare_known(alliance: Alliance, referral: str) -> list[str]:
    biwa = alliance["biwa"]
    today = biwa.context.day_of(biwa.context.now())
    known = AlreadyKnown(referral, today, today, biwa.context.now())
    letter(biwa, "aoba", ALREADY_KNOWN, known.encode())
    return carry(alliance)


def test_a_point_that_was_never_paid_does_not_come_back(alliance: Alliance) -> None:
    """Else each referral would be worth a point to whoever accepts it and says it knew."""
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    referral = refer(aoba, "biwa")
    carry(alliance)
    promise(alliance, referral, "never-to-be-paid")
    assert declare_known(alliance, referral) == []
    assert (sent(aoba, referral).state, owed(aoba)) == ("released", [])

    alliance.clock.move(limits.ENVELOPE_DEADLINE_S)
    assert handle(alliance, aoba) == ["letter-unexpected"]
    assert (owed(aoba), owed(biwa)) == ([], [])


def test_one_payment_keeps_one_promise(alliance: Alliance) -> None:
    """Biwa pays for one referral, and names the same entry in its acceptance of a second."""
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    first = refer(aoba, "biwa")
    carry(alliance)
    accept(biwa, received(biwa).id)
    carry(alliance)
    assert Season(alliance).certify("biwa")
    second = refer(aoba, "biwa")
    carry(alliance)
    entry = sent(aoba, first).entry_id
    assert entry is not None
    promise(alliance, second, entry)

    rows = [sent(aoba, referral) for referral in (first, second)]
    with aoba.database.reading() as session:
        assert referrals.paid(session, aoba.context, rows).keys() == {first}
        assert referrals.promised(session, aoba.context) == 1
    declare_known(alliance, second)
    assert owed(aoba) == []


def hired(alliance: Alliance, **changes: object) -> list[str]:
    """Biwa accepts a referral of aoba's and tells of a hire, some of it invented."""
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    referral = refer(aoba, "biwa")
    carry(alliance)
    promise(alliance, referral, f"of-{referral}")
    told = Hire(referral, "2027-04-01", 10, "slot-of-ten-points", bytes(32), biwa.context.now())
    letter(biwa, "aoba", HIRE, replace(told, **changes).encode())
    return carry(alliance)


@pytest.mark.parametrize(
    "invented",
    [
        {"joins_on": "2027-02-31"},
        {"points": 999_999},
        {"points": 10, "entry": ""},
        {"points": 0, "entry": "pays-for-nothing"},
    ],
)
def test_a_hire_that_no_node_would_tell_of_is_set_aside(
    alliance: Alliance, invented: dict[str, object]
) -> None:
    assert hired(alliance, **invented) == ["letter-unexpected"]


def test_one_slot_pays_for_one_hire(alliance: Alliance) -> None:
    assert hired(alliance) == []
    assert hired(alliance) == ["letter-unexpected"]


def test_what_a_member_tells_against_the_persons_wish_is_not_kept(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    referral = refer(aoba, "biwa", share=False)
    carry(alliance)
    promise(alliance, referral, "accepted-without-a-wish")
    progress = Progress(referral, "declined_by_company", biwa.context.now())
    letter(biwa, "aoba", PROGRESS, progress.encode())
    assert carry(alliance) == []
    assert sent(aoba, referral).stage_code is None
    with aoba.database.reading() as session:
        assert referrals.stages_of(session, "out", referral) == []


def test_steps_told_late_or_without_end_change_nothing(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    referral, now = refer(aoba, "biwa"), biwa.context.now()
    carry(alliance)
    promise(alliance, referral, "accepted-with-a-wish")
    for stage, at in (("offer", now), ("interview_1", now - 60)):
        letter(biwa, "aoba", PROGRESS, Progress(referral, stage, at).encode())
        assert carry(alliance) == []
    assert sent(aoba, referral).stage_code == "offer"
    for _ in range(STEPS_TOLD_MAX):
        letter(biwa, "aoba", PROGRESS, Progress(referral, "test", now).encode())
    assert carry(alliance) == ["letter-unexpected"] * 2


def test_a_letter_that_breaks_a_rule_of_the_schema_holds_up_no_other(alliance: Alliance) -> None:
    aoba, biwa, seeds = (alliance[name] for name in ("aoba", "biwa", "seeds"))
    referral = refer(aoba, "biwa")
    carry(alliance)
    promise(alliance, referral, f"of-{referral}")
    with aoba.database.transaction() as session:
        session.add(
            models.Hire(
                id="a-row-that-should-not-be-there",
                direction="out",
                referral_id=referral,
                peer="biwa",
                joins_on="2027-04-01",
                points=0,
                fee_yen=0,
                registered_at=0,
            )
        )
    hire = Hire(referral, "2027-04-01", 0, "", bytes(32), biwa.context.now())
    letter(biwa, "aoba", HIRE, hire.encode())
    deliver(alliance, biwa)
    alliance.clock.move(1)
    refer(seeds, "aoba")
    deliver(alliance, seeds)

    assert Handling(node_of(aoba)).step(), "it goes on to the end"
    assert received(aoba).sender == "seeds"
    assert sorted(inbox_states(aoba)) == ["handled", "handled", "received"]


def test_a_slot_is_paid_by_an_entry_of_its_own_kind(alliance: Alliance) -> None:
    """Biwa names the one point it paid for the referral as the ten points of the hire."""
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    referral = refer(aoba, "biwa")
    carry(alliance)
    accept(biwa, received(biwa).id)
    carry(alliance)
    assert Season(alliance).certify("biwa")
    entry = sent(aoba, referral).entry_id
    assert entry is not None
    hire = Hire(referral, "2027-04-01", 10, entry, bytes(32), biwa.context.now())
    letter(biwa, "aoba", HIRE, hire.encode())
    assert carry(alliance) == []
    with aoba.database.reading() as session:
        row = hires.find(session, "out", referral)
        assert row is not None
        assert hires.paid_at(session, aoba.context, row) is None
