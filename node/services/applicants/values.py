"""Values: what the words of a recruiting system say about result, stage and kind.  DOMAIN 6.4, 6.5.

Every local step maps to one common code, because only the coarse code may ever travel.  A word
nobody knows is never dropped: the person counts as still in selection, and the page lists it.
"""

import re
from functools import lru_cache

from node.services.applicants.normalisation import fold

REJECTED = "不採用 不合格 お見送り 見送り 見送 NG 落選 rejected reject 不通過 否 ×".split()
WITHDRAWN = "辞退 選考辞退 内定辞退 キャンセル withdrawn 応募取消 取り下げ 取下げ 応募辞退".split()
HIRED = "採用 入社 入社済 入社済み 採用決定 hired".split()
ACTIVE = (
    "選考中 応募 通過 合格 内定 内定承諾 承諾 未対応 対応中 調整中 日程調整中 結果待ち 合否待ち "
    "評価待ち active in_progress 新規 進行中 保留 OK ○ 可 offer"
).split()

# Coarse codes of DOMAIN 6.4, from the furthest to the first: the first word found decides.
STAGE_WORDS: tuple[tuple[str, str], ...] = (
    ("hired", r"入社|hired"),
    ("accepted", r"承諾|accepted"),
    ("interview_final", r"最終|役員面接|社長面接|final"),
    ("offer", r"内定|内々定|オファー|offer"),
    ("interview_n", r"([三四五六3456])次|interview[_ ]?[3-9n]|(third|fourth)"),
    ("interview_2", r"(二|2)次(?!元)|interview[_ ]?2|second"),
    ("interview_1", r"(一|1)次|interview|first|面接|面談|グループディスカッション|\bgd\b"),
    ("test", r"適性|テスト|検査|筆記|spi|試験|test|コーディング"),
    ("screening", r"書類|screening|es選考|エントリーシート|ES$|レジュメ|resume"),
    ("applied", r"応募|エントリー|説明会|applied|新規|受付|カジュアル"),
)
STAGE_CODES = (
    "applied screening test interview_1 interview_2 interview_n interview_final offer accepted "
    "hired"
).split()
_STAGES = tuple((code, re.compile(words, re.IGNORECASE)) for code, words in STAGE_WORDS)
# A casual talk is no interview, whatever the word says.
_CASUAL = re.compile(r"カジュアル|説明会")

NEWGRAD = re.compile(r"新卒|新規卒|new.?grad|インターン|高卒|大卒|\d{2}卒", re.IGNORECASE)
PARTTIME = re.compile(r"アルバイト|パート|part.?time|バイト", re.IGNORECASE)
HIGH_SCHOOL = re.compile(
    r"高卒|高校生|高等学校卒業(見込|予定)|新規高卒|high.?school", re.IGNORECASE
)
# 高等専門学校 is a college of technology, not a high school; 大学付属高校 is one.
HIGH_SCHOOL_NAME = re.compile(r"(高等学校|高校)(?!.*(大学|専門))")
REFUSES = re.compile(r"不可|不同意|しない|いいえ|なし|拒否|×|^(no|false|0|ng|n)$", re.IGNORECASE)

_PARTS = re.compile(r"[\s/・:()\-_→>、,]+")


@lru_cache(maxsize=4096)
def status(text: str) -> str | None:
    """Return active, rejected, withdrawn or hired; None for a word nobody knows."""
    text = fold(text)
    if not text:
        return "active"
    known = _STATUS_WORDS.get(text.casefold())
    if known is None:
        parts = [_STATUS_WORDS.get(part.casefold()) for part in _PARTS.split(text)]
        known = next((one for one in ("withdrawn", "rejected", "hired") if one in parts), None)
    if known is None:
        known = next((said for end, said in _STATUS_ENDS if text.endswith(end)), None)
    return known


_STATUS_WORDS: dict[str, str] = {
    fold(word).casefold(): said
    for said, words in (
        ("active", ACTIVE),
        ("hired", HIRED),
        ("rejected", REJECTED),
        ("withdrawn", WITHDRAWN),
    )
    for word in words
}
# 一次面接不合格, 最終面接 お見送り, 書類選考通過: the longest ending wins, 不合格 before 合格.
_STATUS_ENDS = (
    *sorted((pair for pair in _STATUS_WORDS.items() if len(pair[0]) > 1), key=lambda p: -len(p[0])),
    ("中", "active"),
    ("待ち", "active"),
)


@lru_cache(maxsize=4096)
def stage_code(text: str) -> str | None:
    """Return the common code of a local step; None for a word nobody knows."""
    text = fold(text)
    if not text:
        return "applied"
    if _CASUAL.search(text):
        return "applied"
    return next((code for code, words in _STAGES if words.search(text)), None)


@lru_cache(maxsize=1024)
def applicant_type(text: str, *, graduation: bool) -> str:
    """Return newgrad, midcareer or parttime; a graduation to come means newgrad."""
    text = fold(text)
    if PARTTIME.search(text):
        return "parttime"
    if NEWGRAD.search(text) or (not text and graduation):
        return "newgrad"
    return "midcareer"


@lru_cache(maxsize=1024)
def is_high_school(kind: str, school: str) -> bool:
    """Tell whether this is a new high-school graduate, who may not be relayed (DOMAIN 2.7)."""
    return bool(HIGH_SCHOOL.search(fold(kind)) or HIGH_SCHOOL_NAME.search(fold(school)))


@lru_cache(maxsize=256)
def refuses_third_party(text: str) -> bool:
    """Tell whether the application said 第三者提供不可; silence is not a refusal."""
    return bool(REFUSES.search(fold(text)))
