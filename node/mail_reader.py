"""The mail reader: reports in the mailbox to which other mail servers send back what we sent.

IMAP4rev1 (RFC 3501) over TLS from the first byte, to a server whose certificate is checked. It asks
for delivery reports that nobody has read, reads each within bounds and marks what it is told to:
every other mail in that mailbox stays as it is, unread.
"""

import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date

from node.config import Settings, SettingsInvalid
from node.config_values import IMAPMailbox

# A server that does not answer in this time is treated as away.
TIMEOUT_S = 20
# A report is one literal, and no longer than we ask for; more is no answer to our question.
LITERAL_BYTES_MAX = 2 * 1024 * 1024
# RFC 6522: what a delivery report says of itself, in whatever order and quotes.
REPORTS = ("UNSEEN", "HEADER", "Content-Type", "delivery-status", "SINCE")
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
UID = re.compile(rb"[1-9][0-9]{0,9}")


class MailboxUnavailable(Exception):
    """The mailbox cannot be reached, or does not let us in."""


class _Bounded(imaplib.IMAP4_SSL):
    """A server that announces a gigabyte is not listened to."""

    def read(self, size: int) -> bytes:
        if size > LITERAL_BYTES_MAX:
            raise self.abort("a literal is too large")
        return super().read(size)


class Reports:
    """The open mailbox."""

    def __init__(self, connection: imaplib.IMAP4_SSL, validity: bytes) -> None:
        self._connection = connection
        # Under another one the numbers below name other mails.
        self.validity = validity

    def unread(self, since: date) -> list[int]:
        """Return the numbers of the reports of that day or later that nobody has read, in order."""
        day = f"{since.day}-{MONTHS[since.month - 1]}-{since.year}"
        with _plainly():
            status, found = self._connection.uid("SEARCH", *REPORTS, day)
            _expect(status)
        numbers = b" ".join(each for each in found if isinstance(each, bytes)).split()
        return sorted({int(each) for each in numbers if UID.fullmatch(each)})

    def read(self, number: int, bytes_max: int) -> bytes:
        """Return the beginning of a mail; empty when it is not there any more. It stays unread."""
        with _plainly():
            wanted = f"(BODY.PEEK[]<0.{bytes_max}>)"
            status, found = self._connection.uid("FETCH", str(number), wanted)
            _expect(status)
        literals = [each[1] for each in found if isinstance(each, tuple)]
        return bytes(literals[0][:bytes_max]) if literals else b""

    def mark_read(self, number: int) -> None:
        """Say that this report has been dealt with."""
        with _plainly():
            status, _ = self._connection.uid("STORE", str(number), "+FLAGS.SILENT", r"(\Seen)")
            _expect(status)


@contextmanager
def opened(settings: Settings) -> Iterator[Reports]:
    """Open the mailbox that the settings name; raise MailboxUnavailable or SettingsInvalid."""
    mailbox = settings.bounce_mailbox
    assert mailbox is not None, "asked only where there is one"
    password = settings.read_bounce_password()
    if not password.isascii():
        raise SettingsInvalid(("the password of the mailbox has other signs than ASCII's",))
    with _plainly():
        context = ssl.create_default_context(cafile=str(settings.ca_file or "") or None)
        connection = _Bounded(mailbox.host, mailbox.port, ssl_context=context, timeout=TIMEOUT_S)
    try:
        yield Reports(connection, _enter(connection, mailbox, password))
    finally:
        # Without CLOSE, which would remove what others have marked as deleted.
        with suppress(imaplib.IMAP4.error, OSError):
            connection.logout()


def _enter(connection: imaplib.IMAP4_SSL, mailbox: IMAPMailbox, password: str) -> bytes:
    with _plainly():
        connection.login(mailbox.user, password)
        status, _ = connection.select(f'"{mailbox.folder}"')
        _expect(status)
        _, validity = connection.response("UIDVALIDITY")
    return validity[0] if validity and isinstance(validity[0], bytes) else b""


def _expect(status: str) -> None:
    if status != "OK":
        raise MailboxUnavailable("the server said no")


@contextmanager
def _plainly() -> Iterator[None]:
    """Say what failed without the server's own words, which may name people."""
    try:
        yield
    except (imaplib.IMAP4.error, OSError, ValueError) as error:
        raise MailboxUnavailable(type(error).__name__) from error
