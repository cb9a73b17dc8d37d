"""Drafts: what a person has chosen and entered so far, kept on the server.

A draft belongs to a link. The back button, a closed page and a second device lose nothing, and
whoever has the link's page open twice works on the same draft. It is encrypted under the person's
key; nothing of it leaves this node before the consent is given.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.keyring import PersonCipher, PersonKeyErased
from node.services import audit, links, persons, relays
from node.services.applicants import exclusion, people
from node.services.consents import refusals
from node.services.consents.answers import Answers
from node.services.consents.prefill import answers_of, completed
from protocol import MEMBER, Member

COLUMN = "consents.sealed_blob"
# Partners abroad need further information beforehand (個人情報保護法 28), which is not built.
COUNTRY = "JP"


@dataclass(frozen=True, slots=True)
class Draft:
    """One consent in the making; `answers` are as typed, `chosen` are member ids."""

    id: str
    applicant_id: str
    link_id: str
    state: str
    chosen: tuple[str, ...] = ()
    hide_source: bool = False
    hide_stage: bool = False
    share_progress: bool = False
    profile_at_once: bool = False
    asks_first: bool = False  # the profile follows an acceptance only after a yes
    decided: bool = False  # how to send was looked at once
    answers: Answers = field(default_factory=dict, repr=False)
    # Which groups of answers the person has looked at and sent, since a prefilled one may be wrong.
    checked: tuple[str, ...] = ()


def begin(session: Session, context: Context, link: models.Link, language: str) -> Draft:
    """The draft of this link, made now if the person comes for the first time; by POST only."""
    # Two taps at once wait for each other here, so that there is one draft.
    session.scalar(select(models.Link.id).where(models.Link.id == link.id).with_for_update())
    applicant = _open_applicant(session, context, link.applicant_id)
    links.mark_opened(session, context, link.id)
    row = _row(session, link.id)
    if row is None:
        person = people.person_of(session, context, applicant)
        draft = Draft(
            id=uuid.uuid4().hex,
            applicant_id=applicant.id,
            link_id=link.id,
            state="draft",
            answers=_first_answers(session, context, applicant, person),
        )
        session.add(
            models.Consent(
                id=draft.id,
                applicant_id=applicant.id,
                link_id=link.id,
                sealed_blob=_seal(cipher_of(session, context, applicant), draft),
                language=language,
                created_at=context.clock.now(),
            )
        )
        session.flush()
        return draft
    return load(session, context, link.id)


def _first_answers(
    session: Session, context: Context, applicant: models.Applicant, person: people.Person
) -> Answers:
    answers = answers_of(person, applicant.applicant_type)
    handed = relays.profile_of(session, context, applicant)
    return answers if handed is None else completed(answers, handed)


def load(session: Session, context: Context, link_id: str, *, lock: bool = False) -> Draft:
    """The draft of a link; ConsentNotThere before `begin`."""
    row = _row(session, link_id, lock=lock)
    if row is None:
        raise refusals.ConsentNotThere
    applicant = _open_applicant(session, context, row.applicant_id)
    blob = cipher_of(session, context, applicant).decrypt(COLUMN, row.id, row.sealed_blob)
    content = json.loads(blob)
    chosen = session.scalars(
        select(models.ConsentChoice.member).where(models.ConsentChoice.consent_id == row.id)
    )
    return Draft(
        id=row.id,
        applicant_id=row.applicant_id,
        link_id=link_id,
        state=row.state,
        chosen=tuple(sorted(chosen)),
        hide_source=content["hide_source"],
        hide_stage=content["hide_stage"],
        share_progress=content["share_progress"],
        profile_at_once=content["profile_at_once"],
        # Drafts of before this could be wished for.
        asks_first=content.get("asks_first", False),
        decided=content["decided"],
        answers=content["answers"],
        checked=tuple(content["checked"]),
    )


def edit(session: Session, context: Context, link_id: str) -> Draft:
    """The draft, held for a change; refused once the consent is given."""
    draft = load(session, context, link_id, lock=True)
    if draft.state not in ("draft", "verified"):
        raise refusals.ConsentGiven
    return draft


def offered(session: Session, context: Context, applicant_id: str) -> list[Member]:
    """The companies a person may choose from, in the charter's order; none once we have left.

    Somebody who was referred to us is not offered to those who have the profile already.
    """
    applicant = session.get(models.Applicant, applicant_id)
    assert applicant is not None, "a link has its applicant, the schema says"
    have = {context.member_id} | relays.acquainted(session, applicant)
    charter = context.charter(session)
    if context.member_id not in charter.by_id:
        return []
    return [
        member
        for member in charter.members
        if member.role == MEMBER and member.id not in have and member.country == COUNTRY
    ]


def choose(
    session: Session,
    context: Context,
    link_id: str,
    *,
    shown: Sequence[str],
    ticked: Collection[str],
) -> Draft:
    """Record the ticks of one screen; what other screens showed stays as it is."""
    draft = edit(session, context, link_id)
    known = {member.id for member in offered(session, context, draft.applicant_id)}
    if not set(shown) <= known or not set(ticked) <= set(shown):
        raise refusals.PartnerNotOffered

    chosen = (set(draft.chosen) - set(shown)) | set(ticked)
    session.execute(delete(models.ConsentChoice).where(models.ConsentChoice.consent_id == draft.id))
    for member in sorted(chosen & known):
        session.add(
            models.ConsentChoice(
                consent_id=draft.id, member=member, profile_at_once=draft.profile_at_once
            )
        )
    session.flush()
    return replace(draft, chosen=tuple(sorted(chosen & known)))


def decide(
    session: Session,
    context: Context,
    link_id: str,
    *,
    hide_source: bool,
    hide_stage: bool,
    share_progress: bool,
    profile_at_once: bool,
    asks_first: bool = False,
) -> Draft:
    """Record how the data is to be sent; nobody is asked about a profile that goes at once."""
    draft = replace(
        edit(session, context, link_id),
        hide_source=hide_source,
        hide_stage=hide_stage,
        share_progress=share_progress,
        profile_at_once=profile_at_once,
        asks_first=asks_first and not profile_at_once,
        decided=True,
    )
    for row in session.scalars(
        select(models.ConsentChoice).where(models.ConsentChoice.consent_id == draft.id)
    ):
        row.profile_at_once = profile_at_once
    return _save(session, context, draft)


def answer(
    session: Session, context: Context, link_id: str, given: Answers, *, checked: str
) -> Draft:
    """Keep what was typed on one page, right or wrong; `checked` names the page when it is right.

    `given` replaces whole groups of the answers: what the page showed.
    """
    draft = edit(session, context, link_id)
    seen = tuple(sorted({*draft.checked, checked} - {""}))
    return _save(session, context, replace(draft, answers={**draft.answers, **given}, checked=seen))


def open_link(session: Session, context: Context, link_id: str) -> models.Link:
    """The link of a page that is open already; refused when it is dead by now."""
    link = session.get(models.Link, link_id)
    if link is None:
        raise links.LinkUnknown
    if link.revoked_at is not None:
        raise links.LinkRevoked
    if link.used_at is None and context.now() >= link.expires_at:
        raise links.LinkExpired
    return link


def refuse_contact(session: Session, context: Context, link: models.Link) -> None:
    """Honour "do not contact me again": for good, and for this link too; asked twice, once."""
    person = _person_behind(session, context, link)
    if person is None:
        return  # no address is left to write to
    is_new = not exclusion.is_suppressed(session, context, person)
    exclusion.suppress(session, context, person)
    links.revoke(session, context, [link.id])
    if is_new:
        audit.record(
            session, context, actor="applicant", action="contact.refused", subject=link.applicant_id
        )


def has_refused_contact(session: Session, context: Context, link: models.Link) -> bool:
    """Whether nobody will write to the person of this link any more."""
    person = _person_behind(session, context, link)
    return person is None or exclusion.is_suppressed(session, context, person)


def _person_behind(session: Session, context: Context, link: models.Link) -> people.Person | None:
    applicant = session.get(models.Applicant, link.applicant_id)
    assert applicant is not None, "a link has its applicant, the schema says"
    try:
        return people.person_of(session, context, applicant)
    except PersonKeyErased:
        return None


def cipher_of(session: Session, context: Context, applicant: models.Applicant) -> PersonCipher:
    """The cipher of this person's data; refused when it was erased."""
    try:
        return persons.cipher(session, context, applicant.person_id)
    except PersonKeyErased:
        raise refusals.LinkNotForYou from None


def applicant_of(session: Session, draft: Draft) -> models.Applicant:
    """The row of the person whose draft it is."""
    applicant = session.get(models.Applicant, draft.applicant_id)
    assert applicant is not None, "a consent has its applicant, the schema says"
    return applicant


def _open_applicant(session: Session, context: Context, applicant_id: str) -> models.Applicant:
    """The applicant, unless the law or the person said that nothing may be passed on."""
    applicant = session.get(models.Applicant, applicant_id)
    if applicant is None or exclusion.reason_for(session, context, applicant_id) is not None:
        # DOMAIN 2.7. The page does not say why: the reason never leaves this node.
        raise refusals.LinkNotForYou
    return applicant


def _row(session: Session, link_id: str, *, lock: bool = False) -> models.Consent | None:
    rows = select(models.Consent).where(models.Consent.link_id == link_id)
    return session.scalar(rows.with_for_update() if lock else rows)


def _seal(cipher: PersonCipher, draft: Draft) -> bytes:
    content = {
        "hide_source": draft.hide_source,
        "hide_stage": draft.hide_stage,
        "share_progress": draft.share_progress,
        "profile_at_once": draft.profile_at_once,
        "asks_first": draft.asks_first,
        "decided": draft.decided,
        "answers": draft.answers,
        "checked": list(draft.checked),
    }
    return cipher.encrypt(COLUMN, draft.id, json.dumps(content, ensure_ascii=False).encode())


def _save(session: Session, context: Context, draft: Draft) -> Draft:
    row = session.get(models.Consent, draft.id)
    assert row is not None, "it was loaded in this transaction"
    row.sealed_blob = _seal(cipher_of(session, context, applicant_of(session, draft)), draft)
    session.flush()
    return draft
