"""Letters as a hostile member writes them, or as an accident shuffles them, and what they do."""

from sqlalchemy import select

from node import models
from node.services import inbox, referrals
from protocol import (
    ACCEPTANCE,
    ALREADY_KNOWN,
    ATTACHMENT,
    Acceptance,
    AlreadyKnown,
    Attachment,
    limits,
)
from tests.equipment.alliance import Alliance, House
from tests.equipment.letters import carry, deliver, handle
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
