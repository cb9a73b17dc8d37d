"""Erasing: what a person takes back, and what is destroyed here when they ask, or once asked there.

A consent can be taken back by the page that the receipt leads to; the data is erased after the
proof of the mailbox.  個人情報保護法 35; DOMAIN 2.4 C8, C9.
"""

from collections.abc import Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.i18n import later, translator
from node.keyring import PersonKeyErased
from node.services import audit, consents, erasures, links, mailing, relays
from node.services import charter as charters
from node.services.applicants import erase as erase_person
from node.services.applicants import people, suppress
from node.services.applicants.people import Person
from node.services.letters import Letter
from node.services.rights.proof import applicant_of, consent_of, person_of
from protocol import Withdrawal

ASKED = later("Your data has been erased here, as you asked.")
BACK = later(
    "%(giver)s, from which your profile came to us, has told us that you took your consent back "
    "there. Therefore your data has been erased here, too. If you did not, please write to us."
)


def withdraw(session: Session, context: Context, token: str, member: str = "") -> int:
    """Take the consent back for one company, or for all; for how many it was done now."""
    consent = consent_of(session, token)
    return erasures.withdraw(session, context, consent.id, [member] if member else None)


def stop_contact(session: Session, context: Context, token: str) -> None:
    """Honour "do not contact me again", for good. What was sent goes on."""
    consent = consent_of(session, token)
    person = person_of(session, context, consent)
    if person is None:
        return
    suppress(session, context, person)
    audit.record(
        session, context, actor="applicant", action="contact.refused", subject=consent.applicant_id
    )


def erase(session: Session, context: Context, token: str) -> None:
    """Take back every consent of the person, and destroy the key of all that we hold ourselves.

    What stays is what the law asks for: who got what, and when. A mail confirms it, the last one.
    """
    consent = consent_of(session, token)
    applicant = applicant_of(session, consent)
    received = relays.hold_received(session, applicant.person_id)
    _hold(session, applicant.person_id)
    person = person_of(session, context, consent)
    if person is None:
        return
    for each in _consents_of(session, applicant.person_id):
        erasures.withdraw(session, context, each.id)
    relays.forget_received(session, context, received)
    destroy(session, context, applicant.person_id)
    say = translator(consent.language)
    _confirm(session, context, consent, person, say(ASKED))
    audit.record(session, context, actor="applicant", action="person.erased", subject=applicant.id)


def receive_withdrawal(session: Session, context: Context, letter: Letter) -> None:
    """Carry out what a person took back elsewhere, in all that was made of the referral here.

    Whoever was handed on is erased as if they had asked us, with everything they agreed to since;
    only then does the receipt say that it is done.
    """
    asked = Withdrawal.parse(letter.document.payload)
    applicant = relays.made_of(session, letter.sender, asked.referral)
    if applicant is not None:
        _take_back(session, context, applicant, actor=letter.sender)
    erasures.receive_withdrawal(session, context, letter)


def _take_back(
    session: Session, context: Context, applicant: models.Applicant, *, actor: str
) -> None:
    _hold(session, applicant.person_id)
    theirs = _consents_of(session, applicant.person_id)
    # Those further on may hold it still when our own copy has gone by the calendar.
    for each in theirs:
        erasures.withdraw(session, context, each.id, actor=actor)
    try:
        person = people.person_of(session, context, applicant)
    except PersonKeyErased:
        return
    destroy(session, context, applicant.person_id)
    given = [each for each in theirs if each.given_at is not None]
    if given:
        giver = charters.describing(session, actor).legal_name
        say = translator(given[-1].language)
        _confirm(session, context, given[-1], person, say(BACK, giver=giver))
    audit.record(session, context, actor=actor, action="person.erased", subject=applicant.id)


def _hold(session: Session, person_id: str) -> None:
    """Hold the links and the key of a person until the end of the transaction, in this order.

    A consent that is being given at this moment is waited for, or finds nobody any more; whoever
    presses twice is erased, and told, once.
    """
    link, applicant, key = models.Link, models.Applicant, models.PersonKey
    theirs = select(applicant.id).where(applicant.person_id == person_id)
    links_ = select(link.id).where(link.applicant_id.in_(theirs)).order_by(link.id)
    session.scalars(links_.with_for_update()).all()
    session.scalar(select(key.person_id).where(key.person_id == person_id).with_for_update())


def _consents_of(session: Session, person_id: str) -> Sequence[models.Consent]:
    """Every consent of a person, who may have applied more than once."""
    table, applicant = models.Consent, models.Applicant
    query = select(table).join(applicant, applicant.id == table.applicant_id)
    whose = query.where(applicant.person_id == person_id)
    return session.scalars(whose.order_by(table.given_at, table.id)).all()


def destroy(session: Session, context: Context, person_id: str) -> None:
    """Destroy a person's key and all that leads to the person; states, times and ids stay."""
    given = _consents_of(session, person_id)
    ids, out = [each.id for each in given], models.ReferralOut
    session.execute(
        update(out).where(out.consent_id.in_(ids)).values(profile_blob=None, resume_blob=None)
    )
    table = models.ConsentResume
    session.execute(delete(table).where(table.consent_id.in_(ids)))
    applicant = models.Applicant
    theirs = select(models.Link.id).join(applicant, applicant.id == models.Link.applicant_id)
    found = session.scalars(theirs.where(applicant.person_id == person_id)).all()
    links.revoke(session, context, found)
    for each in given:
        each.sealed_blob = b""
    erase_person(session, context, person_id)


def _confirm(
    session: Session, context: Context, consent: models.Consent, person: Person, why: str
) -> None:
    us = charters.describing(session, context.member_id)
    say = translator(consent.language)
    paragraphs = [
        why,
        say(
            "The companies that had received something were asked to erase it, too. Their answers "
            "are shown on your page, which names nobody:"
        )
        + f"\n{consents.status_url(context, consent.id)}",
        say(
            "The law asks us and the companies to keep a record of who gave what to whom "
            "(your name, the company, the items, the date) for three years. It is not used for "
            "selection."
        ),
        f"{us.legal_name}\n{us.contact}",
    ]
    mailing.enqueue(
        session,
        context,
        to=person.email,
        subject=say("[%(company)s] Your data has been erased", company=us.legal_name),
        text="\n\n".join(paragraphs) + "\n",
        purpose="erasure",
        subject_id=consent.id,
    )
