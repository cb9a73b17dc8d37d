"""From answers to documents: the anonymous card, and the profile behind it.  DOMAIN 6.1.

One place makes both, for the preview and for the letter alike: what is shown is what is sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from node.services import records, referrals
from node.services.consents import tongues
from node.services.consents.answers import PREFECTURES, Answers
from node.services.consents.resumes import Resume
from protocol import JSON, Card, Profile

# Steps that were reached, and nothing about how it went on: no answer, decline or withdrawal.
REACHED_STAGES = frozenset(
    "applied screening test interview_1 interview_2 interview_n interview_final".split()
)
YEN = 10_000


@dataclass(frozen=True, slots=True)
class Facts:
    """What the node knows beside the person's own answers."""

    email: str
    stage_code: str
    hide_source: bool
    hide_stage: bool
    resume: Resume | None

    @property
    def reached_stage(self) -> str:
        """The step to tell, or nothing."""
        told = self.stage_code in REACHED_STAGES and not self.hide_stage
        return self.stage_code if told else ""


def card_of(answers: Answers, facts: Facts) -> Card:
    """The summary without name, school, employer or free text; `answers` are the meant ones."""
    about, experience = answers["about"], answers["experience"]
    return Card(
        applicant_type=about["applicant_type"],
        region=about.get("prefecture", ""),
        occupation=about.get("occupation", ""),
        experience_years=experience["experience_years"],
        skills=tuple(experience.get("skills", ())),
        languages=tuple(
            tongues.on_card(row["language"], row.get("fluency", "")) for row in answers["languages"]
        ),
        reached_stage=facts.reached_stage,
        available_from=about.get("available_from", ""),
    )


def profile_of(answers: Answers, facts: Facts) -> Profile:
    """The identified record: only what was entered, nothing empty, nothing added."""
    about, experience = answers["about"], answers["experience"]
    content: dict[str, JSON] = {
        "basics": _basics(about, experience, facts),
        "x-jp": _japan(about, facts),
    }
    rows: dict[str, list[JSON]] = {
        "work": [_work(row) for row in answers["work"]],
        "education": [_education(row) for row in answers["education"]],
        "skills": [{"name": skill} for skill in experience.get("skills", ())],
        "languages": [_kept(row) for row in answers["languages"]],
        "certificates": [_kept(row) for row in answers["certificates"]],
    }
    content |= {section: found for section, found in rows.items() if found}
    return Profile.from_json(content)


def items_of(
    profile: Profile, facts: Facts, *, asks_first: bool, share_progress: bool
) -> tuple[str, ...]:
    """The kinds of data a partner gets, by stable names, for the records of both sides."""
    items = ["card", *records.items_in(profile)]
    items.append("source-hidden" if facts.hide_source else "source")
    if asks_first:
        items.append(referrals.ASKS_FIRST)
    if share_progress:
        items.append("progress")
    return tuple(items)


def _basics(about: dict[str, Any], experience: dict[str, Any], facts: Facts) -> JSON:
    name = f"{about['family_name']} {about.get('given_name', '')}".strip()
    location = _kept(
        {
            "region": PREFECTURES.get(about.get("prefecture", ""), ""),
            "city": about.get("city", ""),
        }
    )
    basics = _kept(
        {
            "name": name,
            "label": about.get("label", ""),
            "email": facts.email,
            "phone": about.get("phone", ""),
            "summary": experience.get("summary", ""),
        }
    )
    if location:
        basics["location"] = location | {"countryCode": "JP"}
    return basics


def _japan(about: dict[str, Any], facts: Facts) -> JSON:
    japan = _kept(
        {
            "familyName": about["family_name"],
            "givenName": about.get("given_name", ""),
            "familyNameKana": about.get("family_kana", ""),
            "givenNameKana": about.get("given_kana", ""),
            "applicantType": about["applicant_type"],
            "graduationYear": about.get("graduation_year"),
            "availableFrom": about.get("available_from", ""),
            "reachedStage": facts.reached_stage,
            "desiredRegions": about.get("desired_regions") or None,
        }
    )
    if about.get("occupation"):
        japan["desiredOccupation"] = [about["occupation"]]
    if about.get("desired_pay") is not None:
        japan["desiredSalaryMin"] = about["desired_pay"] * YEN
    if facts.hide_source:
        japan["sourceHidden"] = True
    if facts.resume is not None:
        japan["resumeFile"] = {
            "mime": "application/pdf",
            "sha256": facts.resume.sha256,
            "size": facts.resume.size,
        }
    return japan


def _work(row: dict[str, Any]) -> JSON:
    return _kept(
        {
            "name": row["name"],
            "position": row.get("position", ""),
            "startDate": row.get("start", ""),
            "endDate": row.get("end", ""),
            "summary": row.get("summary", ""),
        }
    )


def _education(row: dict[str, Any]) -> JSON:
    return _kept(
        {
            "institution": row["institution"],
            "area": row.get("area", ""),
            "studyType": row.get("study_type", ""),
            "startDate": row.get("start", ""),
            "endDate": row.get("end", ""),
        }
    )


def _kept(values: dict[str, Any]) -> dict[str, JSON]:
    """Without what was left blank: an empty text says less than no text."""
    return {name: value for name, value in values.items() if value not in ("", None)}
