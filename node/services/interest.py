"""Interest: a company would like to go on, and its person, who wished so, is asked first.

The profile goes after the person's yes and not before. With a no, or without an answer in the
days that the company had for its own, the consent is taken back for that company, like any other;
and the point, for which it got nothing, goes back to it, once.  DOMAIN 2.4 C12. A company may also
offer to begin at a later step, and the person is told so.  DOMAIN 2.2 V6.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.i18n import later, translator, written_day
from node.keyring import PersonKeyErased
from node.services import charter as charters
from node.services import consents, erasures, mailing, outbox, referrals
from node.services.applicants import exclusion, people
from node.services.letters import Letter

# What one transaction ends, or gives back.
BATCH_MAX = 200
# The steps at which a company may offer to begin.
START_NAMES = {
    "screening": later("Document screening"),
    "test": later("Aptitude test"),
    "interview_1": later("First interview"),
    "interview_2": later("Second interview"),
    "interview_n": later("Further interview"),
    "interview_final": later("Final interview"),
}
ASKING = later("[%(company)s] May we send your profile?")
TELLING = later("[%(company)s] A company is interested in you")
Say = Callable[..., str]

Out = models.ReferralOut


def receive_acceptance(session: Session, context: Context, letter: Letter) -> None:
    """Keep the promise; release the profile against it, or ask the person."""
    row = referrals.receive_acceptance(session, context, letter)
    if row is not None and (row.asks_first or referrals.start_of(session, row)):
        _tell(session, context, row)


def receive_progress(session: Session, context: Context, letter: Letter) -> None:
    """Keep what is told; an offer to begin later that comes behind its acceptance is mailed."""
    row = referrals.receive_progress(session, context, letter)
    if row is not None:
        session.flush()
        _tell(session, context, row)


def _tell(session: Session, context: Context, row: Out) -> None:
    """Mail what the company said; the page has it, too.

    Whoever wants no more mail gets the question alone: it belongs to what was agreed to.
    """
    consent = session.get_one(models.Consent, row.consent_id)
    applicant = session.get_one(models.Applicant, row.applicant_id)
    try:
        person = people.person_of(session, context, applicant)
    except PersonKeyErased:
        return
    is_question = row.decide_by is not None
    if not is_question and exclusion.is_suppressed(session, context, person):
        return
    us, say = charters.describing(session, context.member_id), translator(consent.language)
    paragraphs = [
        say("Dear %(name)s,", name=person.name),
        *_news(session, context, row, consent, say),
        f"{us.legal_name}\n{us.contact}",
    ]
    mailing.enqueue(
        session,
        context,
        to=person.email,
        subject=say(ASKING if is_question else TELLING, company=us.legal_name),
        text="\n\n".join(paragraphs) + "\n",
        purpose="interest",
        subject_id=consent.id,
    )


def _news(
    session: Session, context: Context, row: Out, consent: models.Consent, say: Say
) -> list[str]:
    page = consents.status_url(context, consent.id)
    them, start = charters.describing(session, row.recipient), referrals.start_of(session, row)
    offer = []
    if start is not None:
        name = say(START_NAMES[start])
        offer = [say("You would start at: %(stage)s. Earlier steps are skipped.", stage=name)]
    if row.decide_by is None:
        return [
            say("%(company)s would like to go on with you.", company=them.legal_name),
            *offer,
            say("You can see how things stand at any time on your own page:") + f"\n{page}",
        ]
    answer_by = datetime.fromtimestamp(row.decide_by, context.settings.time_zone)
    day = written_day(answer_by, consent.language)
    return [
        say(
            "%(company)s has read the summary without your name and would like to go on with you. "
            "You wished to be asked before your profile is sent.",
            company=them.legal_name,
        ),
        *offer,
        say("Please answer yes or no on your own page by %(day)s:", day=day) + f"\n{page}",
        say("Please pass this mail on to nobody: whoever has that address can answer for you."),
        say(
            "Without a yes your profile is not sent, and the company is asked to erase the "
            "summary. You need not give a reason."
        ),
    ]


def answer(session: Session, context: Context, token: str, member: str, *, yes: bool) -> bool:
    """The person's answer to one company; False when there was nothing to answer any more.

    Whoever reads the page may answer, as they may take back: the company was agreed to with a code.
    """
    consent = consents.given_by_token(session, token)
    if consent is None:
        raise consents.ConsentNotThere
    waiting = {row.recipient: row for row in _waiting(session, consent.id)}
    if member not in waiting or not outbox.reaches(session, context, member):
        return False
    if yes:
        referrals.release(session, context, waiting[member])
    else:
        erasures.withdraw(session, context, consent.id, [member])
    return True


def _waiting(session: Session, consent_id: str) -> list[Out]:
    """What waits for the person's answer, held for a change; all rows of a consent, in one order,
    as whoever takes it back holds them."""
    rows = select(Out).where(Out.consent_id == consent_id).order_by(Out.id).with_for_update()
    fresh = rows.execution_options(populate_existing=True)
    return [row for row in session.scalars(fresh) if row.state == "accepted"]


def overdue(session: Session, context: Context) -> Sequence[str]:
    """The consents with a question that was not answered in time."""
    late = select(Out.consent_id).where(Out.state == "accepted", Out.decide_by < context.now())
    return session.scalars(late.distinct().order_by(Out.consent_id).limit(BATCH_MAX)).all()


def end(session: Session, context: Context, consent_id: str) -> int:
    """Take back for the companies that the person did not answer in time; how many.

    One consent in one transaction: its person may answer for another company at this moment.
    """
    now = context.now()
    late = [
        row.recipient
        for row in _waiting(session, consent_id)
        if row.decide_by is not None and row.decide_by < now
    ]
    return erasures.withdraw(session, context, consent_id, late, actor="worker") if late else 0


def give_points_back(session: Session, context: Context) -> int:
    """Give back what was paid for profiles that stayed here; for how many referrals.

    What never came does not go back: only an entry that stands in the ledger is looked at, and one
    that is not the promised payment settles it, too, since its id can never be another. To tell
    it we need the receipt of our letter, to which the payment commits.
    """
    entry, asked, letter = models.LedgerEntry, models.Erasure, models.OutboxEntry
    query = (
        select(Out, asked.withdrawal)
        .join(entry, (entry.account == Out.recipient) & (entry.entry_id == Out.entry_id))
        .join(asked, (asked.referral_id == Out.id) & (asked.peer == Out.recipient))
        .join(letter, letter.id == Out.envelope_id)
        .where(letter.receipt.is_not(None))
        .where(Out.state == "withdrawn", Out.asks_first, Out.released_at.is_(None))
        .where(Out.point_settled_at.is_(None), asked.direction == "out")
        .order_by(Out.id)
        .limit(BATCH_MAX)
        .with_for_update(of=Out, skip_locked=True)
    )
    found = session.execute(query).all()
    paid = referrals.paid(session, context, [row for row, _ in found])
    for row, withdrawal in found:
        row.point_settled_at = context.now()
        if row.id in paid:
            referrals.give_back(session, context, row, withdrawal)
    return len(paid)
