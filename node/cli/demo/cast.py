"""Who plays: the four members of みなと採用連合.  DOMAIN 7.4. All of it fiction."""

from dataclasses import dataclass

ALLIANCE = "minato"
ALLIANCE_NAME = "みなと採用連合"
# Enough for everything here; a real one is agreed on.
CREDIT_LIMIT = 20


@dataclass(frozen=True, slots=True)
class Company:
    """One member: what its card says, and who signs in there."""

    id: str
    legal_name: str
    address: str
    representative: str
    business: str
    contact: str
    recruiter: str
    approver: str
    licences: tuple[str, ...] = ()

    @property
    def described(self) -> dict[str, object]:
        """What `tasuki init` asks for."""
        return {
            "legal_name": self.legal_name,
            "address": self.address,
            "representative": self.representative,
            "business": self.business,
            "contact": self.contact,
            "country": "JP",
            "licences": self.licences,
            "role": "member",
            "credit_limit": CREDIT_LIMIT,
        }


COMPANIES = (
    Company(
        id="aoba",
        legal_name="株式会社アオバシステム",
        address="東京都港区青葉台1-2-3",
        representative="代表取締役 青葉 太郎",
        business="情報システムの開発",
        contact="採用担当 03-0000-0001",
        recruiter="森 由紀",
        approver="大塚 誠",
    ),
    Company(
        id="biwa",
        legal_name="株式会社ビワ精機",
        address="滋賀県大津市琵琶町4-5",
        representative="代表取締役 近江 次郎",
        business="精密機械の製造",
        contact="人事課 077-000-0002",
        recruiter="西川 恵",
        approver="堀 健一",
    ),
    Company(
        id="seeds",
        legal_name="株式会社シーズラボ",
        address="福岡県福岡市中央区種町6-7",
        representative="代表取締役 種田 三郎",
        business="SaaSの企画と開発",
        contact="採用チーム 092-000-0003",
        recruiter="平野 葵",
        approver="今村 涼",
    ),
    Company(
        id="bridge",
        legal_name="キャリアブリッジ株式会社",
        address="東京都千代田区橋本町8-9",
        representative="代表取締役 橋本 四郎",
        business="人材紹介",
        contact="相談窓口 03-0000-0004",
        recruiter="岸 里奈",
        approver="水野 隆",
        licences=("13-ユ-999901:2031-03-31",),
    ),
)
