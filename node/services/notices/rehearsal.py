"""Rehearsals: the letter to a person who does not exist, to look at and to send to oneself."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.i18n import tag_of, translator
from node.services import audit, mailing
from node.services import charter as charters
from node.services.notices import booking, letter
from node.services.notices.batches import get
from node.services.notices.letter import Company, Occasion, Sender
from node.services.notices.refusals import SenderIncomplete
from node.services.notices.review import SAMPLE_TOKEN, occasion_of, vars_of
from node.services.templates import Text


@dataclass(frozen=True, slots=True)
class Nobody:
    """A person who does not exist."""

    name: str
    family: str


NOBODY = {"ja": Nobody("山田 太郎", "山田"), "en": Nobody("Taro Yamada", "Yamada")}
SIGNED = {
    "ja": Sender("佐藤 花子", "人事部", "03-0000-0000", "saiyo@example.jp"),
    "en": Sender("Hanako Sato", "Human Resources", "+81 3 0000 0000", "saiyo@example.jp"),
}
APPLIED = {"ja": ("営業職", "一次面接"), "en": ("Sales", "first interview")}


def sample(
    session: Session, context: Context, text: Text, *, with_link: bool = True
) -> tuple[str, str]:
    """Return subject and letter of a template, to nobody, signed by nobody."""
    us = charters.describing(session, context.member_id)
    occasion = Occasion(
        text=text,
        sender=SIGNED[tag_of(text.language)],
        company=Company(us.legal_name, us.address),
        leaves_at=booking.slot(context, wished_at=None),
        zone=context.settings.time_zone,
        kept_days=context.settings.applicant_days,
    )
    return _to_nobody(context, occasion, with_link=with_link and text.has_link)


def send_test(
    session: Session, context: Context, batch_id: str, *, user_id: str
) -> models.NoticeBatch:
    """Send the batch's letter to its own sender, addressed to nobody: no real data leaves."""
    batch = get(session, batch_id)
    occasion = occasion_of(session, context, batch)
    if not all(vars_of(occasion.sender)):
        raise SenderIncomplete
    subject, body = _to_nobody(context, occasion, with_link=occasion.text.has_link)
    say = translator(occasion.text.language)
    mailing.enqueue(
        session,
        context,
        to=occasion.sender.email,
        subject=say("[Test] %(subject)s", subject=subject),
        text=body,
        purpose="test",
        subject_id=batch.id,
    )
    audit.record(session, context, actor=user_id, action="notices.test", subject=batch.id)
    return batch


def _to_nobody(context: Context, occasion: Occasion, *, with_link: bool) -> tuple[str, str]:
    language = tag_of(occasion.text.language)
    job, stage = APPLIED[language]
    url = f"{context.settings.public_url}/l/{SAMPLE_TOKEN}"
    given = letter.values(occasion, NOBODY[language], job=job, stage=stage, url=url)
    shown = {name: value or "{{" + name + "}}" for name, value in given.items()}
    return letter.compose(occasion, shown, with_link=with_link)
