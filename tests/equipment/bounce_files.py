"""Bounces as mail servers send them (RFC 3464, in the shape of Postfix), and others that lie."""

from dataclasses import dataclass, replace
from email.message import EmailMessage

BOUNDARY = "4F1A2B3C.1795312800/mx.example.jp"


@dataclass(frozen=True)
class Bounce:
    """What a bounce says; each field may be changed into a lie."""

    original: str  # the headers of the mail that came back
    final: str  # rfc822; whom the last server did not reach
    action: str = "failed"
    status: str = "5.1.1"
    date: str = "Wed, 25 Nov 2026 11:20:00 +0900"
    first: str = ""  # Original-Recipient
    report: str = "multipart/report; report-type=delivery-status"
    third: str = "text/rfc822-headers"

    def data(self) -> bytes:
        original = f"Original-Recipient: rfc822;{self.first}\n" if self.first else ""
        lines = f"""\
From: MAILER-DAEMON@mx.example.jp (Mail Delivery System)
To: saiyo@aoba.example.jp
Subject: Undelivered Mail Returned to Sender
Date: {self.date}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: {self.report};
\tboundary="{BOUNDARY}"

--{BOUNDARY}
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.
<{self.final}>: host mx.example.jp said: 550 5.1.1 <{self.final}>: unknown user

--{BOUNDARY}
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.jp
Arrival-Date: {self.date}

Final-Recipient: rfc822; {self.final}
{original}Action: {self.action}
Status: {self.status}
Diagnostic-Code: smtp; 550 5.1.1 <{self.final}>: unknown user

--{BOUNDARY}
Content-Description: Undelivered Message Headers
Content-Type: {self.third}

{self.original}

--{BOUNDARY}--
"""
        return lines.replace("\n", "\r\n").encode()

    def changed(self, **fields: str) -> "Bounce":
        return replace(self, **fields)


def of(mail: EmailMessage, **fields: str) -> Bounce:
    """The bounce of a mail that our test server took."""
    names = ("From", "To", "Subject", "Date", "Message-ID")
    headers = "\n".join(f"{name}: {mail[name]}" for name in names if name != "Subject")
    return Bounce(original=headers, final=str(mail["To"])).changed(**fields)


def mbox(*mails: bytes) -> bytes:
    """A mailbox file (RFC 4155)."""
    line = b"From MAILER-DAEMON Wed Nov 25 11:20:00 2026\n"
    return b"".join(line + mail.replace(b"\r\n", b"\n") + b"\n" for mail in mails)
