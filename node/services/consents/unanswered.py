"""Unanswered: the person is told, once, which companies gave no answer in time.  DOMAIN 1.3."""

from collections import defaultdict

from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.i18n import translator
from node.keyring import PersonKeyErased
from node.services import charter as charters
from node.services import mailing, referrals
from node.services.applicants import people
from node.services.consents import receipts


def end_unanswered(session: Session, context: Context) -> int:
    """End the referrals that nobody answered, and write one mail a person; how many mails."""
    ended: defaultdict[str, list[models.ReferralOut]] = defaultdict(list)
    for row in referrals.end_unanswered(session, context):
        ended[row.consent_id].append(row)
    return sum(_tell(session, context, consent, rows) for consent, rows in ended.items())


def _tell(
    session: Session, context: Context, consent_id: str, rows: list[models.ReferralOut]
) -> bool:
    consent = session.get(models.Consent, consent_id)
    applicant = session.get(models.Applicant, rows[0].applicant_id)
    assert consent is not None, "a referral has its consent and its person, the schema says"
    assert applicant is not None, "a referral has its consent and its person, the schema says"
    try:
        person = people.person_of(session, context, applicant)
    except PersonKeyErased:
        return False
    us, say = charters.describing(session, context.member_id), translator(consent.language)
    members = sorted(row.recipient for row in rows)
    companies = (charters.describing(session, member).legal_name for member in members)
    paragraphs = [
        say("Dear %(name)s,", name=person.name),
        say("these companies have not answered in the time that they have for it:")
        + "\n"
        + "\n".join(f"・{company}" for company in companies),
        say(
            "They have only seen the summary without your name, or what you chose to send at "
            "once, and nothing more happens there. It says nothing about you."
        ),
        say("You can see how things stand at any time on your own page:")
        + f"\n{receipts.status_url(context, consent.id)}",
        f"{us.legal_name}\n{us.contact}",
    ]
    mailing.enqueue(
        session,
        context,
        to=person.email,
        subject=say("[%(company)s] No answer from a company", company=us.legal_name),
        text="\n\n".join(paragraphs) + "\n",
        purpose="no-answer",
        subject_id=consent.id,
    )
    return True
