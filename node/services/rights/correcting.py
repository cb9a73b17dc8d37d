"""Correcting: a person mends the profile here and wherever it went.  個人情報保護法 34."""

import json
from collections.abc import Mapping

from sqlalchemy.orm import Session

from node.context import Context
from node.services import audit, referrals
from node.services.applicants import normalisation, people
from node.services.consents import ConsentNotThere
from node.services.consents.drafts import COLUMN, cipher_of
from node.services.rights.proof import applicant_of, consent_of, person_of
from node.services.rights.reading import copy_of
from protocol import JSON, Profile

# Field of the page -> field of the profile.
BASICS = {"phone": "phone", "summary": "summary"}
JAPAN = {
    "family_name": "familyName",
    "given_name": "givenName",
    "family_kana": "familyNameKana",
    "given_kana": "givenNameKana",
}


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
    applicant, person = applicant_of(session, consent), person_of(session, context, consent)
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
