"""Mail, against a real SMTP server: what arrives, what is refused, and what is not known."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from node import config
from node.clock import FixedClock
from node.mail import (
    Mailer,
    MailServerUnavailable,
    MailUnknown,
    Message,
    MessageInvalid,
    MessageRefused,
    RecipientRefused,
)
from tests.equipment import smtp
from tests.equipment.certificates import Authority
from tests.equipment.smtp import MailServer

TO = "taro@example.jp"
SUBJECT = "【青葉システム】選考結果のご連絡"
TEXT = "山田 太郎 様\n\nお世話になっております。\n.\n髙橋です。\n"


def mailer_for(url: str) -> Mailer:
    settings = config.parse(
        {"TASUKI_SMTP_URL": url, "TASUKI_MAIL_FROM": "青葉（採用） <recruit@aoba.example>"}
    )
    return Mailer(settings, FixedClock(1_800_000_000))


class StubbornServer(MailServer):
    """Lets three mails through a connection, and breaks off when told to."""

    mails_per_connection = 3
    breaks_off = False
    refuses_text = False

    def __init__(self) -> None:
        super().__init__()
        self.connections: dict[object, int] = {}

    async def handle_MAIL(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        begun = self.connections.get(session.peer, 0)
        if begun >= self.mails_per_connection:
            return "421 4.7.0 Too many mails, closing"
        self.connections[session.peer] = begun + 1
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.breaks_off:
            server.transport.close()
        if self.refuses_text:
            return "554 5.7.1 Looks like spam"
        return await super().handle_DATA(server, session, envelope)


@pytest.fixture
def stubborn() -> Iterator[StubbornServer]:
    server = StubbornServer()
    with smtp.mail_server(server):
        yield server


def test_subject_text_and_sender_arrive_as_they_were_written(mail_server: MailServer) -> None:
    message = Message(TO, SUBJECT, TEXT, reply_to="人事 <hr@aoba.example>")
    message_id = mailer_for(mail_server.url).send(message)
    (mail,) = mail_server.messages
    assert mail["Subject"] == SUBJECT
    assert mail.get_content().replace("\r\n", "\n") == TEXT
    assert mail["From"].addresses[0].display_name == "青葉（採用）"
    assert mail["From"].addresses[0].addr_spec == "recruit@aoba.example"
    assert mail["Reply-To"].addresses[0].addr_spec == "hr@aoba.example"
    assert mail["Message-ID"] == message_id
    assert message_id.endswith("@aoba.example>")
    assert mail["Date"] == "Fri, 15 Jan 2027 17:00:00 +0900"


def test_a_mail_is_plain_text_in_utf_8_and_seven_bits_on_the_wire() -> None:
    mail = mailer_for("smtp://127.0.0.1:1").compose(Message(TO, SUBJECT, TEXT))
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content_charset() == "utf-8"
    assert not mail.is_multipart()
    content = mail.as_bytes()
    assert content.isascii()
    assert max(map(len, content.splitlines())) <= 998


def test_extra_headers_arrive(mail_server: MailServer) -> None:
    headers = (("Auto-Submitted", "auto-generated"),)
    mailer_for(mail_server.url).send(Message(TO, SUBJECT, TEXT, headers=headers))
    assert mail_server.messages[0]["Auto-Submitted"] == "auto-generated"


def test_the_address_to_unsubscribe_at_stays_in_one_piece() -> None:
    address = f"<https://tasuki.{'x' * 60}.example/l/{'A_b-' * 11}/stop>"
    message = Message(TO, SUBJECT, TEXT, headers=(("List-Unsubscribe", address),))
    mail = mailer_for("smtp://127.0.0.1:1").compose(message)
    assert f"\r\nList-Unsubscribe: {address}\r\n".encode() in mail.as_bytes()


@pytest.mark.parametrize("sign", ["\r\n", "\n", "\r", "\x00", "\x85", "\u2028"])
def test_a_line_break_in_any_header_is_refused_and_nothing_is_sent(
    mail_server: MailServer, sign: str
) -> None:
    evil = f"x{sign}Bcc: everybody@example.jp"
    with mailer_for(mail_server.url).connection() as connection:
        for message in (
            Message(TO, evil, TEXT),
            Message(f"{TO}{sign}Bcc: x@example.jp", SUBJECT, TEXT),
            Message(TO, SUBJECT, TEXT, reply_to=f"{TO}{sign}X: y"),
            Message(TO, SUBJECT, TEXT, headers=(("X-Batch", evil),)),
            Message(TO, SUBJECT, TEXT, headers=((f"X{sign}Y", "z"),)),
            Message(TO, SUBJECT, TEXT, message_id=f"<a@b>{sign}X: y"),
        ):
            with pytest.raises(MessageInvalid):
                connection.send(message)
    assert mail_server.messages == []


@pytest.mark.parametrize(
    "to",
    [
        "",
        "taro",
        "@example.jp",
        "taro@",
        "a@example.jp, b@example.jp",
        "a@example.jp;b@example.jp",
        "<a@example.jp> <b@example.jp>",
        "a b@example.jp",
        "a@b@example.jp",
        "太郎@example.jp",
        "x" * 400 + "@example.jp",
        '"a\\"@example.jp',
    ],
)
def test_what_is_not_one_address_is_refused(to: str) -> None:
    with pytest.raises(MessageInvalid):
        mailer_for("smtp://127.0.0.1:1").compose(Message(to, SUBJECT, TEXT))


@pytest.mark.parametrize(
    "message",
    [
        Message(TO, "x" * 901, TEXT),
        Message(TO, SUBJECT, "あ" * 40_000),
        Message(TO, SUBJECT, "\ud83d"),
        Message(TO, "\udc80", TEXT),
    ],
)
def test_texts_without_bound_or_with_half_a_character_are_refused(message: Message) -> None:
    with pytest.raises(MessageInvalid):
        mailer_for("smtp://127.0.0.1:1").compose(message)


def test_old_mobile_addresses_with_two_dots_are_written_in_quotes(
    mail_server: MailServer,
) -> None:
    mailer, message = mailer_for(mail_server.url), Message("a..b.@docomo.example", SUBJECT, TEXT)
    assert b'To: "a..b."@docomo.example\r\n' in mailer.compose(message).as_bytes()
    mailer.send(message)
    assert len(mail_server.messages) == 1


def test_a_refused_recipient_is_reported_for_that_mail_alone(mail_server: MailServer) -> None:
    mail_server.refused.add("gone@example.jp")
    outcome = []
    with mailer_for(mail_server.url).connection() as connection:
        for to in ("a@example.jp", "gone@example.jp", "b@example.jp"):
            try:
                outcome.append(connection.send(Message(to, SUBJECT, TEXT)) and "sent")
            except RecipientRefused as error:
                outcome.append((error.code, error.is_temporary, str(error)))
    assert outcome == ["sent", (550, False, "the server answered 550"), "sent"]
    assert [mail["To"] for mail in mail_server.messages] == ["a@example.jp", "b@example.jp"]


def test_a_busy_server_is_worth_another_try(mail_server: MailServer) -> None:
    mail_server.busy = True
    with pytest.raises(RecipientRefused) as caught:
        mailer_for(mail_server.url).send(Message(TO, SUBJECT, TEXT))
    assert caught.value.is_temporary


def test_many_mails_share_a_connection_and_a_server_that_closes_it_loses_none(
    stubborn: StubbornServer,
) -> None:
    with mailer_for(stubborn.url).connection() as connection:
        for number in range(7):
            connection.send(Message(f"p{number}@example.jp", SUBJECT, TEXT))
    assert [mail["To"] for mail in stubborn.messages] == [f"p{n}@example.jp" for n in range(7)]
    assert list(stubborn.connections.values()) == [3, 3, 1]


def test_a_server_that_takes_nothing_at_all_is_unavailable(stubborn: StubbornServer) -> None:
    stubborn.mails_per_connection = 0
    with pytest.raises(MailServerUnavailable) as caught:
        mailer_for(stubborn.url).send(Message(TO, SUBJECT, TEXT))
    assert caught.value.code == 421


def test_a_connection_that_breaks_after_the_text_is_unknown_and_the_next_mail_goes_on(
    stubborn: StubbornServer,
) -> None:
    with mailer_for(stubborn.url).connection() as connection:
        stubborn.breaks_off = True
        with pytest.raises(MailUnknown) as caught:
            connection.send(Message(TO, SUBJECT, TEXT))
        assert not caught.value.is_temporary
        stubborn.breaks_off = False
        connection.send(Message("next@example.jp", SUBJECT, TEXT))
    assert stubborn.messages[-1]["To"] == "next@example.jp"


def test_a_refused_text_is_reported_and_the_next_mail_goes_on(stubborn: StubbornServer) -> None:
    with mailer_for(stubborn.url).connection() as connection:
        stubborn.refuses_text = True
        with pytest.raises(MessageRefused) as caught:
            connection.send(Message(TO, SUBJECT, TEXT))
        assert caught.value.code == 554
        stubborn.refuses_text = False
        connection.send(Message(TO, SUBJECT, TEXT))
    assert len(stubborn.messages) == 1


def test_a_server_that_is_down_is_said_to_be_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    mailer = mailer_for(f"smtp://127.0.0.1:{port}")
    with pytest.raises(MailServerUnavailable, match=f"127.0.0.1:{port}: ConnectionRefused"):
        mailer.send(Message(TO, SUBJECT, TEXT))
    with pytest.raises(MailServerUnavailable):
        mailer.check()


def test_a_server_that_is_up_passes_the_check(mail_server: MailServer) -> None:
    mailer_for(mail_server.url).check()


def test_protection_that_the_server_does_not_offer_is_not_done_without(
    mail_server: MailServer, tmp_path: Path
) -> None:
    with pytest.raises(MailServerUnavailable):
        mailer_for(f"{mail_server.url}?starttls=1").send(Message(TO, SUBJECT, TEXT))
    with pytest.raises(MailServerUnavailable):
        mailer_for(mail_server.url.replace("//", "//user:password@")).check()
    assert mail_server.messages == []


@pytest.mark.parametrize(
    ("name", "trusted", "outcome"),
    [("localhost", True, "sent"), ("localhost", False, "refused"), ("x.example", True, "refused")],
)
def test_a_protected_connection_needs_a_trusted_certificate_of_that_host(
    tmp_path: Path, name: str, trusted: bool, outcome: str
) -> None:
    authority = Authority(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate(name))
    with smtp.mail_server(tls=context) as server:
        settings = config.parse(
            {
                "TASUKI_SMTP_URL": f"smtp://localhost:{server.port}?starttls=1",
                "TASUKI_CA_FILE": str(authority.file) if trusted else "",
            }
        )
        try:
            Mailer(settings, FixedClock()).send(Message(TO, SUBJECT, TEXT))
            found = "sent"
        except MailServerUnavailable:
            found = "refused"
        assert (found, len(server.messages)) == (outcome, int(outcome == "sent"))
