"""The parts of the demonstration that could deceive: its search, its browser, its people."""

import base64
import http.client
import json
import smtplib
import socket
from collections.abc import Callable
from datetime import date
from email.message import EmailMessage
from pathlib import Path

import pytest

from node.cli.demo import mailbox
from node.cli.demo.checking import NEEDLE_BYTES_MIN, PIECE_BYTES, Search
from node.cli.demo.pages import File, Page, PageUnexpected, filled, read
from node.cli.demo.people import (
    NOTE,
    PHONES,
    REASON,
    Person,
    applicants,
    exported,
    secrets_of,
    seekers,
)

TODAY = date(2026, 11, 23)
PEOPLE = [*applicants(TODAY), *seekers(TODAY)]
SEARCH = Search(secrets_of(PEOPLE))

# --- The search. ---


@pytest.mark.parametrize("person", PEOPLE[::9], ids=lambda person: str(person.number))
@pytest.mark.parametrize(
    "written",
    [
        str.encode,
        lambda text: text.encode("cp932", "replace"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-16-be"),
        lambda text: json.dumps({"name": text}).encode(),
        lambda text: base64.b64encode(f"a{text}".encode()),
        lambda text: base64.urlsafe_b64encode(f"ab{text}…".encode()),
        lambda text: base64.b64encode(f"abc{text}".encode()),
    ],
    ids="utf-8 cp932 utf-16-le utf-16-be json base64 base64url base64-3".split(),
)
def test_the_search_finds_each_person_however_written(
    person: Person, written: Callable[[str], bytes]
) -> None:
    digits = person.phone.replace("-", "")
    for text in (
        *(person.name, person.name.replace(" ", "　"), person.kana.replace(" ", "")),
        *(person.email, person.phone, digits, f"+81{digits[1:]}"),
    ):
        content = b"before" + written(text) + b"behind"
        if b"?" in written(text) or len(written(text)) < NEEDLE_BYTES_MIN:
            continue  # it cannot be written so, or is so short that chance would find it
        assert SEARCH.is_in(content), text


@pytest.mark.parametrize("before", [0, 7, PIECE_BYTES - 3, PIECE_BYTES, 2 * PIECE_BYTES + 900])
def test_the_search_finds_a_person_anywhere_in_a_file(before: int, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(before) + PEOPLE[0].name.encode() + bytes(9))
    assert SEARCH.is_in_file(tmp_path / "file")


def test_the_search_finds_what_the_company_noted() -> None:
    assert SEARCH.is_in(REASON.encode("cp932"))
    assert SEARCH.is_in(NOTE.encode())


def test_the_search_finds_nothing_where_there_is_nothing() -> None:
    for number in range(64):
        assert not SEARCH.is_in(number.to_bytes(4, "big") * 4096)
    innocent = '{"action": "consent.given", "actor": "applicant", "at": 1790000000, "name": "林"}'
    assert not SEARCH.is_in(innocent.encode() * 100)


# --- The people. ---


def test_every_person_is_somebody_else_and_nobody_real() -> None:
    assert len({person.name for person in PEOPLE}) == len(PEOPLE)
    assert len({person.email for person in PEOPLE}) == len(PEOPLE)
    assert all(person.email.endswith("@oubo.example.jp") for person in PEOPLE)
    starts = [p.phone[1:] for p in PEOPLE] + [p.phone.replace("-", "")[1:] for p in PEOPLE]
    assert all(any(start.startswith(known) for known in PHONES) for start in starts)


def test_the_list_is_what_a_recruiting_system_writes() -> None:
    written = exported(applicants(TODAY), encoding="cp932", broken_row=True).decode("cp932")
    assert written.splitlines()[0].startswith("応募者ID,氏名")
    for forbidden in ("性別", "生年月日", "不採用理由", "評価", "備考"):
        assert forbidden in written.splitlines()[0]
    for letter in ("髙橋", "﨑山", "渡邊", "渡辺"):
        assert letter in written
    with pytest.raises(UnicodeEncodeError):
        exported(seekers(TODAY), encoding="cp932")


# --- The browser. ---

FORM = """<html><body><form id="one" action="/go" method="post" enctype="multipart/form-data">
<input type="hidden" name="csrf_token" value="abc"><input name="name" value="first">
<input type="checkbox" name="tick" value="a" checked><input type="checkbox" name="tick" value="b">
<input type="radio" name="way" value="card" checked><input type="radio" name="way" value="all">
<select name="kind"><option value="">any</option><option value="x" selected>X</option></select>
<textarea name="text">
two
lines</textarea><input type="file" name="file"><input name="gone" disabled>
<button id="save" name="do" value="save">Save</button><button id="elsewhere" formaction="/other">
Other</button></form><input name="late" value="1" form="one"><p id="said">well <b>done</b></p>
<a id="on" href="/next">on</a></body></html>"""


def page() -> Page:
    return read("http://127.0.0.1/here", 200, FORM.encode())


def test_a_form_is_sent_as_the_page_has_filled_it_in() -> None:
    pairs = filled(page(), page().form("one"), {}, "")
    assert pairs == [
        ("csrf_token", "abc"),
        ("name", "first"),
        ("tick", "a"),
        ("way", "card"),
        ("kind", "x"),
        ("text", "two\nlines"),
        ("file", File("", b"")),
        ("late", "1"),
    ]


def test_what_a_person_changes_is_sent_instead() -> None:
    form = page().form("/go")
    given = filled(page(), form, {"name": "鈴木", "tick": ["b"], "way": "all", "kind": ""}, "save")
    assert ("name", "鈴木") in given
    assert [value for name, value in given if name == "tick"] == ["b"]
    assert ("way", "all") in given
    assert ("do", "save") in given
    assert form.target("elsewhere") == "/other"
    assert form.target("save") == "/go"


@pytest.mark.parametrize(
    ("values", "press"),
    [
        ({"unknown": "x"}, ""),
        ({"gone": "x"}, ""),
        ({"tick": ["c"]}, ""),
        ({"kind": "y"}, ""),
        ({}, "remove"),
    ],
)
def test_nothing_is_sent_that_the_page_does_not_offer(
    values: dict[str, str | list[str] | File], press: str
) -> None:
    with pytest.raises(PageUnexpected, match=r"127\.0\.0\.1/here"):
        filled(page(), page().form("one"), values, press)


def test_texts_and_links_are_found_by_their_ids() -> None:
    assert page().text_of("said") == "well done"
    assert page().link("on") == "/next"
    assert page().boxes("tick") == ["a", "b"]
    for missing in (
        lambda: page().text_of("x"),
        lambda: page().link("x"),
        lambda: page().form("x"),
    ):
        with pytest.raises(PageUnexpected):
            missing()


# --- The mailbox. ---


def test_the_mailbox_page_shows_mails_with_their_links() -> None:
    message = EmailMessage()
    message["From"], message["To"] = "recruit@aoba.example.jp", "a@oubo.example.jp"
    message["Subject"] = "選考結果<b>"
    message.set_content("https://aoba.example/l/token-1\n<script>alert(1)</script>\n123456\n")
    with socket.create_server(("127.0.0.1", 0)) as bound, mailbox.running(bound) as mails:
        with smtplib.SMTP("127.0.0.1", bound.getsockname()[1]) as client:
            client.send_message(message)
        assert [mail.subject for mail in mails.to("a@oubo.example.jp")] == ["選考結果<b>"]
        (mail,) = mails.all()
        assert (mail.link, mail.code) == ("https://aoba.example/l/token-1", "123456")
        with mailbox.page(mails) as url:
            listed = fetch(url, "/")
            assert "選考結果&lt;b&gt;" in listed
            assert "to be an applicant" in listed
            shown = fetch(url, "/0")
    assert '<a href="https://aoba.example/l/token-1">' in shown
    assert "<script>" not in shown


def fetch(url: str, path: str) -> str:
    connection = http.client.HTTPConnection(url.split("/")[2], timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    assert answer.status == 200
    text = answer.read().decode()
    connection.close()
    return text
