"""The review of a draft: who gets what, who gets nothing and why, and what is still missing.

It is what a person looks at before asking for a batch, and its digest is what they then ask for:
if anything changed in between, the request is refused and they look again.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services import charter as charters
from node.services import relays, templates
from node.services.applicants import Person
from node.services.notices import booking, letter, recipients
from node.services.notices.letter import Company, Occasion, Sender
from node.services.notices.recipients import Standing
from node.services.templates import lint

# How the link looks in a preview: as long as a real one, and opening nothing.
SAMPLE_TOKEN = "preview--" + "x" * 13


@dataclass(frozen=True, slots=True)
class Missing:
    """One person for whom the text has gaps, by the names of the variables."""

    applicant_id: str
    name: str
    variables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter as it would leave now."""

    applicant_id: str
    name: str
    email: str
    subject: str
    body: str
    with_link: bool
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """A draft as it stands now.  Ids are those of applicants, in the order of the choice."""

    to_send: tuple[str, ...]
    with_link: tuple[str, ...]
    by_reason: Mapping[str, tuple[str, ...]]  # told, but without a link
    left_out: Mapping[str, tuple[str, ...]]
    missing: tuple[Missing, ...]
    jobs: Mapping[str, int]
    findings: tuple[lint.Finding, ...]
    sender_complete: bool
    slot: int
    digest: str


def review(session: Session, context: Context, batch: models.NoticeBatch) -> Review:
    """Look at a draft as it stands now."""
    occasion = occasion_of(session, context, batch)
    standings = _standings(session, context, batch)
    grouped: dict[str, dict[str, list[str]]] = {"link": {}, "plain": {}, "out": {}}
    for applicant_id, standing in standings.items():
        group, reason = _lot(standing, batch, has_link=occasion.text.has_link)
        grouped[group].setdefault(reason, []).append(applicant_id)
    with_link = tuple(grouped["link"].get("", ()))
    plain = {reason: tuple(ids) for reason, ids in grouped["plain"].items()}
    chosen = {*with_link, *(one for ids in plain.values() for one in ids)}
    to_send = tuple(one for one in standings if one in chosen)

    rows = [_row(standings[one]) for one in to_send]
    people = recipients.people(session, context, rows)
    missing = _missing(occasion, rows, people, set(with_link))
    prints = [recipients.fingerprint(context, row, people[row.id]).hex() for row in rows]
    jobs = Counter(_row(standings[one]).job or "―" for one in to_send)
    return Review(
        to_send=to_send,
        with_link=with_link,
        by_reason=plain,
        left_out={reason: tuple(ids) for reason, ids in grouped["out"].items()},
        missing=missing,
        jobs=dict(jobs.most_common()),
        findings=lint.findings(occasion.text.subject, occasion.text.body),
        sender_complete=all(vars_of(occasion.sender)),
        slot=booking.slot(context, wished_at=batch.wished_at),
        digest=_digest(batch, sorted(zip(to_send, prints, strict=True)), with_link),
    )


def preview(
    session: Session, context: Context, batch: models.NoticeBatch, applicant_id: str
) -> Letter | None:
    """Return the letter to one person of a batch; None when that person gets none."""
    occasion = occasion_of(session, context, batch)
    standing = recipients.judge(session, context, [applicant_id], batch_id=batch.id)[applicant_id]
    row = standing.applicant
    group, _ = _lot(standing, batch, has_link=occasion.text.has_link)
    if row is None or group == "out":
        return None
    person = recipients.people(session, context, [row])[applicant_id]
    url = f"{context.settings.public_url}/l/{SAMPLE_TOKEN}"
    given = letter.values(occasion, person, job=row.job, stage=row.stage, url=url)
    missing = letter.missing(occasion.text, given, with_link=group == "link")
    shown = {name: value or "{{" + name + "}}" for name, value in given.items()}
    handed_on = bool(relays.handed_on(session, [row.id]))
    subject, body = letter.compose(occasion, shown, with_link=group == "link", handed_on=handed_on)
    return Letter(applicant_id, person.name, person.email, subject, body, group == "link", missing)


def occasion_of(session: Session, context: Context, batch: models.NoticeBatch) -> Occasion:
    """Return what is the same for every letter of this batch."""
    us = charters.describing(session, context.member_id)
    return Occasion(
        text=templates.text_of(session, batch.template_id, batch.version),
        sender=sender_of(batch),
        company=Company(us.legal_name, us.address),
        leaves_at=batch.scheduled_at or booking.slot(context, wished_at=batch.wished_at),
        zone=context.settings.time_zone,
        kept_days=context.settings.applicant_days,
    )


def sender_of(batch: models.NoticeBatch) -> Sender:
    """Return who signs this batch."""
    return Sender(
        batch.sender_name, batch.sender_department, batch.sender_phone, batch.sender_email
    )


def vars_of(sender: Sender) -> tuple[str, str, str, str]:
    """Return the fields of a sender, to see whether each is filled."""
    return sender.name, sender.department, sender.phone, sender.email


def _standings(
    session: Session, context: Context, batch: models.NoticeBatch
) -> dict[str, Standing]:
    notice = models.Notice
    rows = select(notice.applicant_id).where(notice.batch_id == batch.id).order_by(notice.id)
    return recipients.judge(session, context, list(session.scalars(rows)), batch_id=batch.id)


def _lot(standing: Standing, batch: models.NoticeBatch, *, has_link: bool) -> tuple[str, str]:
    """Say what falls to one person: a letter with link, a plain one, or none; and why."""
    if not standing.told:
        return "out", standing.reason or ""
    if standing.link and has_link:
        return "link", ""
    if has_link and batch.excluded_get == "nothing":
        return "out", standing.reason or ""
    # In a template without links nobody is an exception.
    return "plain", (standing.reason or "") if has_link else ""


def _row(standing: Standing) -> models.Applicant:
    assert standing.applicant is not None, "who is told is in the list"
    return standing.applicant


def _missing(
    occasion: Occasion,
    rows: Sequence[models.Applicant],
    people: Mapping[str, Person],
    with_link: set[str],
) -> tuple[Missing, ...]:
    found = []
    for row in rows:
        person = people[row.id]
        given = letter.values(occasion, person, job=row.job, stage=row.stage, url=SAMPLE_TOKEN)
        gaps = letter.missing(occasion.text, given, with_link=row.id in with_link)
        # Who signs is one question about the batch, not one about each person.
        gaps = tuple(name for name in gaps if name not in letter.OF_THE_SENDER)
        if gaps:
            found.append(Missing(row.id, person.name, gaps))
    return tuple(found)


def _digest(
    batch: models.NoticeBatch, letters: Sequence[tuple[str, str]], with_link: tuple[str, ...]
) -> str:
    """Sum up what was looked at: the words, who signs, who gets which letter, and who a link."""
    shown = [
        batch.template_id,
        batch.version,
        *vars_of(sender_of(batch)),
        batch.wished_at,
        letters,
        sorted(with_link),
    ]
    return hashlib.sha256(json.dumps(shown, ensure_ascii=False).encode()).hexdigest()
