"""A recruiting season in one process: people of many kinds referred to and fro, points certified.

For the pages of referrals, points, hires and peers. Every step is taken by the services that the
nodes use; only the network is left out (tests/equipment/letters.py carries the letters).
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from node import models
from node.clock import FixedClock
from node.services import hires, ledger, referrals
from node.services.applicants import writing
from node.services.applicants.people import Person
from node.services.applicants.rows import Draft
from protocol import Ballot, Card, Grounds, OrderAnswer, Profile, PullAnswer
from tests.equipment.alliance import Alliance, House
from tests.equipment.letters import carry
from tests.equipment.referring import PDF

DAY_S = 86_400
HR = "u-hr"


@dataclass(frozen=True)
class Someone:
    """A person as the season needs one: name, reading, and what the card says."""

    family: str
    given: str
    family_kana: str
    given_kana: str
    card: Card

    @property
    def email(self) -> str:
        return f"{hashlib.sha256(self.family.encode()).hexdigest()[:8]}@example.jp"


def _card(kind: str, region: str, occupation: str, years: int, skills: str, reached: str) -> Card:
    languages = ("日本語（母語）", "英語（ビジネスレベル）") if years % 2 else ("日本語（母語）",)
    return Card(
        kind, region, occupation, years, tuple(skills.split()), languages, reached, "2027-04"
    )


ENGINEER, SALES, OFFICE, MAKING, CARE = (
    "研究・技術の職業",
    "販売・営業の職業",
    "事務的職業",
    "製造・修理・塗装・製図等の職業",
    "福祉・介護の職業",
)
PEOPLE = (
    Someone("髙橋", "真紀", "タカハシ", "マキ",
            _card("midcareer", "13", ENGINEER, 7, "Python AWS PostgreSQL 要件定義",
                  "interview_final")),
    Someone("渡邉", "健太", "ワタナベ", "ケンタ",
            _card("midcareer", "14", SALES, 5, "法人営業 新規開拓 Salesforce", "interview_2")),
    Someone("小林", "美咲", "コバヤシ", "ミサキ",
            _card("newgrad", "27", ENGINEER, 0, "Java 機械学習 統計", "interview_1")),
    Someone("加藤", "大輔", "カトウ", "ダイスケ",
            _card("midcareer", "25", MAKING, 12, "CAD 品質管理 工程改善 ISO9001",
                  "interview_final")),
    Someone("吉田", "彩", "ヨシダ", "アヤ",
            _card("midcareer", "13", OFFICE, 3, "経理 簿記2級 Excel", "interview_1")),
    Someone("山口", "翔", "ヤマグチ", "ショウ",
            _card("newgrad", "40", SALES, 0, "TOEIC860 マーケティング", "interview_2")),
    Someone("松本", "由佳", "マツモト", "ユカ",
            _card("midcareer", "23", ENGINEER, 9, "Go Kubernetes SRE チームリード",
                  "interview_final")),
    Someone("斎藤", "隆", "サイトウ", "タカシ",
            _card("midcareer", "01", CARE, 6, "介護福祉士 シフト管理", "interview_1")),
    Someone("井上", "奈々", "イノウエ", "ナナ",
            _card("midcareer", "13", ENGINEER, 4, "TypeScript React アクセシビリティ",
                  "interview_2")),
    Someone("木村", "亮", "キムラ", "リョウ",
            _card("midcareer", "", "", 2, "Figma UIデザイン", "")),
    Someone("清水", "恵", "シミズ", "メグミ",
            _card("midcareer", "26", OFFICE, 8, "人事 労務 社会保険", "interview_1")),
    Someone("森", "拓也", "モリ", "タクヤ",
            _card("parttime", "12", SALES, 1, "接客 在庫管理", "interview_1")),
)  # fmt: skip


def profile_of(person: Someone, *, resume: bytes | None = None) -> Profile:
    """The identified record of a person of the season."""
    japan: dict[str, object] = {
        "familyName": person.family,
        "givenName": person.given,
        "familyNameKana": person.family_kana,
        "givenNameKana": person.given_kana,
        "applicantType": person.card.applicant_type,
        "desiredRegions": ["13", "14"],
        "desiredSalaryMin": 5_500_000,
        "availableFrom": "2027-04",
    }
    if resume is not None:
        japan["resumeFile"] = {
            "mime": "application/pdf",
            "sha256": hashlib.sha256(resume).hexdigest(),
            "size": len(resume),
        }
    return Profile.from_json(
        {
            "basics": {
                "name": f"{person.family} {person.given}",
                "email": person.email,
                "phone": "+819012345678",
                "label": "基幹システムの刷新をやり遂げた経験を、次の現場でも活かします",
                "summary": "受託開発会社で業務システムの設計と開発に携わってきました。\n"
                "直近の3年はチームリーダーとして6名をまとめています。",
                "location": {"region": "東京都", "city": "港区", "countryCode": "JP"},
            },
            "work": [
                {
                    "name": "例示ソリューションズ株式会社",
                    "position": "チームリーダー",
                    "startDate": "2020-04",
                    "summary": "物流向け在庫管理システムの再構築。要件定義から運用まで。",
                },
                {"name": "見本電機株式会社", "position": "開発担当", "startDate": "2016-04",
                 "endDate": "2020-03"},
            ],
            "education": [
                {"institution": "例示大学", "area": "情報工学科", "studyType": "学士",
                 "startDate": "2012-04", "endDate": "2016-03"},
            ],
            "skills": [{"name": skill} for skill in person.card.skills],
            "languages": [{"language": "英語", "fluency": "ビジネスレベル"}],
            "certificates": [{"name": "応用情報技術者", "date": "2018-12", "issuer": "IPA"}],
            "x-jp": japan,
        }
    )  # fmt: skip


class Season:
    """What happens in the alliance, in the words of those who do it."""

    def __init__(self, alliance: Alliance) -> None:
        self.alliance = alliance

    @property
    def clock(self) -> FixedClock:
        return self.alliance.clock

    def applicant(self, house: House, person: Someone, *, rejected: bool = True) -> str:
        """A person in the house's own list."""
        now = house.context.now()
        draft = Draft(
            person=Person(
                name=f"{person.family} {person.given}",
                family=person.family,
                given=person.given,
                kana=f"{person.family_kana} {person.given_kana}",
                email=person.email,
                ats_id=f"A-{secrets.token_hex(4)}",
            ),
            job="プロダクト開発職",
            stage="最終面接",
            stage_code="interview_final",
            status="rejected" if rejected else "active",
            applicant_type=person.card.applicant_type,
            source=None,
            applied_on=now - 40 * DAY_S,
            rejected_on=now - DAY_S if rejected else None,
            exclusion=None,
            warnings=(),
        )
        with house.database.transaction() as session:
            before = {row.id for row in session.query(models.Applicant)}
            writing.store(session, house.context, [draft])
            (made,) = {row.id for row in session.query(models.Applicant)} - before
        return made

    def refer(
        self,
        sender: str,
        to: str,
        person: Someone,
        *,
        now: bool = False,
        resume: bytes | None = None,
        share: bool = True,
        ask: bool = False,
    ) -> str:
        """The person consents at `sender`, for `to`; the sender's id of the referral."""
        house = self.alliance[sender]
        applicant = self.applicant(house, person)
        consent = self._consent(house, applicant)
        grounds = Grounds(
            consent, house.context.now(), "2027-01", "0" * 64, ("card", "name"),
            "本人からの応募により取得",
        )  # fmt: skip
        with house.database.transaction() as session:
            return referrals.refer(
                session,
                house.context,
                consent_id=consent,
                applicant_id=applicant,
                recipient=to,
                card=person.card,
                grounds=grounds,
                profile=profile_of(person, resume=resume),
                resume=resume,
                send_profile_now=now,
                share_progress=share,
                asks_first=ask,
            )

    def _consent(self, house: House, applicant: str) -> str:
        link, consent, now = secrets.token_hex(16), secrets.token_hex(16), house.context.now()
        with house.database.transaction() as session:
            session.add(
                models.Link(
                    id=link,
                    applicant_id=applicant,
                    token_hash=secrets.token_bytes(32),
                    created_at=now,
                    expires_at=now + 30 * DAY_S,
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
                    given_at=now,
                    created_at=now,
                )
            )
        return consent

    def carry(self) -> None:
        """Let all letters arrive, and those that they cause."""
        assert carry(self.alliance) == []

    def received(self, house: str, sender: str, referral_id: str) -> str:
        """The receiver's own id of a referral."""
        with self.alliance[house].database.reading() as session:
            row = session.query(models.ReferralIn).filter_by(sender=sender, referral_id=referral_id)
            return row.one().id

    def referrals(self, house: str) -> list[models.ReferralIn | models.ReferralOut]:
        """Every referral that the house sent or received."""
        with self.alliance[house].database.reading() as session:
            return [*session.query(models.ReferralIn), *session.query(models.ReferralOut)]

    def row_in(self, house: str, own_id: str) -> models.ReferralIn:
        with self.alliance[house].database.reading() as session:
            return referrals.offered(session, own_id)

    def answer(self, house: str, own_id: str, *, accept: bool = True) -> None:
        here = self.alliance[house]
        give = referrals.accept if accept else referrals.decline
        with here.database.transaction() as session:
            give(session, here.context, own_id, user_id=HR)

    def move(self, house: str, own_id: str, *stages: str) -> None:
        here = self.alliance[house]
        for stage in stages:
            with here.database.transaction() as session:
                referrals.move(session, here.context, own_id, stage, user_id=HR)

    def hire(self, house: str, own_id: str, *, slot: bool, fee_yen: int = 0) -> None:
        here = self.alliance[house]
        with here.database.transaction() as session:
            hires.register(
                session,
                here.context,
                own_id,
                joins_on="2027-04-01",
                with_slot=slot,
                fee_yen=fee_yen,
                annual_pay_yen=6_200_000,
                user_id=HR,
            )

    def offered(self, sender: str, to: str, person: Someone, **more: object) -> str:
        """Refer, and let the card arrive; the receiver's id."""
        sent = self.refer(sender, to, person, **more)  # type: ignore[arg-type]
        self.carry()
        return self.received(to, sender, sent)

    def accepted(self, sender: str, to: str, person: Someone, **more: object) -> str:
        """Refer, accept, and let the profile arrive; the receiver's id."""
        own = self.offered(sender, to, person, **more)
        self.answer(to, own)
        self.carry()
        return own

    def certify(self, payer: str) -> bool:
        """Pay what the payer owes: one order, every vote, told to all; False: nothing owed."""
        house = self.alliance[payer]
        with house.database.transaction() as session:
            order = ledger.open_order(session, house.context)
        if order is None:
            return False
        ballot = Ballot(order, self.alliance.charter)
        others = self.alliance.others(payer)
        for other in others:
            with other.database.transaction() as session:
                body = ledger.vote_on(session, other.context, order.document.encode())
            vote = OrderAnswer.parse(body).vote
            assert vote is not None
            ballot.add(vote, other.id)
        with house.database.transaction() as session:
            data = ledger.certify(session, house.context, ballot).data
        for other in others:
            with other.database.transaction() as session:
                ledger.receive_certificate(session, other.context, data)
        return True

    def certify_all(self) -> None:
        while any(self.certify(member) for member in self.alliance.houses):
            continue

    def compare(self, house: str, members: Sequence[str] = ()) -> None:
        """Let the house ask where the others stand, as its worker does every half minute."""
        here = self.alliance[house]
        for other in members or [each.id for each in self.alliance.others(house)]:
            there = self.alliance[other]
            with here.database.reading() as session:
                question = ledger.pull_body(session, here.context)
            with there.database.reading() as session:
                answer = PullAnswer.parse(ledger.answer_pull(session, there.context, question))
            with here.database.transaction() as session:
                ledger.remember(session, here.context, other, answer)

    def days(self, number: float) -> None:
        self.clock.move(int(number * DAY_S))


def whole_season(season: Season) -> dict[str, str]:
    """A season around `aoba`, for pages to show; names of referrals that matter -> ids."""
    found, others = {}, ("biwa", "seeds", "bridge")
    for number in range(11):
        season.accepted("aoba", others[number % 3], PEOPLE[number % len(PEOPLE)], share=number != 4)
        season.days(2.2)
        season.certify_all()
    hired = season.accepted("bridge", "aoba", PEOPLE[6], resume=PDF)
    season.move("aoba", hired, "interview_1", "interview_final", "offer", "accepted")
    season.certify_all()
    season.days(1)
    season.hire("aoba", hired, slot=True)
    season.carry()
    season.certify_all()
    found["hired"] = hired

    season.applicant(season.alliance["aoba"], PEOPLE[0], rejected=False)
    found["selected"] = season.accepted("bridge", "aoba", PEOPLE[0], resume=PDF)
    season.move("aoba", found["selected"], "test", "interview_1")
    found["late"] = season.refer("seeds", "aoba", PEOPLE[3])
    season.carry()
    season.days(9)
    for number, (sender, person) in enumerate(
        (("biwa", 1), ("bridge", 8), ("bridge", 2), ("biwa", 4), ("seeds", 9))
    ):
        found[f"waiting{number}"] = season.refer(sender, "aoba", PEOPLE[person])
        season.carry()
        season.days(1 if number < 3 else 0.2)
    declined = season.refer("aoba", "biwa", PEOPLE[7])
    season.carry()
    season.answer("biwa", season.received("biwa", "aoba", declined), accept=False)
    season.carry()
    found["sent"] = season.refer("aoba", "seeds", PEOPLE[11])
    season.compare("aoba")
    return found
