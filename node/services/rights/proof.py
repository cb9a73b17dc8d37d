"""The proof of the mailbox: whoever wants to read or erase the data shows the address is theirs.

A receipt may have been passed on, so its link alone opens nothing personal.  DOMAIN 2.4 C5, C8.
"""

from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.i18n import translator
from node.keyring import PersonKeyErased
from node.services import consents
from node.services.applicants import people
from node.services.applicants.people import Person
from node.services.consents import ConsentNotThere, Outcome


def consent_of(session: Session, token: str) -> models.Consent:
    """The given consent whose status page this token opens; ConsentNotThere for any other."""
    row = consents.given_by_token(session, token)
    if row is None:
        raise ConsentNotThere
    return row


def mailbox(session: Session, context: Context, token: str) -> str:
    """Where a code would go; empty once the person is erased here."""
    person = person_of(session, context, consent_of(session, token))
    return "" if person is None else person.email


def send_code(session: Session, context: Context, token: str, language: str) -> None:
    """Mail a code to the address that the link was sent to, and to no other."""
    consent = consent_of(session, token)
    person = person_of(session, context, consent)
    if person is None:
        raise ConsentNotThere
    say = translator(language)
    harmless = say(
        "If you did not ask for a code, please ignore this mail. Without the code your data is "
        "neither shown nor erased."
    )
    link, email = consent.link_id, person.email
    consents.mail_code(session, context, link, consent.id, email, language, harmless)


def check_code(session: Session, context: Context, token: str, typed: str) -> tuple[Outcome, int]:
    """Judge a typed code, and how many tries are left. Commit it, whatever it says."""
    return consents.check_code(session, context, consent_of(session, token).link_id, typed)


def applicant_of(session: Session, consent: models.Consent) -> models.Applicant:
    """The applicant who gave a consent."""
    """The applicant who gave a consent."""
    applicant = session.get(models.Applicant, consent.applicant_id)
    assert applicant is not None, "a consent has its applicant, the schema says"
    return applicant


def person_of(session: Session, context: Context, consent: models.Consent) -> Person | None:
    """Who that is, while anything is known of them; None once they were erased."""
    """Who gave a consent; None once the person is erased here."""
    try:
        return people.person_of(session, context, applicant_of(session, consent))
    except PersonKeyErased:
        return None
