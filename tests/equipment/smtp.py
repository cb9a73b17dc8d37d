"""A real SMTP server on loopback that keeps what it was sent."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast

from aiosmtpd.smtp import SMTP, Envelope, Session

from node.cli.demo.mailbox import BoundController

WAIT_S = 10


class MailServer:
    """Where a node's mails arrive: `.url` for its settings, `.messages` for the test.

    Add an address to `.refused` and its mails are turned away with 550, as a mailbox that does
    not exist would do; set `.busy` and all are put off with 451, as a greylisting server would.
    """

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.refused: set[str] = set()
        self.busy = False
        self.host, self.port = "127.0.0.1", 0
        self._arrived = threading.Condition()

    @property
    def url(self) -> str:
        return f"smtp://{self.host}:{self.port}"

    def to(self, address: str) -> list[EmailMessage]:
        """What this address got, oldest first."""
        return [message for message in list(self.messages) if address in message["To"]]

    def wait_for(
        self, enough: Callable[[list[EmailMessage]], bool], *, timeout_s: float = WAIT_S
    ) -> list[EmailMessage]:
        """Wait until `enough(messages)`; a mail is sent by a worker, in its own time."""
        deadline = time.monotonic() + timeout_s
        with self._arrived:
            while not enough(self.messages):
                left = deadline - time.monotonic()
                if left <= 0 or not self._arrived.wait(left):
                    seen = [(m["To"], m["Subject"]) for m in self.messages]
                    raise AssertionError(f"the mails waited for did not come; there are {seen}")
            return list(self.messages)

    def wait_for_one_to(self, address: str, *, timeout_s: float = WAIT_S) -> EmailMessage:
        self.wait_for(lambda _: bool(self.to(address)), timeout_s=timeout_s)
        return self.to(address)[-1]

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.busy:
            return "451 4.7.1 Please try again later"
        if address in self.refused:
            return "550 5.1.1 No such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.SMTP)
        with self._arrived:
            self.messages.append(cast(EmailMessage, message))
            self._arrived.notify_all()
        return "250 OK"


@contextmanager
def mail_server(
    server: MailServer | None = None, *, tls: ssl.SSLContext | None = None
) -> Iterator[MailServer]:
    """Run a mail server, or a kind of it with habits of its own; with `tls` it insists on it."""
    server = server or MailServer()
    bound = socket.create_server((server.host, 0))
    server.port = bound.getsockname()[1]
    controller = BoundController(server, bound, tls)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()
        # The controller sets its loop as the thread's own; that thread has ended.
        asyncio.set_event_loop(None)
