"""The mailbox of everybody in the demonstration: a real SMTP server, and a page to read its mails.

Mails are kept in memory only. People do not exist here; whoever looks at the page is all of them.
"""

import asyncio
import re
import socket
import ssl
import threading
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

HOST = "127.0.0.1"
LINK = re.compile(r"https?://[^\s<>\"]+")
CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")
PAGE = """<!doctype html><html lang="ja"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
body{{font:16px/1.75 "Noto Sans JP","Hiragino Sans",sans-serif;margin:2rem auto;max-width:52rem;
padding:0 1rem;color:#1a1a1c}} table{{border-collapse:collapse;width:100%}}
td,th{{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #ccc;vertical-align:top}}
pre{{white-space:pre-wrap;font:inherit;background:#f5f5f7;padding:1rem;border-radius:.5rem}}
a{{color:#0017c1}} pre,td,h1,p{{overflow-wrap:anywhere}}
@media(max-width:40rem){{body{{margin:1rem auto}} h1{{font-size:1.375rem}} th{{display:none}}
tr{{display:block;padding:.5rem 0;border-bottom:1px solid #ccc}}
td{{display:block;padding:0;border:0}}}}</style></head><body>{content}</body></html>"""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as its reader sees it."""

    to: str
    sender: str
    subject: str
    text: str

    @property
    def link(self) -> str:
        """The first link in it; "" without one."""
        found = LINK.search(self.text)
        return found.group() if found else ""

    @property
    def code(self) -> str:
        """The code of six digits in it; "" without one."""
        found = CODE.search(self.text)
        return found.group() if found else ""


class Mailbox:
    """What arrived, oldest first."""

    def __init__(self) -> None:
        self._mails: list[Mail] = []
        self._refused: set[str] = set()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._mails)

    def all(self) -> list[Mail]:
        """Every mail so far."""
        with self._lock:
            return list(self._mails)

    def to(self, address: str) -> list[Mail]:
        """The mails of one address."""
        return [mail for mail in self.all() if mail.to == address]

    def refuse(self, address: str) -> None:
        """Have no mailbox of that name from now on."""
        self._refused.add(address)

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self,
        server: SMTP,  # noqa: ARG002 (aiosmtpd hands it in)
        session: Session,  # noqa: ARG002
        envelope: Envelope,
        address: str,
        options: list[str],  # noqa: ARG002
    ) -> str:
        """Say whether there is such a mailbox; aiosmtpd calls this."""
        if address in self._refused:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 (aiosmtpd's name)
        self,
        server: SMTP,  # noqa: ARG002 (aiosmtpd hands it in)
        session: Session,  # noqa: ARG002
        envelope: Envelope,
    ) -> str:
        """Take a mail; aiosmtpd calls this."""
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=policy.SMTP)
        body = message.get_body(("plain",))
        text = str(body.get_content()) if body else ""
        for recipient in envelope.rcpt_tos:
            mail = Mail(recipient, str(message["From"]), str(message["Subject"]), text)
            with self._lock:
                self._mails.append(mail)
        return "250 OK"


class BoundController(Controller):
    """aiosmtpd on a socket that is bound already, so that its port is known before it runs."""

    def __init__(
        self, handler: object, bound: socket.socket, tls: ssl.SSLContext | None = None
    ) -> None:
        host, port = bound.getsockname()[:2]
        super().__init__(
            handler,
            hostname=host,
            port=port,
            tls_context=tls,
            require_starttls=tls is not None,
        )
        self._bound = bound

    def _create_server(self) -> Awaitable[asyncio.AbstractServer]:
        return self.loop.create_server(self._factory_invoker, sock=self._bound)


@contextmanager
def running(bound: socket.socket) -> Iterator[Mailbox]:
    """Take mail on a bound socket until the block ends."""
    mailbox = Mailbox()
    controller = BoundController(mailbox, bound)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
        # The controller makes its loop the thread's own; that thread has ended.
        asyncio.set_event_loop(None)


@contextmanager
def page(mailbox: Mailbox) -> Iterator[str]:
    """Show the mails on a page of this machine; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """List the mails, or show one."""
            mails = mailbox.all()
            number = self.path.strip("/")
            if not number:
                self._answer(_listed(mails))
            elif number.isdecimal() and int(number) < len(mails):
                self._answer(_shown(mails[int(number)]))
            else:
                self.send_error(HTTPStatus.NOT_FOUND)

        def log_message(self, *_: object) -> None:
            """Stay silent: addresses of links would stand in the log."""

        def _answer(self, content: str) -> None:
            body = PAGE.format(title="メール箱 | Mailbox", content=content).encode()
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("Referrer-Policy", "no-referrer")
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer((HOST, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, name="mailbox page", daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _listed(mails: list[Mail]) -> str:
    rows = "".join(
        f'<tr><td>{escape(mail.to)}</td><td><a href="/{number}">{escape(mail.subject)}</a></td>'
        f"<td>{escape(mail.sender)}</td></tr>"
        for number, mail in reversed(list(enumerate(mails)))
    )
    head = "<tr><th>宛先 / To</th><th>件名 / Subject</th><th>差出人 / From</th></tr>"
    body = f"<table>{head}{rows}</table>" if rows else "<p>まだありません。 / Nothing yet.</p>"
    hint = (
        "「選考結果のご連絡」のリンクを開くと、応募者として進めます。 / "
        "Open the link in a 選考結果のご連絡 to be an applicant."
    )
    return f"<h1>メール箱 / Mailbox ({len(mails)})</h1><p>{hint}</p>{body}"


def _shown(mail: Mail) -> str:
    text = escape(mail.text, quote=False)
    linked = LINK.sub(lambda found: f'<a href="{found.group()}">{found.group()}</a>', text)
    return (
        f'<p><a href="/">← メール箱 / Mailbox</a></p><h1>{escape(mail.subject)}</h1>'
        f"<p>{escape(mail.sender)} → {escape(mail.to)}</p><pre>{linked}</pre>"
    )
