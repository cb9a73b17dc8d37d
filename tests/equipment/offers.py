"""Referrals ready to travel: a consenting applicant of a node, offered to another member.

The services of applicants and consents have their own tests; here stand only the rows they leave.
"""

import secrets

from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.database import Database
from node.services import persons, referrals
from protocol import Card, Grounds, Profile

CARD = Card(
    "midcareer", "25", "ソフトウェア開発", 7, ("Python",), ("日本語",), "interview_final", ""
)
PROFILE = Profile.from_json(
    {
        "basics": {"name": "髙橋 真紀", "email": "maki@example.jp", "phone": "+819000000001"},
        "work": [{"name": "例示株式会社", "position": "開発", "startDate": "2019-04"}],
        "x-jp": {"familyNameKana": "タカハシ", "givenNameKana": "マキ"},
    }
)
DAY_S = 86_400


def offer(context: Context, database: Database, to: str) -> str:
    """Offer one more person to a member; the referral's id."""
    grounds = Grounds(
        "consent0001", context.now(), "1", "0" * 64, ("name", "work"), "応募により本人から取得"
    )
    with database.transaction() as session:
        applicant, consent = _consenting(session, context)
        return referrals.refer(
            session,
            context,
            consent_id=consent,
            applicant_id=applicant,
            recipient=to,
            card=CARD,
            grounds=grounds,
            profile=PROFILE,
            resume=None,
            send_profile_now=False,
            share_progress=True,
        )


def accept_everything(context: Context, database: Database) -> None:
    """Let a node accept every card by its rule, as agencies do."""
    with database.transaction() as session:
        referrals.write_rule(
            session,
            context,
            active=True,
            monthly_cap=1000,
            applicant_types=(),
            regions=(),
            user_id="hanako",
        )


def _consenting(session: Session, context: Context) -> tuple[str, str]:
    applicant, link, consent = (secrets.token_hex(16) for _ in range(3))
    cipher = persons.begin(session, context, applicant)
    moment = context.now()
    session.add(
        models.Applicant(
            id=applicant,
            person_id=applicant,
            person_blob=cipher.encrypt("applicants.person_blob", applicant, b"{}"),
            job="",
            stage="",
            stage_code="interview_final",
            status="rejected",
            applicant_type="midcareer",
            created_at=moment,
            updated_at=moment,
        )
    )
    session.flush()
    session.add(
        models.Link(
            id=link,
            applicant_id=applicant,
            token_hash=secrets.token_bytes(32),
            created_at=moment,
            expires_at=moment + DAY_S,
        )
    )
    session.flush()
    session.add(
        models.Consent(
            id=consent,
            applicant_id=applicant,
            link_id=link,
            state="given",
            sealed_blob=b"",
            language="ja",
            page_hash=bytes(32),
            given_at=moment,
            created_at=moment,
        )
    )
    session.flush()
    return applicant, consent
