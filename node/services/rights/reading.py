"""Reading: all that we hold of a person, and what went where.  個人情報保護法 33; DOMAIN 2.4 C8."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services import charter as charters
from node.services import erasures, records, referrals, relays
from node.services.consents import ConsentNotThere
from node.services.consents.drafts import COLUMN, cipher_of
from node.services.referrals import state_shown
from node.services.rights.proof import applicant_of, consent_of, person_of


def copy_of(session: Session, context: Context, token: str) -> dict[str, Any]:
    """All that we hold of the person, and what went where, as JSON; ask for the proof first."""
    consent = consent_of(session, token)
    applicant = applicant_of(session, consent)
    person = person_of(session, context, consent)
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
        "received": _received(session, context, applicant),
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


def _received(
    session: Session, context: Context, applicant: models.Applicant
) -> dict[str, Any] | None:
    """How the profile came to us, where another company handed it on, and what we hold of it."""
    chain = relays.chain_of(session, applicant.id)
    if chain is None:
        return None
    profile = relays.profile_of(session, context, applicant)
    return {
        "company": chain.giver.legal_name,
        "received": _moment(context, chain.given_at),
        "consented": _moment(context, chain.consented_at),
        "had_it_from_another_company": chain.had_it_from_another,
        "profile": None if profile is None else profile.content,
        "pdf": relays.has_resume(session, applicant.id),
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
