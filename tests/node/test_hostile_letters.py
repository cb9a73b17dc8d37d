"""Letters as a hostile member writes them, or as an accident shuffles them, and what they do."""

from sqlalchemy import select

from node import models
from node.services import inbox, referrals
from protocol import ATTACHMENT, Attachment, limits
from tests.equipment.alliance import Alliance, House
from tests.equipment.letters import carry, deliver, handle
from tests.equipment.referring import PDF, letter, refer


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
