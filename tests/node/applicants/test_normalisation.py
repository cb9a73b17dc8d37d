"""Normalisation: one form for each contact, name and date, from all the ways people write them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.services.applicants import columns, dates, normalisation, values


@pytest.mark.parametrize(
    "written",
    [
        "090-1234-5678",
        "０９０－１２３４－５６７８",
        "090 1234 5678",
        "09012345678",
        "9012345678",  # Excel ate the zero
        "090ー1234ー5678",
        "090‐1234‐5678",
        "(090)1234-5678",
        "+81 90-1234-5678",
        "+81(0)90-1234-5678",
        "090-1234-5678 内線12",
        "090-1234-5678、03-1111-2222",
    ],
)
def test_one_mobile_number_however_it_is_written(written: str) -> None:
    assert normalisation.phone(written) == "+819012345678"
    assert normalisation.shown_phone("+819012345678") == "090-1234-5678"


@pytest.mark.parametrize("written", ["", "なし", "12345", "0000000000", "090-1234", "-", "0" * 99])
def test_what_is_no_telephone_number_is_none(written: str) -> None:
    assert normalisation.phone(written) is None


def test_the_fast_path_agrees_with_the_library() -> None:
    for number in ("03-1234-5678", "0120-123-456", "045-123-4567", "050-1234-5678", "011-222-3333"):
        slow = normalisation._foreign_phone(number)
        assert normalisation.phone(number) == slow is not None


def test_foreign_numbers_keep_their_country() -> None:
    assert normalisation.phone("+1 650 253 0000") == "+16502530000"
    assert normalisation.shown_phone("+16502530000") == "+1 650-253-0000"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("taro@example.jp", ("taro@example.jp", False)),
        ("Taro.Yamada+a@EXAMPLE.co.jp", ("Taro.Yamada+a@example.co.jp", False)),
        ("ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ", ("taro@example.jp", False)),
        ("名前@例え.jp", ("名前@例え.jp", False)),
        ("a..b@docomo.ne.jp", ("a..b@docomo.ne.jp", True)),
        ("abc.@ezweb.ne.jp", ("abc.@ezweb.ne.jp", True)),
        ("a..b@example.jp", None),
        ("taro@example", None),
        ("taro at example.jp", None),
        ("a@b.jp, c@d.jp", None),
        ("a" * 65 + "@example.jp", None),
        ("a@" + "b" * 250 + ".jp", None),
        ("a@b.jp\nBcc: c@d.jp", None),
    ],
)
def test_addresses_are_read_or_are_none(written: str, read: tuple[str, bool] | None) -> None:
    assert read == normalisation.email(written)


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-22",
        "2026/11/22",
        "2026/11/22 10:30:00",
        "2026-11-22T10:30:00+09:00",
        "2026年11月22日",
        "２０２６年１１月２２日（日）",
        "R8.11.22",
        "令和8年11月22日",
        "20261122",
        "46348",
        "46348.4375",
        "2026.11.22",
    ],
)
def test_one_day_in_every_form(written: str) -> None:
    assert dates.parse(written) == "2026-11-22"


def test_eras_begin_with_gannen() -> None:
    assert dates.parse("令和元年5月1日") == "2019-05-01"
    assert dates.parse("H31.4.30") == "2019-04-30"
    assert dates.parse("S64/1/7") == "1989-01-07"


@pytest.mark.parametrize(
    "written", ["11/22/2026", "26/11/22", "2026/13/1", "2026/2/30", "昨日", "", "12", "99999999"]
)
def test_no_date_is_guessed(written: str) -> None:
    with pytest.raises(dates.DateUnreadable):
        dates.parse(written)


@given(st.text(max_size=40))
def test_no_text_breaks_the_readers(text: str) -> None:
    normalisation.phone(text)
    normalisation.email(text)
    normalisation.kana_key(text)
    normalisation.name_key(text)
    normalisation.postal(text)
    values.status(text)
    values.stage_code(text)
    columns.header_key(text)
    with suppress(dates.DateUnreadable):
        dates.parse(text)


def test_readings_are_one_whatever_the_kana() -> None:
    assert normalisation.kana_key("ﾔﾏﾀﾞ ﾀﾛｳ") == "ヤマダタロウ"
    assert normalisation.kana_key("やまだ　たろう") == "ヤマダタロウ"
    assert normalisation.kana("めありー　じょーんず") == "メアリー ジョーンズ"


def test_variants_of_a_sign_are_candidates_and_the_written_form_is_not_touched() -> None:
    assert normalisation.name_key("髙﨑 太郎") == normalisation.name_key("高崎　太郎")
    assert normalisation.split_name("髙﨑　太郎") == ("髙﨑", "太郎")
    assert normalisation.split_name("髙﨑太郎") == ("", "")


def test_postal_codes_and_prefectures() -> None:
    assert normalisation.postal("〒８１２－００１１") == "812-0011"
    assert normalisation.postal("8120011") == "812-0011"
    assert normalisation.postal("812-001") is None
    assert normalisation.prefecture("東京") == "東京都"
    assert normalisation.prefecture("北海道") == "北海道"
    assert normalisation.prefecture("江戸") is None
    assert normalisation.prefecture_in("京都府京都市") == "京都府"


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("不採用", "rejected"),
        ("ＮＧ", "rejected"),
        ("お見送り", "rejected"),
        ("一次面接不合格", "rejected"),
        ("最終面接/見送り", "rejected"),
        ("rejected", "rejected"),
        ("辞退", "withdrawn"),
        ("内定辞退", "withdrawn"),
        ("一次面接辞退", "withdrawn"),
        ("合格", "active"),
        ("書類選考通過", "active"),
        ("選考中", "active"),
        ("", "active"),
        ("入社", "hired"),
        ("謎", None),
    ],
)
def test_results_have_one_of_four_meanings(word: str, meaning: str | None) -> None:
    assert meaning == values.status(word)


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("エントリー", "applied"),
        ("カジュアル面談", "applied"),
        ("書類選考", "screening"),
        ("適性検査（SPI）", "test"),
        ("一次面接", "interview_1"),
        ("1次面接", "interview_1"),
        ("２次面接", "interview_2"),
        ("三次面接", "interview_n"),
        ("最終面接", "interview_final"),
        ("役員面接", "interview_final"),
        ("内定", "offer"),
        ("内定承諾", "accepted"),
        ("入社", "hired"),
        ("謎", None),
    ],
)
def test_stages_have_a_common_code(word: str, code: str | None) -> None:
    assert code == values.stage_code(word)
    assert code is None or code in values.STAGE_CODES


def test_headers_of_many_systems_are_understood() -> None:
    titles = [
        "応募者ＩＤ",
        "氏　名",
        "ﾌﾘｶﾞﾅ",
        "E-mail",
        "ＴＥＬ",
        "〒",
        "応募求人",
        "選考ステップ",
        "合否",
    ]
    wanted = ("ats_id", "name", "kana", "email", "phone", "postal", "job", "stage", "status")
    assert wanted == columns.guess(titles).fields


def test_what_must_not_be_known_cannot_be_chosen() -> None:
    titles = ["氏名", "性別", "国籍", "不採用理由", "評価", "備考", "生年月日"]
    forbidden = columns.FORBIDDEN_FIELD
    fields = ("name", *[forbidden] * 5, columns.AGE_FIELD)
    assert fields == columns.guess(titles).fields
    assert fields == columns.choose(titles, ["name", *["job"] * 6]).fields
    assert fields == columns.guess(titles, {columns.header_key("性別"): "job"}).fields


def test_of_two_columns_with_one_meaning_the_first_is_taken() -> None:
    assert columns.guess(["メール", "E-mail"]).fields == ("email", None)
    assert columns.repeated(["job", "", "job", "name"]) == ("job",)


def test_a_saved_mapping_finds_its_columns_in_another_order() -> None:
    titles = ["どこ", "だれ", "結果"]
    saved = columns.to_save(titles, columns.choose(titles, ["job", "name", "status"]))
    assert columns.guess(["結果", "だれ", "ほか", "どこ"], saved).fields == (
        "status",
        "name",
        None,
        "job",
    )


def test_a_mapping_says_what_is_missing() -> None:
    assert columns.guess(["ほか"]).missing() == ("name", "email", "status")
    assert columns.guess(["姓", "名", "応募者ID", "合否"]).missing() == ()
