"""Applicants' pages: filters in the address, one person, the list as a file; roles hold."""

import csv
import io
import re

import pytest
from urllib3 import encode_multipart_formdata
from werkzeug.test import TestResponse

from node.services.applicants import importing, uploads
from node.worker.applicants import drive_imports
from tests.equipment import workbook_files
from tests.equipment.applicants_office import HEADERS, line, table
from tests.equipment.web_house import Visitor, WebHouse
from tests.equipment.workbook_files import Sheet


def post_file(visitor: Visitor, data: bytes, name: str, **more: str) -> TestResponse:
    """Send the form of the import page; Werkzeug's own encoder would leave a file open."""
    fields = {"csrf_token": visitor.token(), "file": (name, data, "text/csv"), **more}
    body, content_type = encode_multipart_formdata(fields)
    return visitor.client.post("/applicants/import", data=body, content_type=content_type)


def send(visitor: Visitor, data: bytes, name: str = "応募者.csv", encoding: str = "auto") -> str:
    """Choose a file on the import page; the address it leads to, or the page that refuses."""
    answer = post_file(visitor, data, name, encoding=encoding)
    return answer.location if answer.status_code == 302 else answer.get_data(as_text=True)


def columns_of(page: str) -> dict[str, str]:
    """The chosen meaning of each column, as the form would send it."""
    found = {}
    for name, options in re.findall(r'name="(column-\d+)".*?>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    return found


def import_all(visitor: Visitor, data: bytes, **more: str) -> str:
    """Through the whole of the import, as a person clicks; the last page."""
    columns_url = send(visitor, data)
    page = visitor.get(columns_url).get_data(as_text=True)
    checked = visitor.post(columns_url, columns_of(page), follow_redirects=True)
    assert checked.status_code == 200, checked.get_data(as_text=True)
    start = columns_url.replace("/columns", "/start")
    return visitor.post(start, dict(more), follow_redirects=True).get_data(as_text=True)


@pytest.fixture
def recruiter(web: WebHouse) -> Visitor:
    return web.signed_in("recruiter")


@pytest.fixture
def filled(web: WebHouse, recruiter: Visitor) -> Visitor:
    import_all(recruiter, table(*(line(n) for n in range(120)), line(900, result="辞退")))
    return recruiter


def names_on(page: str) -> list[str]:
    return re.findall(r'<a id="open-[^>]+>([^<]+)</a>', page)


def test_a_file_goes_through_the_whole_import(web: WebHouse, recruiter: Visitor) -> None:
    page = import_all(recruiter, table(line(1), line(2)))
    assert "取り込みが完了しました" in page
    assert re.search(r"<dt>新規</dt><dd>2</dd>", page)
    listed = recruiter.get("/applicants").get_data(as_text=True)
    assert sorted(names_on(listed)) == ["髙﨑 太郎1", "髙﨑 太郎2"]
    assert uploads.kept(web.node.context) == []


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (table(line(1)) + b"\xff\xff", "3行目"),
        (table(line(1, name="山田 太郎", job="営業"), encoding="euc_jp"), "EUC-JP"),
        (table(line(1, name='"山田')), "引用符"),
        (b"ID,name,email,status\n" + b"1,A,a@example.jp,NG\n" * 200_000, "100,000行"),
        (table(), "空"),
        (b"PK\x03\x04", "Excelブックが壊れている"),
        (workbook_files.with_macros(), "マクロ"),
        (workbook_files.encrypted(), "パスワード"),
    ],
    ids="encoding euc-jp quotation 200000-rows empty damaged macros encrypted".split(),
)
def test_a_file_that_cannot_be_is_refused_in_words_and_not_kept(
    web: WebHouse, recruiter: Visitor, data: bytes, sentence: str
) -> None:
    page = send(recruiter, data)
    assert sentence in page
    assert 'id="file-error"' in page
    assert uploads.kept(web.node.context) == []
    with web.node.database.reading() as session:
        assert importing.recent(session) == []


def test_a_workbook_goes_the_same_way_and_its_sheet_is_named(recruiter: Visitor) -> None:
    rows = [each.split(",") for each in (HEADERS, line(1), line(2))]
    data = workbook_files.of_sheets(Sheet("2026年度", rows), Sheet("集計", [["x"]]))
    url = send(recruiter, data)
    page = recruiter.get(url).get_data(as_text=True)
    assert "シート「2026年度」" in page
    assert "ほかの1シートは取り込みません" in page
    # Its text has one encoding, and no other can be asked for.
    assert 'id="encoding-form"' not in page
    recruiter.post(url.replace("columns", "encoding"), {"encoding": "cp932"})
    assert "氏名" in recruiter.get(url).get_data(as_text=True)

    done = import_all(recruiter, data)
    assert re.search(r"<dt>新規</dt><dd>2</dd>", done)


def test_no_file_is_said_at_its_field(recruiter: Visitor) -> None:
    answer = recruiter.post("/applicants/import", {"encoding": "auto"})
    assert answer.status_code == 422
    assert "ファイルを選択してください" in answer.get_data(as_text=True)


def test_a_missing_column_is_named_and_nothing_is_imported(recruiter: Visitor) -> None:
    url = send(recruiter, table("山田 太郎,営業", headers="氏名,求人名"))
    page = recruiter.get(url).get_data(as_text=True)
    answer = recruiter.post(url, columns_of(page))
    assert answer.status_code == 422
    assert "不足している項目：メールアドレス、選考結果" in answer.get_data(as_text=True)


def test_one_meaning_for_two_columns_is_refused(recruiter: Visitor) -> None:
    url = send(recruiter, table(line(1)))
    chosen = columns_of(recruiter.get(url).get_data(as_text=True))
    answer = recruiter.post(url, chosen | {"column-0": "email"})
    assert answer.status_code == 422
    assert "メールアドレス" in answer.get_data(as_text=True)


def test_broken_rows_need_a_yes_and_come_back_as_a_file(recruiter: Visitor) -> None:
    url = send(recruiter, table(line(1), line(2, email="x"), "a,b"))
    recruiter.post(url, columns_of(recruiter.get(url).get_data(as_text=True)))
    check_url = url.replace("columns", "check")
    page = recruiter.get(check_url).get_data(as_text=True)
    assert "メールアドレスの形式が正しくありません" in page
    refused = recruiter.post(url.replace("columns", "start"))
    assert refused.status_code == 422
    assert names_on(recruiter.get("/applicants").get_data(as_text=True)) == []

    answer = recruiter.post(
        url.replace("columns", "start"), {"accept_broken": "yes"}, follow_redirects=True
    )
    assert "取り込みが完了しました" in answer.get_data(as_text=True)
    errors = recruiter.get(url.replace("columns", "errors.csv"))
    rows = list(csv.reader(io.StringIO(errors.get_data().decode("cp932"), newline="")))
    assert [row[0].partition(":")[0] for row in rows] == ["取込エラー", "3", "4"]
    assert "attachment" in errors.headers["Content-Disposition"]


def test_the_encoding_can_be_chosen_afterwards(recruiter: Visitor) -> None:
    url = send(recruiter, table(line(1)))
    answer = recruiter.post(url.replace("columns", "encoding"), {"encoding": "utf-8"})
    assert answer.status_code == 422
    again = recruiter.post(url.replace("columns", "encoding"), {"encoding": "cp932"})
    assert again.status_code == 302
    assert "髙﨑 太郎1" in recruiter.get(url).get_data(as_text=True)


def test_saved_columns_are_offered_and_used(recruiter: Visitor) -> None:
    odd = "だれ,あて,どう"
    url = send(recruiter, table("山田 太郎,a@example.jp,不採用", headers=odd))
    chosen = {"column-0": "name", "column-1": "email", "column-2": "status"}
    recruiter.post(url, chosen | {"save_as": "媒体A"})
    other = send(recruiter, table("不採用,b@example.jp,鈴木 花", headers="どう,あて,だれ"))
    page = recruiter.get(f"{other}?mapping=媒体A").get_data(as_text=True)
    assert list(columns_of(page).values()) == ["status", "email", "name"]
    removed = recruiter.post("/applicants/import/mappings/remove", {"name": "媒体A"})
    assert removed.status_code == 302
    assert recruiter.get(f"{other}?mapping=媒体A").status_code == 404


def test_a_long_file_is_left_to_the_worker_with_a_progress_bar(
    web: WebHouse, recruiter: Visitor
) -> None:
    rows = importing.INLINE_ROWS_MAX + 1
    url = send(recruiter, table(*(line(n) for n in range(rows))))
    chosen = columns_of(recruiter.get(url).get_data(as_text=True))
    page = recruiter.post(url, chosen, follow_redirects=True).get_data(as_text=True)
    assert "<progress" in page
    bar = url.replace("columns", "progress")
    asked = recruiter.get(bar, headers={"HX-Request": "true"})
    assert "0 / 2,001" in asked.get_data(as_text=True)
    drive_imports(web.node)
    asked = recruiter.get(bar, headers={"HX-Request": "true"})
    assert asked.headers["HX-Redirect"].endswith(url.split("/")[-2])
    recruiter.post(url.replace("columns", "start"))
    drive_imports(web.node)
    page = recruiter.get(bar, follow_redirects=True).get_data(as_text=True)
    assert "取り込みが完了しました" in page
    assert "2,001" in page


def test_an_upload_that_is_gone_is_said_and_not_waited_for(
    web: WebHouse, recruiter: Visitor
) -> None:
    url = send(recruiter, table(*(line(n) for n in range(importing.INLINE_ROWS_MAX + 1))))
    recruiter.post(url, columns_of(recruiter.get(url).get_data(as_text=True)))
    uploads.delete(web.node.context, url.split("/")[-2], "table")
    drive_imports(web.node)
    page = recruiter.get(url.replace("columns", "progress")).get_data(as_text=True)
    assert "中止しました" in page


def test_an_import_can_be_cancelled(web: WebHouse, recruiter: Visitor) -> None:
    url = send(recruiter, table(line(1)))
    answer = recruiter.post(url.replace("columns", "cancel"), follow_redirects=True)
    assert "取り込みを取り消し" in answer.get_data(as_text=True)
    assert uploads.kept(web.node.context) == []
    assert recruiter.get(url).status_code == 404


def test_pages_turn_and_keep_their_filter(filled: Visitor) -> None:
    page = filled.get("/applicants?status=rejected").get_data(as_text=True)
    following = re.search(r'id="page-next"[^>]*href="([^"]+)"', page)
    assert following
    url = following[1].replace("&amp;", "&")
    assert "status=rejected" in url
    second = filled.get(url).get_data(as_text=True)
    assert len(names_on(page)) == len(names_on(second)) == 50
    assert not set(names_on(page)) & set(names_on(second))
    back = re.search(r'id="page-previous"[^>]*href="([^"]+)"', second)
    assert back
    again = filled.get(back[1].replace("&amp;", "&")).get_data(as_text=True)
    assert names_on(again) == names_on(page)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=withdrawn", 1),
        ("words=髙﨑 太郎7", 1),
        ("words=PERSON7@example.jp", 1),
        ("told=no&status=rejected&limit=200", 120),
        ("told=yes", 0),
        ("job=経理&stage=interview_final&limit=200", 40),
        ("days=1&limit=100", 100),
        ("applied_from=2026-10-02", 0),
        ("status=nonsense", 50),
        ("applied_from=nonsense&days=x&limit=7&cursor=", 50),
    ],
)
def test_the_address_narrows_the_list(filled: Visitor, query: str, found: int) -> None:
    answer = filled.get(f"/applicants?{query}")
    assert answer.status_code == 200
    assert len(names_on(answer.get_data(as_text=True))) == found


def test_a_cursor_that_is_none_is_refused(filled: Visitor) -> None:
    assert filled.get("/applicants?cursor=!!").status_code == 422


def test_one_person_is_shown_and_marked(web: WebHouse, filled: Visitor) -> None:
    page = filled.get("/applicants?words=A-000007").get_data(as_text=True)
    found = re.search(r'id="open-(\w+)"', page)
    assert found
    url = f"/applicants/{found[1]}"
    person = filled.get(url).get_data(as_text=True)
    assert "090-1000-0007" in person
    assert 'id="link"' in person
    filled.post(f"{url}/exclusion", {"exclusion": "misconduct"})
    assert 'id="no-link"' in filled.get(url).get_data(as_text=True)
    assert filled.post(f"{url}/exclusion", {"exclusion": "bad"}).status_code == 422
    viewer = web.signed_in("viewer").get(url).get_data(as_text=True)
    assert "090-1000-0007" in viewer
    assert "misconduct" not in viewer
    assert 'id="private-link"' not in viewer


def test_the_list_leaves_as_a_file(filled: Visitor) -> None:
    answer = filled.post("/applicants/export?status=rejected", {"encoding": "utf-8"})
    rows = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"), newline="")))
    assert len(rows) == 121
    assert 'filename="applicants-2' in answer.headers["Content-Disposition"]
    assert filled.post("/applicants/export", {"encoding": "latin-1"}).status_code == 422


def test_what_cp932_lacks_is_shown_before_the_file(recruiter: Visitor) -> None:
    import_all(recruiter, table(line(1, name="𠮷田 太郎"), line(2), encoding="utf-8-sig"))
    page = recruiter.post("/applicants/export", {"encoding": "cp932"}).get_data(as_text=True)
    assert 'id="losses"' in page
    assert "𠮷田 太郎" in page
    answer = recruiter.post("/applicants/export", {"encoding": "cp932", "read": "yes"})
    assert "〓田 太郎" in answer.get_data().decode("cp932")


def test_only_the_ticked_leave(filled: Visitor) -> None:
    ids = re.findall(r'value="(\w{32})"', filled.get("/applicants").get_data(as_text=True))[:2]
    page = filled.post("/applicants/export/choose", {"chosen": ids}).get_data(as_text=True)
    assert "2名" in page
    answer = filled.post("/applicants/export", {"chosen": ids, "encoding": "cp932"})
    assert len(answer.get_data().decode("cp932").splitlines()) == 3


def test_everybody_in_a_filter_is_chosen_at_once(filled: Visitor) -> None:
    page = filled.get("/applicants/all?status=rejected").get_data(as_text=True)
    assert len(re.findall(r'name="chosen"', page)) == 120


@pytest.mark.parametrize("role", ["viewer", "approver"])
def test_who_may_only_read_changes_and_takes_nothing(
    web: WebHouse, filled: Visitor, role: str
) -> None:
    reader = web.signed_in(role)
    page = reader.get("/applicants").get_data(as_text=True)
    assert len(names_on(page)) == 50
    assert 'id="import"' not in page
    assert "data-choice-count" not in page
    for path in ("/applicants/import", "/applicants/export", "/applicants/all"):
        assert reader.get(path).status_code == 403
    for path in ("/applicants/import", "/applicants/export", "/applicants/export/choose"):
        assert reader.post(path).status_code == 403


def test_the_signed_out_are_sent_to_sign_in(visitor: Visitor) -> None:
    answer = visitor.get("/applicants?status=rejected")
    assert answer.status_code == 302
    assert "/sign-in?next=" in answer.location


def test_a_stranger_may_not_send_a_large_file(web: WebHouse, visitor: Visitor) -> None:
    answer = post_file(visitor, bytes(2 * 1024 * 1024), "a.csv")
    assert answer.status_code == 413
    assert uploads.kept(web.node.context) == []


def test_nothing_personal_stands_in_a_log_or_an_address(
    web: WebHouse, recruiter: Visitor, capfd: pytest.CaptureFixture[str]
) -> None:
    url = send(
        recruiter, table(line(1, name="金糸雀", email="canary@example.jp"), line(2, email="x"))
    )
    recruiter.post(url, columns_of(recruiter.get(url).get_data(as_text=True)))
    recruiter.post(url.replace("columns", "start"), {"accept_broken": "yes"})
    page = recruiter.get("/applicants").get_data(as_text=True)
    assert "金糸雀" in page
    addresses = " ".join(re.findall(r'(?:href|action)="([^"]+)"', page))
    written = "".join(capfd.readouterr()) + addresses
    for canary in ("金糸雀", "canary", "A-000001", "0900"):
        assert canary not in written


def test_every_page_of_the_import_speaks_english_too(web: WebHouse, recruiter: Visitor) -> None:
    url = send(recruiter, table(line(1), line(2, email="x")))
    recruiter.client.set_cookie("lang", "en")
    page = recruiter.get(url).get_data(as_text=True)
    assert "What the columns mean" in page
    answer = recruiter.post(url, columns_of(page), follow_redirects=True)
    assert "Rows that cannot be imported" in answer.get_data(as_text=True)
    assert "Newest first" in recruiter.get("/applicants").get_data(as_text=True)
