"""Mail: one plain-text message to one person, handed to the member's own SMTP server.

RFC 5321 and 5322.  Nothing is sent twice knowingly: when the connection breaks after the text
was handed over, the result is unknown and said to be so.
"""

import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime, make_msgid
from types import TracebackType
from typing import Self

from node.clock import Clock
from node.config import Settings
from node.config_values import SMTPServer

# A server that does not greet or answer in this time is treated as away.
TIMEOUT_S = 20
# RFC 5321 4.5.3.1: 64 before the @, 255 after; longer addresses do not exist.
ADDRESS_CHARS_MAX = 320
# RFC 5322 2.1.1: 998 characters a line, and a subject is folded into few.
SUBJECT_CHARS_MAX = 900
# 100 kB of text is a novel; a notice is a page.
TEXT_BYTES_MAX = 100_000
# A consent receipt for ten partners has 10 kB, twice over with its signature.
ATTACHMENTS_BYTES_MAX = 200_000
# Names are ours, never a person's: nothing in them needs another sign.
FILE_NAME = re.compile(r"[a-z0-9-]{1,60}(?:\.[a-z0-9]{1,10}){1,2}\Z")
HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}\Z")
CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
# Either `Name <a@b>` or `a@b`; a comma would make it a list.
MAILBOX = re.compile(r"(?:(?P<name>[^<>,;]*)<(?P<quoted>[^<>\s]+)>|(?P<bare>[^<>\s]+))\Z")
TEMPORARY = range(400, 500)


class AddressHeader(UnstructuredHeader, BaseHeader):
    """A header that holds an address of the web, in one line: broken up, no program reads it."""

    def fold(self, *, policy: Policy) -> str:
        """Return the header as it goes out; `_check` has seen to it that it is one line."""
        return f"{self.name}: {self}{policy.linesep}"


HEADERS = HeaderRegistry()
HEADERS.map_to_type("list-unsubscribe", AddressHeader)
# 7 bits on the wire: old servers neither change nor refuse it, and signatures on it hold.
POLICY = SMTP.clone(cte_type="7bit", header_factory=HEADERS)


class MailError(Exception):
    """The mail was not sent."""

    def __init__(self, code: int | None = None, reason: str = "") -> None:
        # The server's own words stay out: they may quote the address.
        super().__init__(reason or (f"the server answered {code}" if code else ""))
        self.code = code

    @property
    def is_temporary(self) -> bool:
        """Tell whether trying later makes sense."""
        return self.code is None or self.code in TEMPORARY


class MessageInvalid(MailError):
    """The address, subject, text or a header of this mail cannot stand in a mail."""

    is_temporary = False


class RecipientRefused(MailError):
    """The mail server does not take mail for this address."""


class MessageRefused(MailError):
    """The mail server refused this mail."""


class MailServerUnavailable(MailError):
    """The mail server cannot be reached or does not let us in; nothing was sent."""

    is_temporary = True


class MailUnknown(MailError):
    """The connection broke after the text was handed over; it may have been sent."""

    is_temporary = False


@dataclass(frozen=True, slots=True)
class Attachment:
    """A text that travels with a mail as a file, such as a receipt that programs can read."""

    name: str
    subtype: str  # of application/: "json"
    content: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """One mail to one person: never a list, so that nobody sees another's address."""

    to: str
    subject: str
    text: str
    reply_to: str | None = None
    headers: tuple[tuple[str, str], ...] = field(default=())
    attachments: tuple[Attachment, ...] = field(default=())
    # Given by whoever may send the same mail again after a crash; else one is made.
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One address, with or without a name beside it."""

    name: str
    local: str
    domain: str

    @property
    def address(self) -> str:
        """Return the address; old ones such as a..b@docomo.ne.jp must be written in quotes."""
        dots = self.local.startswith(".") or self.local.endswith(".") or ".." in self.local
        return f'"{self.local}"@{self.domain}' if dots else f"{self.local}@{self.domain}"

    @property
    def header(self) -> str:
        """Return the address as it stands in a header."""
        return f'"{self.name}" <{self.address}>' if self.name else self.address


class Mailer:
    """Sends through the configured server: `send` for one, `connection` for many."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._server = settings.smtp
        self._sender = _mailbox(settings.mail_from)
        self._clock = clock
        self._zone = settings.time_zone
        self._ca_file = settings.ca_file

    def send(self, message: Message) -> str:
        """Send one mail and return its Message-ID; raise MailError."""
        with self.connection() as connection:
            return connection.send(message)

    @contextmanager
    def connection(self) -> "Iterator[MailConnection]":
        """Give a connection that sends many; a refused mail does not end it."""
        connection = MailConnection(self)
        try:
            yield connection
        finally:
            connection.close()

    def check(self) -> None:
        """Raise MailServerUnavailable unless the server greets us and lets us in."""
        with self.connection() as connection:
            connection.open()

    def compose(self, message: Message) -> EmailMessage:
        """Return the mail as it goes out; raise MessageInvalid."""
        _check(message)
        mail = EmailMessage(policy=POLICY)
        try:
            mail["From"] = self._sender.header
            mail["To"] = _mailbox(message.to).header
            mail["Subject"] = message.subject
            if message.reply_to:
                mail["Reply-To"] = _mailbox(message.reply_to).header
            now = datetime.fromtimestamp(self._clock.now(), self._zone)
            mail["Date"] = format_datetime(now)
            mail["Message-ID"] = message.message_id or make_msgid(domain=self._sender.domain)
            for name, value in message.headers:
                mail[name] = value
        except (ValueError, MessageError) as error:
            raise MessageInvalid(reason="a header cannot be written") from error
        mail.set_content(message.text, charset="utf-8")
        for each in message.attachments:
            content = each.content.encode()
            mail.add_attachment(content, "application", each.subtype, filename=each.name)
        return mail

    def connect(self) -> smtplib.SMTP:
        """Return a connection that is protected and signed in as the settings say."""
        try:
            return _connect(self._server, self._ca_file)
        except (OSError, smtplib.SMTPException) as error:
            reason = f"{self._server.host}:{self._server.port}: {type(error).__name__}"
            code = getattr(error, "smtp_code", None)
            raise MailServerUnavailable(code, reason) from error

    @property
    def sender(self) -> str:
        """Return the address that the envelope names; bounces go there."""
        return self._sender.address


class MailConnection:
    """One connection, opened at the first mail and again when the server has closed it."""

    def __init__(self, mailer: Mailer) -> None:
        self._mailer = mailer
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def open(self) -> smtplib.SMTP:
        """Return the open connection; raise MailServerUnavailable."""
        if self._smtp is None:
            self._smtp = self._mailer.connect()
        return self._smtp

    def send(self, message: Message) -> str:
        """Send one mail and return its Message-ID; raise MailError."""
        mail = self._mailer.compose(message)
        recipient = _mailbox(message.to).address
        content = mail.as_bytes()

        smtp = self._begin()
        try:
            code, _ = smtp.rcpt(recipient)
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            self._drop()
            raise MailServerUnavailable(reason="the server closed the connection") from error
        if code not in (250, 251):
            self._reset()
            raise RecipientRefused(code)
        self._hand_over(smtp, content)
        return str(mail["Message-ID"])

    def close(self) -> None:
        """Say goodbye; a server that is gone already is no error."""
        if self._smtp is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._smtp.quit()
            self._smtp = None

    def _begin(self) -> smtplib.SMTP:
        """Begin a mail; once again on a new connection, when the server closed the old."""
        for fresh in (self._smtp is None, True):
            smtp = self.open()
            try:
                smtp.ehlo_or_helo_if_needed()
                code, _ = smtp.mail(self._mailer.sender)
            except (smtplib.SMTPException, OSError) as error:
                self._drop()
                if fresh:
                    reason = f"the server broke off: {type(error).__name__}"
                    raise MailServerUnavailable(reason=reason) from error
                continue
            if code == 250:
                return smtp
            # 421: the server closes, often after its own limit of mails a connection.
            self._drop()
            if fresh or code != 421:
                raise MailServerUnavailable(code)
        raise AssertionError("the second round returns or raises")

    def _hand_over(self, smtp: smtplib.SMTP, content: bytes) -> None:
        try:
            code, _ = smtp.data(content)
        except smtplib.SMTPDataError as error:
            self._reset()
            raise MessageRefused(error.smtp_code) from error
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            raise MailUnknown from error
        if code != 250:
            self._reset()
            raise MessageRefused(code)

    def _reset(self) -> None:
        """Forget the begun mail, so that the next one starts clean."""
        if self._smtp is not None:
            try:
                self._smtp.rset()
            except (smtplib.SMTPException, OSError):
                self._drop()

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None


def _connect(server: SMTPServer, ca_file: object) -> smtplib.SMTP:
    context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    smtp: smtplib.SMTP
    if server.tls == "implicit":
        smtp = smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=context)
    else:
        smtp = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
    try:
        if server.tls == "starttls":
            smtp.starttls(context=context)
        if server.user is not None:
            smtp.login(server.user, server.password or "")
    except (OSError, smtplib.SMTPException):
        smtp.close()
        raise
    return smtp


def _check(message: Message) -> None:
    """Raise MessageInvalid for what would begin a second header, or grow without bound."""
    values = [message.to, message.subject, message.reply_to or "", message.message_id or ""]
    for name, value in message.headers:
        if not HEADER_NAME.match(name):
            raise MessageInvalid(reason="a header has no such name")
        values.append(value)
    if any(CONTROL.search(value) for value in values):
        # ASVS 1.3.11: a line break in a header would write the next one.
        raise MessageInvalid(reason="a header holds a line break or a control character")
    try:
        text = message.text.encode()
        "".join(values).encode()
    except UnicodeEncodeError as error:
        raise MessageInvalid(reason="half a character stands in it") from error
    if len(message.subject) > SUBJECT_CHARS_MAX:
        raise MessageInvalid(reason=f"the subject is over {SUBJECT_CHARS_MAX} characters")
    if len(text) > TEXT_BYTES_MAX:
        raise MessageInvalid(reason=f"the text is over {TEXT_BYTES_MAX} bytes")
    if not all(FILE_NAME.match(each.name) for each in message.attachments):
        raise MessageInvalid(reason="an attachment has no such name")
    if sum(len(each.content.encode()) for each in message.attachments) > ATTACHMENTS_BYTES_MAX:
        raise MessageInvalid(reason=f"the attachments are over {ATTACHMENTS_BYTES_MAX} bytes")


def _mailbox(text: str) -> Mailbox:
    """Parse one mailbox; raise MessageInvalid for none, for several, and for a route."""
    found = MAILBOX.match(text)
    address = (found["quoted"] or found["bare"]) if found else ""
    local, _, domain = address.rpartition("@")
    if not found or not local or not domain or len(address) > ADDRESS_CHARS_MAX:
        raise MessageInvalid(reason="the address is not one mailbox")
    if not (address.isascii() and address.isprintable()):
        raise MessageInvalid(reason="the address has other signs than ASCII's")
    if any(sign in ',;:()[]\\"' for sign in address) or "@" in local:
        raise MessageInvalid(reason="the address is not one mailbox")
    name = (found["name"] or "").replace('"', "").replace("\\", "").strip()
    return Mailbox(name, local, domain)
