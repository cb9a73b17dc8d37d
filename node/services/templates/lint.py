"""What a notice should not say, found in words.  DOMAIN 3.2, 3.4, 3.7, 5.1.

A finding is advice: a person reads it and decides. Only one kind stops a text, because the law
knows no exception from it: money and gifts for registering (お祝い金). Patterns see Japanese and
English alike, since a member may mix them.
"""

import re
from dataclasses import dataclass

from node.i18n import later
from node.services.templates import variables


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing to look for: its code, the sentence about it, and whether it stops the text."""

    code: str
    pattern: re.Pattern[str]
    sentence: str
    stops: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that found something: the words and where; no place when something is missing."""

    code: str
    sentence: str
    stops: bool
    words: str
    place: variables.Place | None


def _rule(code: str, pattern: str, sentence: str, *, stops: bool = False) -> Rule:
    return Rule(code, re.compile(pattern, re.IGNORECASE), sentence, stops)


# 公正な採用選考: what may not be asked nor carried, 14 items of the labour ministry.
FAIR_SELECTION = (
    _rule(
        "fair-origin",
        r"本籍|出生地|出身地|place of birth|birthplace|family register",
        later("Registered domicile and place of birth have no place in selection."),
    ),
    _rule(
        "fair-family",
        r"家族|ご両親|親御さん|配偶者|兄弟姉妹|お子様|parents|spouse|siblings|your family",
        later("A person's family has no place in selection."),
    ),
    _rule(
        "fair-housing",
        r"住宅状況|間取り|持ち家|借家|部屋数|近隣の施設|type of housing|home ?owner",
        later("How a person lives has no place in selection."),
    ),
    _rule(
        "fair-surroundings",
        r"生活環境|生い立ち|家庭環境|living environment|upbringing",
        later("The surroundings a person grew up in have no place in selection."),
    ),
    _rule("fair-religion", r"宗教|信仰|religio", later("Religion has no place in selection.")),
    _rule(
        "fair-party",
        r"支持政党|支持する政党|political party",
        later("A person's political party has no place in selection."),
    ),
    _rule(
        "fair-outlook",
        r"人生観|生活信条|座右の銘|philosophy of life|life motto",
        later("A person's outlook on life has no place in selection."),
    ),
    _rule(
        "fair-admired",
        r"尊敬する人物?|person you (?:most )?admire",
        later("Whom a person admires has no place in selection."),
    ),
    _rule("fair-belief", r"思想|信条|ideolog", later("Beliefs have no place in selection.")),
    _rule(
        "fair-union",
        r"労働組合|労組|学生運動|社会運動|消費者運動|trade union|labou?r union|activis[mt]",
        later("Unions and social movements have no place in selection."),
    ),
    _rule(
        "fair-reading",
        r"購読(?:新聞|雑誌)|愛読書|newspapers? you read|favou?rite books?",
        later("What a person reads has no place in selection."),
    ),
    _rule(
        "fair-inquiry",
        r"身元調査|身辺調査|素行調査|background check",
        later("Inquiries into a person's background have no place in selection."),
    ),
    _rule(
        "fair-papers",
        r"戸籍(?:謄本|抄本)|住民票|社用紙|copy of (?:the )?family register",
        later("Family registers, residence records and unfair forms may not be asked for."),
    ),
    _rule(
        "fair-health",
        r"健康診断|既往歴|持病|medical (?:check|exam)|health (?:check|exam)",
        later("Health examinations that the work does not need have no place in selection."),
    ),
)
OTHERS = (
    _rule(
        "gift",
        r"祝い?金|お祝金|ギフト(?:券|カード|コード)|商品券|謝礼|謝金|キャッシュバック|現金|報奨金"
        r"|プレゼント|ポイントを進呈|gift ?(?:card|code|money)|cash ?back|signing bonus"
        r"|(?:bonus|reward|present) for (?:registering|signing up|using)",
        later("Money and gifts for registering or joining are forbidden by law."),
        stops=True,
    ),
    _rule(
        "promise",
        r"必ず(?!しも)|絶対に|確実に|保証(?:い?た)?し|お約束|内定が(?:出|得)|優先的に採用"
        r"|guarantee|certainly be (?:hired|accepted)|we promise|will be hired",
        later("This reads as a promise; neither we nor the partners can make one."),
    ),
    _rule(
        "slang",
        r"お祈り|rejection letter",
        later(
            "Applicants know this phrase from cold form letters. Thank the person for something "
            "instead."
        ),
    ),
    _rule(
        "reason",
        r"(?:経験|スキル|能力|実力|学歴|年齢|適性|コミュニケーション力?|英語力|人柄|協調性)"
        r"[^。\n]{0,12}(?:不足|足り|満た|及ば|乏し|低|高すぎ|合わ|欠け)"
        r"|(?:評価|点数|順位|スコア)が[^。\n]{0,8}(?:低|及ば|下回)"
        r"|(?:lack(?:s|ed|ing)?|insufficient|not enough) (?:of )?(?:\w+ )?"
        r"(?:experience|skills?|ability|qualifications?)|over-?qualified",
        later("Do not give a reason about the person; it hurts, and it must not travel."),
    ),
    _rule(
        "not-selected-person",
        r"不採用者|不合格者|落選者|落ちた方|rejected (?:applicant|candidate|person)",
        later("Do not call people by the result; say: those who applied."),
    ),
    _rule(
        "pressure",
        r"至急|今すぐ|本日中|今だけ|お早めに|act now|hurry|as soon as possible|limited offer",
        later("Do not press; using the page is free of any obligation."),
    ),
    _rule(
        "automatic-sharing",
        r"自動(?:的に|で)[^。\n]{0,12}(?:共有|提供|送信|紹介)|情報を共有いたしました"
        r"|automatically (?:shared?|sent|forwarded|passed)",
        later("Nothing is passed on automatically: the person chooses on the page."),
    ),
    _rule(
        "placeholder",
        r"[○◯●〇△▲□■×✕]{2,}|[XＸ]{3,}|【(?:要|ここに)[^】]*】|\bTBD\b|lorem ipsum|<[^<>\n]{1,20}>",
        later("This looks like a place that was left to be filled in by hand."),
    ),
)
RULES = FAIR_SELECTION + OTHERS

# What the passage around the link must make plain (DOMAIN 2.4 C2, 3.4).
PASSAGE_SAYS = (
    _rule(
        "says-optional",
        r"任意|自由です|ご希望の(?:場合|方)|使うか使わないか"
        r"|optional|if you (?:wish|like)|up to you",
        later("Say beside the link that using it is optional."),
    ),
    _rule(
        "says-free",
        r"無料|(?:費用|お金)は(?:一切)?(?:かか|ござい)|\bfree\b|no (?:cost|charge)",
        later("Say beside the link that it costs nothing."),
    ),
    _rule(
        "says-no-effect",
        r"(?:影響|関係)(?:する|し|は|を|が)[^。\n]{0,20}(?:ない|ません)"
        r"|no (?:effect|influence|bearing)|not affect",
        later("Say beside the link that it has no effect on any later application."),
    ),
)


def findings(subject: str, body: str) -> tuple[Finding, ...]:
    """Read a text and return what a careful colleague would remark, in the text's order."""
    found: list[Finding] = []
    for where, text in (("subject", subject), ("body", body)):
        matches = [(match, rule) for rule in RULES for match in rule.pattern.finditer(text)]
        matches.sort(key=lambda pair: pair[0].start())
        for match, rule in matches:
            place = variables.place_of(where, text, match.start())
            found.append(Finding(rule.code, rule.sentence, rule.stops, match[0], place))
    return (*found, *_unsaid(body))


def unfair(text: str) -> tuple[Finding, ...]:
    """Return which of the fourteen items a short text of HR's own names, each once; advice only.

    A stage called 身元調査 asks for what no application form may ask for.
    """
    found = [(match, rule) for rule in FAIR_SELECTION if (match := rule.pattern.search(text))]
    found.sort(key=lambda pair: pair[0].start())
    return tuple(
        Finding(
            rule.code,
            rule.sentence,
            False,
            match[0],
            variables.place_of("text", text, match.start()),
        )
        for match, rule in found
    )


def _unsaid(body: str) -> tuple[Finding, ...]:
    """What is missing beside the link; nothing where there is no link."""
    span = variables.passage(body)
    if span is None:
        return ()
    text = body[span[0] : span[1]]
    return tuple(
        Finding(rule.code, rule.sentence, False, "", None)
        for rule in PASSAGE_SAYS
        if not rule.pattern.search(text)
    )
