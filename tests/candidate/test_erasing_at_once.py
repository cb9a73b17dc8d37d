"""Whoever presses the last button twice in the same moment is erased, and told, once."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from node import models
from node.services import consents, rights
from tests.equipment.candidates import Candidates
from tests.node.test_spending_at_once import at_once


def test_pressed_twice_at_once_it_is_erased_once(candidates: Candidates) -> None:
    applicant, link = candidates.invite()
    walker = candidates.walker(link)
    walker.arrive("biwa")
    walker.agree("biwa")
    aoba = candidates.alliance["aoba"]
    with aoba.database.reading() as session:
        ours = session.scalars(select(models.Link).where(models.Link.applicant_id == applicant))
        token = consents.status_token_of(session, aoba.context, ours.one().id)

    def erase(session: Session) -> None:
        rights.erase(session, aoba.context, token)

    at_once(aoba, erase, erase)
    assert len(candidates.mails("erasure")) == 1
    with aoba.database.reading() as session:
        entries = select(models.AuditEntry).where(models.AuditEntry.action == "person.erased")
        assert len(session.scalars(entries).all()) == 1
