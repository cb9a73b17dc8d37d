"""The people of the demonstration: names, addresses and careers that nobody has.  DOMAIN 7.4.

Names from everyday lists, among them the letters that trip systems up (髙橋, 﨑山, 渡邊 beside
渡辺, names from abroad); every address ends in example.jp, every telephone number in a block that
is nobody's. What a recruiting system exports and must not be imported is in the file, too.
"""

import csv
import io
from dataclasses import dataclass, replace
from datetime import date, timedelta

MAIL_DOMAIN = "oubo.example.jp"
# 090-9999-0123 in every way: with and without hyphens and +81. No other number begins so.
PHONES = ("90-9999-0", "90999900", "90999901", "80-9999-0", "80999901")
APPLICANTS = 120

FAMILY_NAMES = """
髙橋/タカハシ/takahashi 﨑山/サキヤマ/sakiyama 渡邊/ワタナベ/watanabe 長谷川/ハセガワ/hasegawa
佐藤/サトウ/sato 鈴木/スズキ/suzuki 田中/タナカ/tanaka 伊藤/イトウ/ito 山本/ヤマモト/yamamoto
中村/ナカムラ/nakamura 小林/コバヤシ/kobayashi 加藤/カトウ/kato 渡辺/ワタナベ/watanabe2
濵田/ハマダ/hamada 齋藤/サイトウ/saito 佐々木/ササキ/sasaki 山口/ヤマグチ/yamaguchi
松本/マツモト/matsumoto 井上/イノウエ/inoue 木村/キムラ/kimura 林/ハヤシ/hayashi
清水/シミズ/shimizu 山崎/ヤマザキ/yamazaki 森/モリ/mori 阿部/アベ/abe 池田/イケダ/ikeda
橋本/ハシモト/hashimoto 山下/ヤマシタ/yamashita 石川/イシカワ/ishikawa 中島/ナカジマ/nakajima
前田/マエダ/maeda 藤田/フジタ/fujita 後藤/ゴトウ/goto 小川/オガワ/ogawa 岡田/オカダ/okada
村上/ムラカミ/murakami 近藤/コンドウ/kondo 石井/イシイ/ishii 遠藤/エンドウ/endo
青木/アオキ/aoki 坂本/サカモト/sakamoto 斉藤/サイトウ/saito2 福田/フクダ/fukuda
太田/オオタ/ota 西村/ニシムラ/nishimura 藤井/フジイ/fujii 金子/カネコ/kaneko
岡本/オカモト/okamoto 藤原/フジワラ/fujiwara 中野/ナカノ/nakano 三浦/ミウラ/miura
原田/ハラダ/harada 中川/ナカガワ/nakagawa 松田/マツダ/matsuda 竹内/タケウチ/takeuchi
小野/オノ/ono 田村/タムラ/tamura 和田/ワダ/wada 石田/イシダ/ishida 上田/ウエダ/ueda
"""
GIVEN_NAMES = """
花子/ハナコ 健太/ケンタ 美咲/ミサキ 大輔/ダイスケ 陽菜/ヒナ 翔太/ショウタ 結衣/ユイ 拓也/タクヤ
さくら/サクラ 直樹/ナオキ 愛/アイ 亮/リョウ 真由美/マユミ 和也/カズヤ 彩/アヤ 達也/タツヤ
恵子/ケイコ 誠/マコト 由美/ユミ 隆/タカシ 千尋/チヒロ 修/オサム 麻衣/マイ 学/マナブ 葵/アオイ
悠斗/ユウト 凛/リン 蓮/レン 紬/ツムギ 湊/ミナト 芽依/メイ 樹/イツキ 莉子/リコ 大和/ヤマト
琴音/コトネ 颯太/ソウタ 心春/コハル 陸/リク 詩織/シオリ 海斗/カイト 七海/ナナミ 駿/シュン
優奈/ユウナ 涼介/リョウスケ 菜々子/ナナコ 康平/コウヘイ 明日香/アスカ 智也/トモヤ 瞳/ヒトミ
浩二/コウジ 香織/カオリ 雄一/ユウイチ 純子/ジュンコ 秀樹/ヒデキ 理恵/リエ 裕介/ユウスケ
知美/トモミ 剛/ツヨシ 綾乃/アヤノ 進/ススム
"""
# 氏名, フリガナ, for the address; each takes the place of a number.
FROM_ABROAD = {
    12: ("グエン ヴァン・アン", "グエン ヴァン・アン", "nguyen"),
    25: ("Anna Schmidt", "アンナ シュミット", "schmidt"),
    49: ("李 小龍", "リ シャオロン", "li"),
}
JOBS = ("Webエンジニア", "インフラエンジニア", "プロジェクトマネージャー", "カスタマーサポート")
PREFECTURES = ("東京都", "神奈川県", "千葉県", "埼玉県", "福岡県", "滋賀県")
SOURCES = ("自社サイト", "求人媒体A", "エージェント", "社員紹介")
# Stage and result of a twelfth of all applicants each; the first four end after an interview.
COURSES = (
    ("一次面接", "不採用"),
    ("二次面接", "不採用"),
    ("最終面接", "お見送り"),
    ("一次面接", "不合格"),
    ("書類選考", "不採用"),
    ("書類選考", "不合格"),
    ("書類選考", "お見送り"),
    ("適性検査", "不採用"),
    ("一次面接", "選考中"),
    ("二次面接", "選考中"),
    ("一次面接", "辞退"),
    ("内定", "内定"),
)
# Said "do not pass me on" when they applied: they get the notice, and no link.
NOT_TO_BE_PASSED_ON = (3, 27)
# What only the company may know; not one byte of it may be stored, let alone travel.
REASON = "希望年収と社内評価の不一致"
NOTE = "面接官メモ:再応募時は要確認"
FIRST_DAY_OFF = 60


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who applied somewhere."""

    number: int
    name: str
    kana: str
    email: str
    phone: str
    prefecture: str
    job: str
    stage: str
    status: str
    applied_on: date
    rejected_on: date | None
    passed_on: bool = True

    @property
    def family(self) -> str:
        return self.name.split()[0]

    @property
    def given(self) -> str:
        return " ".join(self.name.split()[1:])


def applicants(today: date) -> list[Person]:
    """Everybody who applied to aoba."""
    families = [each.split("/") for each in FAMILY_NAMES.split()]
    givens = [each.split("/") for each in GIVEN_NAMES.split()]
    people = []
    for number in range(APPLICANTS):
        family, family_kana, latin = families[number % len(families)]
        given, given_kana = givens[(number * 7 + number // len(families) * 11) % len(givens)]
        name, kana = f"{family} {given}", f"{family_kana} {given_kana}"
        name, kana, latin = FROM_ABROAD.get(number, (name, kana, latin))
        people.append(_person(number, name, kana, latin, today))
    return people


def _person(number: int, name: str, kana: str, latin: str, today: date) -> Person:
    stage, status = COURSES[number % len(COURSES)]
    applied = today - timedelta(days=FIRST_DAY_OFF - number % 30)
    ended = status not in ("選考中", "内定")
    return Person(
        number=number,
        name=name,
        kana=kana,
        email=f"{latin}.{number:03}@{MAIL_DOMAIN}",
        phone=f"090-9999-{number:04}",
        prefecture=PREFECTURES[number % len(PREFECTURES)],
        job=JOBS[number % len(JOBS)],
        stage=stage,
        status=status,
        applied_on=applied,
        rejected_on=today - timedelta(days=1 + number % 14) if ended else None,
        passed_on=number not in NOT_TO_BE_PASSED_ON,
    )


def seekers(today: date) -> list[Person]:
    """Those whom bridge, the agency, could place nowhere; one has a letter only Unicode knows."""
    known = (
        ("𠮷田 千夏", "ヨシダ チナツ", "yoshida"),
        ("黒木 遼", "クロキ リョウ", "kuroki"),
        ("野口 美和", "ノグチ ミワ", "noguchi"),
    )
    first = APPLICANTS + 1
    return [
        Person(
            number=first + at,
            name=name,
            kana=kana,
            email=f"{latin}.{first + at}@{MAIL_DOMAIN}",
            phone=f"080-9999-{first + at:04}",
            prefecture="東京都",
            job="社内SE",
            stage="二次面接",
            status="不採用",
            applied_on=today - timedelta(days=30),
            rejected_on=today - timedelta(days=3),
        )
        for at, (name, kana, latin) in enumerate(known)
    ]


def lastly(today: date, known: Person) -> list[Person]:
    """Three who applied to seeds: one whom bridge has referred before, and two others."""
    first = APPLICANTS + 11
    others = (("白石 一樹", "シライシ カズキ", "shiraishi"), ("大野 恵", "オオノ メグミ", "ohno"))
    made = [
        replace(
            known,
            number=first + at,
            name=name,
            kana=kana,
            email=f"{latin}.{first + at}@{MAIL_DOMAIN}",
            phone=f"080-9999-{first + at:04}",
            rejected_on=today,
        )
        for at, (name, kana, latin) in enumerate(others, 1)
    ]
    return [replace(known, number=first, rejected_on=today), *made]


def taken_on(person: Person) -> Person:
    """The same person, hired after all."""
    return replace(person, status="内定", rejected_on=None)


def exported(people: list[Person], *, encoding: str, broken_row: bool = False) -> bytes:
    """The list as a recruiting system writes it, with columns that are nobody else's business."""
    file = io.StringIO(newline="")
    table = csv.writer(file)
    table.writerow(
        "応募者ID 氏名 フリガナ メールアドレス 携帯電話 都道府県 求人名 応募経路 選考ステップ "
        "選考状況 応募日 不合格日 応募区分 第三者提供 性別 生年月日 不採用理由 評価 備考".split()
    )
    for person in people:
        table.writerow(_cells(person))
    if broken_row:
        table.writerow([*_cells(people[-1])[:3], "住所は@のあと", *_cells(people[-1])[4:]])
    return file.getvalue().encode(encoding)


def _cells(person: Person) -> list[str]:
    ended = person.rejected_on
    return [
        f"A{person.number:05}",
        person.name,
        person.kana,
        person.email,
        person.phone,
        person.prefecture,
        person.job,
        SOURCES[person.number % len(SOURCES)],
        person.stage,
        person.status,
        f"{person.applied_on:%Y/%m/%d}",
        f"{ended:%Y/%m/%d}" if ended else "",
        "中途",
        "可" if person.passed_on else "不可",
        "女" if person.number % 2 else "男",
        f"{1975 + person.number % 25}/04/01",
        REASON if ended else "",
        "ABC"[person.number % 3],
        NOTE,
    ]


def secrets_of(people: list[Person]) -> list[str]:
    """Texts that must be found nowhere: names, what the company noted, and, since all share them,
    the end of every mail address and the beginning of every telephone number.
    """
    names = {each for person in people for each in (person.name, person.kana)}
    written = {name.replace(" ", blank) for name in names for blank in (" ", "　", "")}
    return [*sorted(written), f"@{MAIL_DOMAIN}", *PHONES, REASON, NOTE]
