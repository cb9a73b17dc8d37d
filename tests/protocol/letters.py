"""What the four write to each other about one person: a good letter of each kind."""

from typing import Any

from protocol import (
    Acceptance,
    AlreadyKnown,
    Attachment,
    Card,
    Decline,
    ErasureReceipt,
    Grounds,
    Hire,
    Profile,
    ProfileRelease,
    Progress,
    Referral,
    Withdrawal,
)
from tests.protocol.cast import NOW

REFERRAL_ID = "r" * 32

PROFILE: dict[str, Any] = {
    "basics": {
        "name": "山田 花子",
        "label": "法人営業",
        "email": "hanako@example.jp",
        "phone": "090-0000-0000",
        "summary": "八年間、法人営業に携わりました。",
        "location": {"region": "東京都", "city": "港区", "countryCode": "JP"},
    },
    "work": [
        {
            "name": "株式会社例",
            "position": "営業",
            "startDate": "2018-04",
            "endDate": "2026-03-31",
            "summary": "新規開拓",
            "highlights": ["表彰を二度受けました。"],
        }
    ],
    "education": [
        {
            "institution": "例大学",
            "area": "経済学",
            "studyType": "学士",
            "startDate": "2014",
            "endDate": "2018-03",
            "courses": ["統計"],
        }
    ],
    "skills": [{"name": "提案", "level": "上級", "keywords": ["見積", "契約"]}],
    "languages": [{"language": "英語", "fluency": "日常会話"}],
    "certificates": [{"name": "日商簿記検定二級", "date": "2017-11", "issuer": "商工会議所"}],
    "projects": [
        {
            "name": "刷新",
            "description": "顧客管理",
            "startDate": "2020",
            "endDate": "",
            "highlights": ["完了"],
            "keywords": ["CRM"],
        }
    ],
    "x-jp": {
        "familyName": "山田",
        "givenName": "花子",
        "familyNameKana": "ヤマダ",
        "givenNameKana": "ハナコ",
        "applicantType": "midcareer",
        "graduationYear": 2018,
        "desiredSalaryMin": 5_000_000,
        "desiredOccupation": ["営業"],
        "desiredRegions": ["13"],
        "availableFrom": "2026-05",
        "reachedStage": "interview_2",
        "sourceHidden": False,
        "resumeFile": {"mime": "application/pdf", "sha256": "a" * 64, "size": 1024},
    },
}

CARD = Card(
    applicant_type="midcareer",
    region="13",
    occupation="法人営業",
    experience_years=8,
    skills=("提案", "見積"),
    languages=("英語",),
    reached_stage="interview_2",
    available_from="2026-05",
)
GROUNDS = Grounds(
    consent="c" * 32,
    given_at=NOW,
    text_version="2026-04",
    page_hash="b" * 64,
    items=("氏名", "職歴"),
    acquired="応募の際に本人から",
)


def profile() -> Profile:
    """Every field that may be there."""
    return Profile.from_json(PROFILE)


def letters() -> dict[str, Any]:
    """A good letter of each kind, by the kind's name."""
    return {
        "profile": profile(),
        "referral": Referral(REFERRAL_ID, CARD, GROUNDS, NOW, NOW + 432_000, profile()),
        "acceptance": Acceptance(REFERRAL_ID, NOW, 1, "e" * 32, bytes(32)),
        "decline": Decline(REFERRAL_ID, NOW),
        "already-known": AlreadyKnown(REFERRAL_ID, "2024-01-31", "2025-12-01", NOW),
        "profile-release": ProfileRelease(REFERRAL_ID, bytes(32), profile(), NOW),
        "attachment": Attachment(REFERRAL_ID, 1, 2, b"%PDF"),
        "progress": Progress(REFERRAL_ID, "offer", NOW),
        "withdrawal": Withdrawal(REFERRAL_ID, NOW, NOW + 1_209_600),
        "erasure-receipt": ErasureReceipt(REFERRAL_ID, bytes(32), NOW, ("record",)),
        "hire": Hire(REFERRAL_ID, "2026-05-01", 10, "e" * 32, bytes(32), NOW),
    }
