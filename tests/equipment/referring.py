"""Referrals for tests: a person who consented, offered to a member; what each side holds."""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from sqlalchemy import select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.database import Database
from node.services import ledger, outbox, persons, referrals
from protocol import Card, Grounds, Profile
from tests.equipment import pdf_files
from tests.equipment.alliance import MEMBERS, Alliance, House, found_alliance
from tests.equipment.databases import Databases

CARD = Card(
    "midcareer", "25", "ソフトウェア開発", 7, ("Python",), ("日本語",), "interview_final", ""
)
PDF = pdf_files.large()
PROFILE_OF_MAKI = Profile.from_json(
    {
        "basics": {"name": "髙橋 真紀", "email": "maki@example.jp", "phone": "+819000000001"},
        "work": [{"name": "例示株式会社", "position": "開発", "startDate": "2019-04"}],
        "x-jp": {
            "familyNameKana": "タカハシ",
            "givenNameKana": "マキ",
            "resumeFile": {
                "mime": "application/pdf",
                "sha256": hashlib.sha256(PDF).hexdigest(),
                "size": len(PDF),
            },
        },
    }
)
DAY_S = 86_400


@contextmanager
def alliance_on(databases: Databases) -> Iterator[Alliance]:
    """Four members on four databases of one engine."""
    with ExitStack() as stack:
        opened = [Database(stack.enter_context(databases.fresh()), unsafe=True) for _ in MEMBERS]
        for database in opened:
            stack.callback(database.close)
        yield found_alliance(opened)


def refer(
    house: House,
    to: str,
    *,
    now: bool = False,
    resume: bytes | None = None,
    share: bool = True,
    ask: bool = False,
) -> str:
    """A consent of a new applicant of the house, sent to one member."""
    context = house.context
    grounds = Grounds(
        "consent0001", context.now(), "1", "0" * 64, ("name", "work"), "応募により本人から取得"
    )
    with house.database.transaction() as session:
        applicant, consent = _consenting(session, context)
        return referrals.refer(
            session,
            context,
            consent_id=consent,
            applicant_id=applicant,
            recipient=to,
            card=CARD,
            grounds=grounds,
            profile=PROFILE_OF_MAKI,
            resume=resume,
            send_profile_now=now,
            share_progress=share,
            asks_first=ask,
        )


def _consenting(session: Session, context: Context) -> tuple[str, str]:
    """An applicant with a link and a given consent; their own services are tested elsewhere."""
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


def received(house: House) -> models.ReferralIn:
    with house.database.reading() as session:
        return session.scalars(select(models.ReferralIn)).one()


def sent(house: House, referral_id: str) -> models.ReferralOut:
    with house.database.reading() as session:
        return referrals.sent_of(session, referral_id)


def accept(house: House, referral_id: str) -> None:
    with house.database.transaction() as session:
        referrals.accept(session, house.context, referral_id, user_id="hanako")


def letter(house: House, to: str, kind: str, payload: bytes) -> None:
    """A letter that the house's own services would not write now; a hostile peer's would."""
    with house.database.transaction() as session:
        outbox.enqueue(session, house.context, recipient=to, kind=kind, payload=payload)


def owed(house: House) -> list[tuple[str, str, int]]:
    with house.database.reading() as session:
        return [(each.kind, each.to, each.points) for each in ledger.waiting(session)]
