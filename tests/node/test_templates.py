"""Templates: what cannot be saved, what is remarked, and what a version remembers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from node import models
from node.services import notices, templates
from node.services.templates import lint, variables
from node.services.templates.defaults import DEFAULTS, ENGLISH, JAPANESE, Default
from tests.equipment.notices_room import Room

GOOD = """{{候補者名}} 様

{{姓}}様へ任意・無料のご案内です。今後の選考に影響しません。
{{専用リンク}}
"""


def codes(kind: str = templates.WITH_LINK, *, subject: str = "結果", body: str = GOOD) -> list[str]:
    return [one.code for one in templates.problems(kind, "名前", subject, body)]


def test_the_texts_a_node_begins_with_have_no_problem_and_earn_no_remark() -> None:
    for text in DEFAULTS:
        found = templates.problems(templates.WITH_LINK, text.name, text.subject, text.body)
        assert found == ()
        assert lint.findings(text.subject, text.body) == ()


def test_an_unknown_variable_is_refused_with_its_name_and_place() -> None:
    body = GOOD + "\n敬具 {{ 氏名 }}"
    (problem,) = templates.problems(templates.WITH_LINK, "名前", "結果", body)
    assert (problem.code, problem.name) == ("variable-unknown", "氏名")
    assert variables.Place("body", 6, 4) == problem.place
    (problem,) = templates.problems(templates.WITH_LINK, "名前", "{{題}}", GOOD)
    assert variables.Place("subject", 1, 1) == problem.place


@pytest.mark.parametrize(
    "stray", ["{{候補者名", "候補者名}}", "｛｛候補者名｝｝", "{{候補者\n名}}"]
)
def test_a_brace_that_would_be_sent_as_it_is_is_refused(stray: str) -> None:
    assert "brace-stray" in codes(body=GOOD + stray)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{{候補者名}} 様", "link-missing"),
        (GOOD + "\n{{link}}", "link-repeated"),
        (GOOD + "\n{{リンク有効期限}}まで", "expiry-apart"),
    ],
)
def test_the_private_link_stands_exactly_once(body: str, code: str) -> None:
    assert [code] == codes(body=body)


def test_a_template_without_link_must_not_have_one() -> None:
    assert codes(templates.WITHOUT_LINK) == ["link-unwanted"]
    assert codes(templates.WITHOUT_LINK, body="{{候補者名}} 様") == []
    assert codes(subject="{{専用リンク}}") == ["link-in-subject"]


def test_gifts_stop_a_text_and_everything_else_is_advice() -> None:
    assert codes(body=GOOD + "\nご登録の方に入社お祝い金をお渡しします。") == ["gift"]
    assert codes(body=GOOD + "\n経験が不足しているため、今回は見送りとなりました。") == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("本籍地をお知らせください", "fair-origin"),
        ("ご家族の職業", "fair-family"),
        ("住宅状況", "fair-housing"),
        ("生活環境", "fair-surroundings"),
        ("信仰する宗教", "fair-religion"),
        ("支持政党", "fair-party"),
        ("人生観", "fair-outlook"),
        ("尊敬する人物", "fair-admired"),
        ("思想", "fair-belief"),
        ("労働組合への加入", "fair-union"),
        ("購読新聞", "fair-reading"),
        ("身元調査", "fair-inquiry"),
        ("戸籍謄本", "fair-papers"),
        ("健康診断書", "fair-health"),
        ("必ず内定が出ます", "promise"),
        ("ご活躍をお祈り申し上げます", "slang"),
        ("コミュニケーション力が不足していた", "reason"),
        ("you lack the experience", "reason"),
        ("今すぐご登録ください", "pressure"),
        ("情報は自動的に提携企業へ共有されます", "automatic-sharing"),
        ("○○ 様", "placeholder"),
    ],
)
def test_what_a_careful_colleague_would_remark_is_found_with_its_place(
    words: str, code: str
) -> None:
    found = [one for one in lint.findings("結果", f"{GOOD}\n{words}") if one.code == code]
    assert found, f"{words} should be remarked as {code}"
    assert found[0].place is not None
    assert found[0].place.line == 6


@pytest.mark.parametrize(
    "words",
    [
        "不採用の理由についてはお答えしておりません。",
        "必ずしもご経験の問題ではございません。",
        "貴重なご経験をお聞かせいただきありがとうございました。",
    ],
)
def test_ordinary_sentences_are_left_alone(words: str) -> None:
    assert lint.findings("結果", f"{GOOD}\n{words}") == ()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("一次面接", []),
        ("最終面接（役員）", []),
        ("身元調査", [("身元調査", "fair-inquiry", 1)]),
        (
            "家族面談と健康診断、家族へ",
            [("家族", "fair-family", 1), ("健康診断", "fair-health", 6)],
        ),
        ("Background check", [("Background check", "fair-inquiry", 1)]),
        ("本日中に必ず", []),  # advice for letters, and no item of the fourteen
    ],
)
def test_a_short_text_of_hr_is_read_for_the_fourteen_items_only(
    text: str, found: list[tuple[str, str, int]]
) -> None:
    seen = lint.unfair(text)
    assert [(one.words, one.code, one.place and one.place.column) for one in seen] == found
    assert not any(one.stops for one in seen)


def test_what_the_passage_does_not_say_is_remarked() -> None:
    found = {one.code for one in lint.findings("結果", "{{候補者名}} 様\n\n{{専用リンク}}")}
    assert {"says-optional", "says-free", "says-no-effect"} == found


def test_people_without_a_link_read_the_letter_without_its_passage() -> None:
    body = variables.without_passage(JAPANESE.body)
    assert "専用リンク" not in body
    assert "ご利用は任意" not in body
    assert "\n\n\n" not in body
    assert "誠にありがとうございました" in body
    assert "お時間を" in variables.without_passage(JAPANESE.body)
    assert "{{link}}" not in variables.without_passage(ENGLISH.body)


def test_english_names_and_spaces_inside_the_braces_work_too() -> None:
    text = "{{ name }} {{ＮＡＭＥ}} {{候補者名}}"
    assert variables.fill(text, {"候補者名": "A"}) == "A A A"


@given(st.text(), st.text())
def test_a_value_is_never_searched_for_variables(value: str, around: str) -> None:
    around = around.replace("{", "").replace("}", "")
    filled = variables.fill(f"{around}{{{{姓}}}}", {"姓": value + "{{候補者名}}"})
    assert f"{around}{value}{{{{候補者名}}}}" == filled


@given(st.text(alphabet=st.sampled_from("{}名姓name\n ｛｝専用リンク")))
def test_garbage_has_problems_or_can_be_filled(body: str) -> None:
    found = templates.problems(templates.WITHOUT_LINK, "n", "s", body)
    if not found:
        filled = variables.fill(body, dict.fromkeys(variables.VARIABLES, "x"))
        assert "{{" not in filled
    for one in found:
        assert one.sentence
        assert one.code


def test_a_change_writes_a_new_version_and_the_old_one_stays(room: Room) -> None:
    made = room.template()
    with room.node.database.transaction() as session:
        templates.change(
            session,
            room.node.context,
            made,
            name="新しい名前",
            kind=templates.WITH_LINK,
            language="ja",
            subject="新しい件名",
            body=GOOD,
            user_id=room.recruiter,
        )
    with room.node.database.reading() as session:
        assert templates.get(session, made).current_version == 2
        assert templates.text_of(session, made).subject == "新しい件名"
        assert JAPANESE.subject == templates.text_of(session, made, 1).subject


def test_saving_the_same_words_again_makes_no_version(room: Room) -> None:
    made = room.template()
    with room.node.database.transaction() as session:
        templates.change(
            session,
            room.node.context,
            made,
            name="別の名前",
            kind=templates.WITH_LINK,
            language="ja",
            subject=JAPANESE.subject,
            body=JAPANESE.body.replace("\n", "\r\n"),
            user_id=room.recruiter,
        )
        assert templates.get(session, made).current_version == 1


def test_a_refused_template_leaves_nothing_behind(room: Room) -> None:
    with (
        pytest.raises(templates.TemplateInvalid) as refused,
        room.node.database.transaction() as session,
    ):
        templates.create(
            session,
            room.node.context,
            name="x",
            kind=templates.WITH_LINK,
            language="ja",
            subject="{{なし}}",
            body=GOOD,
            user_id=room.recruiter,
        )
    assert refused.value.code == "template-invalid"
    with room.node.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(models.Template)) == 0
        assert session.scalar(select(func.count()).select_from(models.TemplateVersion)) == 0


def test_our_own_texts_are_installed_once(room: Room) -> None:
    with room.node.database.transaction() as session:
        context = room.node.context
        assert templates.install_defaults(session, context, user_id=room.recruiter) == len(DEFAULTS)
        assert templates.install_defaults(session, context, user_id=room.recruiter) == 0


@pytest.mark.parametrize(("language", "usual"), [("ja", JAPANESE), ("en", ENGLISH)])
def test_who_has_never_written_begins_with_the_text_for_people_who_applied(
    room: Room, language: str, usual: Default
) -> None:
    with room.node.database.transaction() as session:
        templates.install_defaults(session, room.node.context, user_id=room.recruiter)
        chosen = notices.usual_template(session, room.recruiter, language)
        assert chosen is not None
        assert templates.get(session, chosen).name == usual.name
