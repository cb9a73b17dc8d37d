"""Rights: what a person who has consented may ask of us: take it back, read it, have it erased.

The page that the receipt leads to shows no name, so it may take a consent back by itself. Whoever
wants to read or erase the data proves the mailbox first, with a code: a receipt may have been
passed on.  個人情報保護法 33-35; DOMAIN 2.4 C8, C9.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.i18n import translator
from node.keyring import PersonKeyErased
from node.services import (
    audit,
    consents,
    erasures,
    links,
    mailing,
    records,
    referrals,
    relays,
)
from node.services import charter as charters
from node.services.applicants import erase as erase_person
from node.services.applicants import normalisation, people, suppress
from node.services.applicants.people import Person
from node.services.consents import ConsentNotThere, Outcome
from node.services.consents.drafts import COLUMN, cipher_of
from node.services.letters import Letter
from node.services.referrals import state_shown
from protocol import JSON, Profile, Withdrawal

# Field of the page -> field of the profile.
BASICS = {"phone": "phone", "summary": "summary"}
JAPAN = {
    "family_name": "familyName",
    "given_name": "givenName",
    "family_kana": "familyNameKana",
    "given_kana": "givenNameKana",
}


def consent_of(session: Session, token: str) -> models.Consent:
    """The given consent whose status page this token opens; ConsentNotThere for any other."""
    row = consents.given_by_token(session, token)
    if row is None:
        raise ConsentNotThere
    return row


def withdraw(session: Session, context: Context, token: str, member: str = "") -> int:
    """Take the consent back for one company, or for all; for how many it was done now."""
    consent = consent_of(session, token)
    return erasures.withdraw(session, context, consent.id, [member] if member else None)


# --- The proof of the mailbox. ---


def mailbox(session: Session, context: Context, token: str) -> str:
    """Where a code would go; empty once the person is erased here."""
    person = _person(session, context, consent_of(session, token))
    return "" if person is None else person.email


def send_code(session: Session, context: Context, token: str, language: str) -> None:
    """Mail a code to the address that the link was sent to, and to no other."""
    consent = consent_of(session, token)
    person = _person(session, context, consent)
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


# --- Reading. ---


def copy_of(session: Session, context: Context, token: str) -> dict[str, Any]:
    """All that we hold of the person, and what went where, as JSON; ask for the proof first."""
    consent = consent_of(session, token)
    applicant = _applicant(session, consent)
    person = _person(session, context, consent)
    if person is None:
        raise ConsentNotThere
    sent = referrals.of_consent(session, consent.id)
    asked = erasures.by_referral(session, [row.id for row in sent])
    cipher = cipher_of(session, context, applicant)
    content = json.loads(cipher.decrypt(COLUMN, consent.id, consent.sealed_blob))
    return {
        "person": person._asdict(),
        "application": {
            "job": applicant.job,
            "stage": applicant.stage,
            "applied": _day(context, applicant.applied_on),
            "source": applicant.source,
        },
        "received": _received(session, context, applicant.id),
        "consent": {
            "id": consent.id,
            "given": _moment(context, consent.given_at),
            "withdrawn": _moment(context, consent.withdrawn_at),
            "language": consent.language,
            "page": content["page"],
            "receipt": content["receipt"],
            "profile": content["profile"],
        },
        "sent": [_sent(session, context, row, asked.get(row.id)) for row in sent],
        "records": [
            {
                "provided": _moment(context, entry.row.provided_at),
                "to": entry.row.peer_name,
                "items": list(entry.items),
                "kept_until": _day(context, entry.row.kept_until - 1),
            }
            for entry in records.provided(
                session, context, consent.id, [row.recipient for row in sent], consent.given_at or 0
            )
        ],
    }


def _received(session: Session, context: Context, applicant_id: str) -> dict[str, Any] | None:
    """How the profile came to us, where another company handed it on."""
    chain = relays.chain_of(session, applicant_id)
    if chain is None:
        return None
    return {
        "company": chain.giver.legal_name,
        "received": _moment(context, chain.given_at),
        "consented": _moment(context, chain.consented_at),
        "had_it_from_another_company": chain.had_it_from_another,
    }


def _sent(
    session: Session, context: Context, row: models.ReferralOut, asked: models.Erasure | None
) -> dict[str, Any]:
    company = charters.describing(session, row.recipient)
    erasure = asked and {
        "asked": _moment(context, asked.withdrawn_at),
        "by": _moment(context, asked.erase_by),
        "proven": _moment(context, asked.erased_at),
        "kept": asked.kept,
    }
    return {
        "company": company.legal_name,
        "address": company.address,
        "contact": company.contact,
        "sent": _moment(context, row.created_at),
        "profile_sent": _moment(context, row.released_at),
        "state": state_shown(row),
        "erasure": erasure,
    }


def _moment(context: Context, at: int | None) -> str | None:
    """A time as programs and people read it: ISO 8601 with the offset of the node's zone."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, context.settings.time_zone).isoformat()


def _day(context: Context, at: int | None) -> str | None:
    return None if at is None else context.day_of(at)


# --- Correcting. ---


def facts_of(session: Session, context: Context, token: str) -> dict[str, str]:
    """What of the profile a person may correct, as it stands; ask for the proof first."""
    profile = copy_of(session, context, token)["consent"]["profile"]
    basics, japan = profile["basics"], profile.get("x-jp", {})
    found = {name: str(basics.get(field, "")) for name, field in BASICS.items()}
    return found | {name: str(japan.get(field, "")) for name, field in JAPAN.items()}


def correct(session: Session, context: Context, token: str, values: Mapping[str, str]) -> int:
    """Correct the profile here and at every company that has it; how many get it now.

    An empty value takes a field out. Our own list is corrected too.
    """
    consent = consent_of(session, token)
    applicant, person = _applicant(session, consent), _person(session, context, consent)
    if person is None:
        raise ConsentNotThere
    cipher = cipher_of(session, context, applicant)
    content = json.loads(cipher.decrypt(COLUMN, consent.id, consent.sealed_blob))
    profile = _corrected(content["profile"], values)
    content["profile"] = profile.content
    consent.sealed_blob = cipher.encrypt(
        COLUMN, consent.id, json.dumps(content, ensure_ascii=False).encode()
    )
    mended = person._replace(
        name=profile.content["basics"]["name"],
        family=values["family_name"],
        given=values.get("given_name", ""),
        kana=f"{values.get('family_kana', '')} {values.get('given_kana', '')}".strip(),
        family_kana=values.get("family_kana", ""),
        given_kana=values.get("given_kana", ""),
        phone=normalisation.phone(values.get("phone", "")) or "",
    )
    people.rewrite(context, cipher, applicant, mended)
    audit.record(session, context, actor="applicant", action="data.corrected", subject=applicant.id)
    return referrals.correct(session, context, consent.id, profile, cipher)


def _corrected(content: JSON, values: Mapping[str, str]) -> Profile:
    basics, japan = dict(content["basics"]), dict(content.get("x-jp", {}))
    for part, fields in ((basics, BASICS), (japan, JAPAN)):
        for name, field in fields.items():
            if values.get(name):
                part[field] = values[name]
            else:
                part.pop(field, None)
    basics["name"] = f"{values['family_name']} {values.get('given_name', '')}".strip()
    return Profile.from_json({**content, "basics": basics, "x-jp": japan})


# --- Erasing. ---


def erase(session: Session, context: Context, token: str) -> None:
    """Take back every consent of the person, and destroy the key of all that we hold ourselves.

    What stays is what the law asks for: who got what, and when. A mail confirms it, the last one.
    """
    consent = consent_of(session, token)
    applicant = _applicant(session, consent)
    # Whoever presses twice at the same moment is erased, and told, once.
    key = models.PersonKey.person_id
    session.scalar(select(key).where(key == applicant.person_id).with_for_update())
    person = _person(session, context, consent)
    if person is None:
        return
    for each in _consents_of(session, applicant.person_id):
        erasures.withdraw(session, context, each.id)
    relays.forget_origin(session, context, applicant.person_id)
    destroy(session, context, applicant.person_id)
    _confirm(session, context, consent, person.email)
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
    # A consent that is being given at this moment is waited for, or finds nobody any more.
    link = models.Link
    theirs = select(link.id).where(link.applicant_id == applicant.id).order_by(link.id)
    session.scalars(theirs.with_for_update()).all()
    key = session.get(models.PersonKey, applicant.person_id, with_for_update=True)
    # Those further on may hold it still when our own copy has gone by the calendar.
    for each in _consents_of(session, applicant.person_id):
        erasures.withdraw(session, context, each.id, actor=actor)
    if key is None or key.wrapped is None:
        return
    destroy(session, context, applicant.person_id)
    # The occupation came with the card, which goes too.
    applicant.job = ""
    audit.record(session, context, actor=actor, action="person.erased", subject=applicant.id)


def _consents_of(session: Session, person_id: str) -> Sequence[models.Consent]:
    """Every consent of a person, who may have applied more than once."""
    table, applicant = models.Consent, models.Applicant
    query = select(table).join(applicant, applicant.id == table.applicant_id)
    return session.scalars(query.where(applicant.person_id == person_id)).all()


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


def _confirm(session: Session, context: Context, consent: models.Consent, email: str) -> None:
    us = charters.describing(session, context.member_id)
    say = translator(consent.language)
    paragraphs = [
        say("Your data has been erased here, as you asked."),
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
        to=email,
        subject=say("[%(company)s] Your data has been erased", company=us.legal_name),
        text="\n\n".join(paragraphs) + "\n",
        purpose="erasure",
        subject_id=consent.id,
    )


def stop_contact(session: Session, context: Context, token: str) -> None:
    """Honour "do not contact me again", for good. What was sent goes on."""
    consent = consent_of(session, token)
    person = _person(session, context, consent)
    if person is None:
        return
    suppress(session, context, person)
    audit.record(
        session, context, actor="applicant", action="contact.refused", subject=consent.applicant_id
    )


def _applicant(session: Session, consent: models.Consent) -> models.Applicant:
    applicant = session.get(models.Applicant, consent.applicant_id)
    assert applicant is not None, "a consent has its applicant, the schema says"
    return applicant


def _person(session: Session, context: Context, consent: models.Consent) -> Person | None:
    try:
        return people.person_of(session, context, _applicant(session, consent))
    except PersonKeyErased:
        return None
