"""Notices in a real browser: from the choice to the report, at the desk and on a phone."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from node import models
from node.services import notices
from tests.equipment.alliance import House
from tests.equipment.notices_room import Room, open_room
from tests.equipment.smtp import MailServer
from tests.equipment.web_house import Visitor, WebHouse

CHECKS = ["recipients", "sender", "variables", "jobs"]

SignIn = Callable[[Page, str], None]
Check = Callable[[Page], None]
SENDER = {
    "sender_name": "佐藤 花子",
    "sender_department": "人事部",
    "sender_phone": "03-1234-5678",
    "sender_email": "saiyo@aoba.example.jp",
}


@pytest.fixture
def room(tmp_path: Path, sqlite_url: str, mail_server: MailServer) -> Iterator[Room]:
    with open_room(tmp_path, sqlite_url, mail_server) as opened:
        yield opened


@pytest.fixture
def web(room: Room) -> WebHouse:
    return WebHouse(House(room.node.context, room.node.database))


def begin(visitor: Visitor, ids: list[str]) -> str:
    """Choose these people as the list of applicants does; the id of the batch."""
    answer = visitor.post("/notices/new", {"chosen": ids})
    assert answer.status_code == 302
    return str(answer.headers["Location"]).rpartition("/")[2]


def write(visitor: Visitor, batch: str, template: str, **changed: str) -> None:
    values = {**SENDER, "template_id": template, "excluded_get": "plain", **changed}
    assert visitor.post(f"/notices/{batch}", values).status_code == 302


def ask(visitor: Visitor, batch: str) -> int:
    page = visitor.get(f"/notices/{batch}/confirm").get_data(as_text=True)
    digest = re.search(r'name="digest" value="([0-9a-f]+)"', page)
    assert digest
    values = {"digest": digest[1], "checked": CHECKS}
    return visitor.post(f"/notices/{batch}/request", values).status_code


def state(room: Room, batch: str) -> str:
    with room.node.database.reading() as session:
        return notices.get(session, batch).state


@pytest.mark.browser
def test_notices_go_from_the_choice_to_the_request(
    page: Page,
    room: Room,
    web: WebHouse,
    address: str,
    sign_in: SignIn,
    mail_server: MailServer,
    check_accessibility: Check,
) -> None:
    ids = room.applicants(11) + room.applicants(2, first=20, exclusion="under_18")
    ids += room.applicants(1, first=30, status="withdrawn")
    room.template()
    batch = begin(web.signed_in("recruiter"), ids)

    sign_in(page, "recruiter")
    page.goto(f"{address}/notices/{batch}")
    expect(page.locator("#count-with-link")).to_have_text("11通")
    expect(page.locator("#count-without-link")).to_have_text("2通")
    expect(page.locator("#count-left-out")).to_have_text("1名")
    check_accessibility(page)
    for name, value in SENDER.items():
        page.fill(f"#{name}", value)
    page.click("#submit")

    expect(page.locator("#letter-body")).to_contain_text("試験 太郎1 様")
    expect(page.locator("#letter-body")).to_contain_text("http://127.0.0.1:9100/l/preview")
    check_accessibility(page)
    page.click("#letter-next")
    expect(page.locator("#letter-body")).to_contain_text("試験 太郎2 様")
    page.click("#send-test")
    expect(page.locator(".message-info")).to_contain_text("saiyo@aoba.example.jp")
    assert room.work() == 1
    (test_mail,) = mail_server.messages
    assert str(test_mail["Subject"]).startswith("【テスト送信】")
    assert "試験" not in test_mail.get_content(), "no real person stands in a test mail"

    page.click("#to-confirm")
    expect(page.locator("#facts")).to_contain_text("13 通")
    check_accessibility(page)
    for name in CHECKS:
        page.check(f"#checked-{name}")
    page.click("#submit")
    expect(page.locator(".message-info").first).to_contain_text("承認を依頼しました")
    expect(page.locator("#confirmation")).to_have_count(0)
    check_accessibility(page)


@pytest.mark.browser
def test_a_second_person_approves_and_the_report_says_what_became_of_it(
    page: Page,
    room: Room,
    web: WebHouse,
    address: str,
    sign_in: SignIn,
    mail_server: MailServer,
    check_accessibility: Check,
) -> None:
    mail_server.refused.add("person3@example.jp")
    batch = room.draft(room.applicants(14), room.template())
    assert room.request(batch) == "waiting_approval"
    sign_in(page, "approver")
    page.goto(f"{address}/notices?state=waiting_approval")
    check_accessibility(page)
    page.click("#notices a")
    for name in CHECKS:
        page.check(f"#checked-{name}")
    check_accessibility(page)
    page.click("#submit")
    expect(page.locator("#countdown")).to_have_text(re.compile(r"^1[45]:\d\d$"))
    check_accessibility(page)

    room.clock.move(900)
    room.work_once()
    page.reload()
    expect(page.locator("#done")).to_contain_text("1名にお届けできませんでした")
    expect(page.locator("#failures")).to_contain_text("person3@example.jp")
    expect(page.locator("#failures")).to_contain_text("宛先のメールアドレスが見つかりません")
    check_accessibility(page)
    assert len(mail_server.messages) == 13


@pytest.mark.browser
def test_the_progress_bar_moves_by_itself_and_ends_in_the_report(
    desk: Page,
    room: Room,
    web: WebHouse,
    address: str,
    sign_in: SignIn,
    check_accessibility: Check,
) -> None:
    batch = room.booked(room.applicants(120), room.template())
    room.clock.move(900)
    room.work_once()
    sign_in(desk, "recruiter")
    desk.goto(f"{address}/notices/{batch}")
    expect(desk.locator("#sending-progress")).to_contain_text("100 / 120")
    check_accessibility(desk)
    room.work_once()
    expect(desk.locator("#done")).to_contain_text("送信が完了しました")
    desk.goto(f"{address}/notices")
    expect(desk.locator("#notices tbody tr")).to_contain_text("送信済み")
    check_accessibility(desk)


@pytest.mark.browser
def test_the_cancel_button_stops_all_mails(
    page: Page,
    room: Room,
    web: WebHouse,
    address: str,
    sign_in: SignIn,
    mail_server: MailServer,
    check_accessibility: Check,
) -> None:
    batch = room.booked(room.applicants(3), room.template())
    sign_in(page, "recruiter")
    page.goto(f"{address}/notices/{batch}")
    page.click("#cancel")
    expect(page.locator("h1")).to_have_text("通知を取り消しました")
    check_accessibility(page)
    room.clock.move(900)
    assert room.work() == 0
    assert mail_server.messages == []


@pytest.mark.browser
def test_the_cancel_button_says_so_when_it_comes_too_late(
    desk: Page, room: Room, web: WebHouse, address: str, sign_in: SignIn, mail_server: MailServer
) -> None:
    batch = room.booked(room.applicants(3), room.template())
    sign_in(desk, "recruiter")
    desk.goto(f"{address}/notices/{batch}")
    room.clock.move(900)
    room.work()
    desk.click("#cancel")
    expect(desk.locator("#error-code")).to_have_text("cancel-too-late")
    assert room.states(batch) == {"sent": 3}


def test_reading_every_page_changes_nothing(room: Room, web: WebHouse) -> None:
    visitor, template = web.signed_in("admin"), room.template()
    draft = begin(visitor, room.applicants(3))
    write(visitor, draft, template)
    waiting = room.draft(room.applicants(10, first=10), template)
    room.request(waiting)
    booked = room.booked(room.applicants(3, first=30), template)

    def everything() -> list[tuple[str, ...]]:
        with room.node.database.reading() as session:
            return [
                tuple(str(value) for name, value in sorted(vars(row).items()) if name[0] != "_")
                for table in (models.NoticeBatch, models.Notice, models.Link, models.Template)
                for row in session.scalars(select(table).order_by(table.id))
            ]

    before = everything()
    paths = [
        f"/notices/{one}{more}"
        for one in (draft, waiting, booked)
        for more in ("", "/letters", "/confirm", "/progress", "/report.csv")
    ]
    pages = ["/notices", "/notices?state=waiting_approval", "/templates", "/templates/new"]
    pages += [f"/templates/{template}", f"/templates/{template}/versions"]
    for path in paths + pages:
        assert visitor.get(path).status_code in (200, 302), path
    for path in paths:
        assert visitor.get(path.replace("/letters", "/cancel")).status_code in (200, 302, 405)
    assert everything() == before


def test_the_requester_cannot_approve_and_a_viewer_can_do_nothing(
    room: Room, web: WebHouse
) -> None:
    admin, template = web.signed_in("admin"), room.template()
    batch = begin(admin, room.applicants(10))
    write(admin, batch, template)
    assert ask(admin, batch) == 302
    assert state(room, batch) == "waiting_approval"

    answer = admin.post(f"/notices/{batch}/approve", {"checked": CHECKS})
    assert answer.status_code == 403
    assert "approval-same-person" in answer.get_data(as_text=True)
    assert state(room, batch) == "waiting_approval"
    for role in ("viewer", "recruiter"):
        assert web.signed_in(role).post(f"/notices/{batch}/approve").status_code == 403
    viewer = web.signed_in("viewer")
    for act in ("cancel", "give-back", "request", "resend", "leave-out", "test", ""):
        assert viewer.post(f"/notices/{batch}/{act}".rstrip("/")).status_code == 403, act
    assert viewer.get(f"/notices/{batch}/report.csv").status_code == 403
    assert state(room, batch) == "waiting_approval"


def test_each_line_of_the_checklist_must_be_ticked(room: Room, web: WebHouse) -> None:
    visitor = web.signed_in("recruiter")
    template = room.template()
    batch = begin(visitor, room.applicants(3))
    write(visitor, batch, template)
    answer = visitor.post(f"/notices/{batch}/request", {"checked": ["recipients", "sender"]})
    assert answer.status_code == 422
    assert state(room, batch) == "draft"


def test_the_second_person_ticks_each_line_and_agrees_to_what_the_page_shows(
    room: Room, web: WebHouse
) -> None:
    batch = room.draft(room.applicants(12), room.template())
    room.request(batch)
    approver = web.signed_in("approver")
    page = approver.get(f"/notices/{batch}").get_data(as_text=True)
    found = re.search(r'name="digest" value="(\w+)"', page)
    assert found
    form = {"digest": found[1], "checked": CHECKS}
    answer = approver.post(f"/notices/{batch}/approve", {**form, "checked": CHECKS[:3]})
    assert answer.status_code == 422
    assert state(room, batch) == "waiting_approval"

    room.applicants(1, email="another@example.jp")
    answer = approver.post(f"/notices/{batch}/approve", form)
    assert answer.status_code == 409
    assert "もう一度ご確認ください" in answer.get_data(as_text=True)
    assert state(room, batch) == "waiting_approval"


def test_a_missing_value_is_named_on_the_page_and_nothing_is_sent(
    room: Room, web: WebHouse, mail_server: MailServer
) -> None:
    visitor = web.signed_in("recruiter")
    template = room.template()
    batch = begin(visitor, room.applicants(2) + room.applicants(1, first=9, job=""))
    write(visitor, batch, template)
    assert ask(visitor, batch) == 422
    page = visitor.get(f"/notices/{batch}/confirm").get_data(as_text=True)
    assert "{{求人名}}" in page
    assert state(room, batch) == "draft"
    room.clock.move(86_400)
    assert room.work() == 0
    assert mail_server.messages == []


def test_a_page_that_is_out_of_date_is_refused(room: Room, web: WebHouse) -> None:
    visitor = web.signed_in("recruiter")
    template = room.template()
    batch = begin(visitor, room.applicants(3))
    write(visitor, batch, template)
    answer = visitor.post(f"/notices/{batch}/request", {"digest": "0" * 64, "checked": CHECKS})
    assert answer.status_code == 409
    assert "もう一度ご確認ください" in answer.get_data(as_text=True)
    assert state(room, batch) == "draft"


def test_the_report_is_a_file_for_spreadsheets_without_formulas(room: Room, web: WebHouse) -> None:
    ids = room.applicants(2) + room.applicants(1, first=9, name="=SUM(A1)")
    batch = room.booked(ids, room.template())
    room.clock.move(900)
    room.work()
    answer = web.signed_in("recruiter").get(f"/notices/{batch}/report.csv")
    text = answer.get_data().decode("utf-8-sig")
    assert text.splitlines()[0] == (
        "氏名,メールアドレス,求人,選考ステップ,状態,専用リンク,送信日時,理由"
    )
    assert len(text.splitlines()) == 4
    assert "'=SUM(A1)" in text
    assert "あり" in text
    assert 'filename="notices-20261125.csv"' in answer.headers["Content-Disposition"]


def test_the_next_batch_begins_with_the_sender_of_the_last(room: Room, web: WebHouse) -> None:
    visitor = web.signed_in("recruiter")
    template = room.template()
    first = begin(visitor, room.applicants(1))
    write(visitor, first, template)
    room.clock.move(60)
    second = begin(visitor, room.applicants(1, first=5))
    page = visitor.get(f"/notices/{second}").get_data(as_text=True)
    for value in SENDER.values():
        assert f'value="{value}"' in page


def test_an_address_that_is_none_and_a_time_that_is_none_are_refused(
    room: Room, web: WebHouse
) -> None:
    visitor = web.signed_in("recruiter")
    template = room.template()
    batch = begin(visitor, room.applicants(1))
    values = {**SENDER, "template_id": template, "excluded_get": "plain"}
    for wrong in (
        {"sender_email": "not an address"},
        {"wished_at": "soon"},
        {"wished_at": "2027-11-25T10:00"},
        {"excluded_get": "something"},
        {"sender_name": "あ" * 81},
    ):
        assert visitor.post(f"/notices/{batch}", {**values, **wrong}).status_code == 422, wrong
    assert visitor.post(f"/notices/{batch}", {**values, "template_id": "x"}).status_code == 404
    assert visitor.get("/notices/nothing").status_code == 404
    assert visitor.get("/notices?before=garbage").status_code == 200


def test_a_choice_of_nobody_is_refused(room: Room, web: WebHouse) -> None:
    visitor = web.signed_in("recruiter")
    answer = visitor.post("/notices/new", {"chosen": room.applicants(1, status="active")})
    assert answer.status_code == 422
    assert "batch-empty" in answer.get_data(as_text=True)
    with room.node.database.reading() as session:
        assert list(session.scalars(select(models.NoticeBatch))) == []
