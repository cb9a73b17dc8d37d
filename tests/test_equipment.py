"""The equipment of the tests does what the other tests rely on."""

import smtplib
import subprocess
import sys
import time
from email.message import EmailMessage
from pathlib import Path

import pytest
from playwright.sync_api import Page
from sqlalchemy import create_engine, text

from node.cli.demo.postgresql import NoPostgreSQL, PostgreSQLServer
from tests.equipment import smtp
from tests.equipment.browser import AccessibilityCheck, accessibility_violations

GOOD_PAGE = """<!doctype html><html lang="ja"><head><title>襷</title>
<meta name="viewport" content="width=device-width"></head>
<body><main><h1>襷</h1></main></body></html>"""


def mail_to(address: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "hr@aoba.example", address, "選考結果"
    message.set_content("このたびは")
    return message


def test_a_mail_that_was_sent_can_be_read(mail_server: smtp.MailServer) -> None:
    with smtplib.SMTP(mail_server.host, mail_server.port) as client:
        client.send_message(mail_to("a@example.jp"))
    message = mail_server.wait_for_one_to("a@example.jp")
    assert message["Subject"] == "選考結果"
    assert message.get_content().strip() == "このたびは"


def test_the_mail_server_can_refuse_an_address_and_be_busy(mail_server: smtp.MailServer) -> None:
    mail_server.refused.add("gone@example.jp")
    with smtplib.SMTP(mail_server.host, mail_server.port) as client:
        with pytest.raises(smtplib.SMTPRecipientsRefused, match="550"):
            client.send_message(mail_to("gone@example.jp"))
        mail_server.busy = True
        with pytest.raises(smtplib.SMTPRecipientsRefused, match="451"):
            client.send_message(mail_to("a@example.jp"))
    assert mail_server.messages == []


@pytest.mark.postgresql
def test_the_test_server_dies_with_the_tests_even_when_they_are_killed() -> None:
    program = (
        "import time; from node.cli.demo.postgresql import PostgreSQLServer\n"
        "with PostgreSQLServer() as s: print(s.url('postgres'), flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as p:
        assert p.stdout is not None
        url = p.stdout.readline().strip()
        assert url, "no PostgreSQL server started"
        p.kill()
    socket = Path(url.partition("host=")[2]) / ".s.PGSQL.5432"
    deadline = time.monotonic() + 10
    while socket.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not socket.exists(), "the server outlived the tests that started it"
    subprocess.run(["rm", "-rf", socket.parent], check=True)


@pytest.mark.postgresql
def test_a_durable_server_can_be_had_for_tests_that_measure() -> None:
    try:
        with PostgreSQLServer(durable=True) as server:
            engine = create_engine(server.url("postgres"))
            with engine.connect() as connection:
                assert connection.scalar(text("SHOW fsync")) == "on"
                assert connection.scalar(text("SHOW synchronous_commit")) == "on"
            engine.dispose()
    except NoPostgreSQL as reason:
        pytest.skip(str(reason))


@pytest.mark.browser
def test_a_sound_page_has_no_violations(
    phone: Page, check_accessibility: AccessibilityCheck
) -> None:
    phone.set_content(GOOD_PAGE)
    check_accessibility(phone)


@pytest.mark.browser
def test_a_picture_without_words_is_a_violation(desk: Page) -> None:
    desk.set_content(
        GOOD_PAGE.replace("</h1>", "</h1><img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>")
    )
    assert any("image-alt" in line for line in accessibility_violations(desk))


@pytest.mark.browser
def test_a_page_that_scrolls_sideways_is_found(
    phone: Page, check_accessibility: AccessibilityCheck
) -> None:
    phone.set_content(GOOD_PAGE.replace("<h1>", "<h1 style='width: 900px'>"))
    with pytest.raises(AssertionError, match="scrolls sideways"):
        check_accessibility(phone)
