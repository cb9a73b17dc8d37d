"""Bounce mails: delivery status notifications of other mail servers.  RFC 3464, 3463, 6522.

Anybody may send one, so all of it is a claim: which mail, to whom, what became of it. Who records
it decides what to believe. The server's own words are not even read: they may quote the address.
"""

import email
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from email.policy import compat32
from email.utils import mktime_tz, parseaddr, parsedate_tz

from node.services.notices.refusals import NotABounce

# A notice has a few kilobytes and comes back once; servers add their own words.
MAIL_BYTES_MAX = 1024 * 1024
# A notice has one recipient, which an alias may have made several.
RECIPIENTS_MAX = 10
# A bounce is one, and so may be what came back. Python's reader holds each line against the border
# of every part around it: a megabyte in hundreds of parts would take it minutes.
MULTIPARTS_MAX = 8
# Python's reader takes time by the square of a parameter's length; real ones say less than this.
CONTENT_TYPE_BYTES_MAX = 2000
CONTENT_TYPE = re.compile(rb"^content-type:[^\n]*(?:\n[ \t][^\n]*)*", re.IGNORECASE | re.MULTILINE)
FIELD_CHARS_MAX = 1000
RETURNED = ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers")
ACTIONS = ("failed", "delayed")  # RFC 3464 2.3.3; the others say that it arrived, or went on
STATUS = re.compile(r"([45]\.\d{1,3}\.\d{1,3})(?:\s|\(|\Z)")
MESSAGE_ID = re.compile(r"<[\x21-\x3b\x3d\x3f-\x7e]{1,200}>\Z")


@dataclass(frozen=True, slots=True)
class BounceMail:
    """What a bounce claims: of which mail, to which addresses, and with which status."""

    message_id: str
    recipients: frozenset[str]
    action: str
    status: str
    reported_at: int | None
    # SHA-256 of the whole mail, in hex.
    digest: str


def parse(data: bytes) -> BounceMail:
    """Read a mail as a bounce of one mail; raise NotABounce for every other mail.

    It takes its time, so do it before a transaction begins.
    """
    if len(data) > MAIL_BYTES_MAX or data.lower().count(b"multipart/") > MULTIPARTS_MAX:
        raise NotABounce
    try:
        return _parse(_read(data), hashlib.sha256(data).hexdigest())
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        # What Python's reader makes of garbage is not promised; a bounce of ours is none of it.
        raise NotABounce from error
    except RecursionError as error:
        raise NotABounce from error


def address_key(address: str) -> str:
    """Return what two ways to write one address have in common."""
    return address.replace('"', "").strip().casefold()


def _read(data: bytes) -> Message:
    lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    for found in CONTENT_TYPE.finditer(lines):
        if len(found[0]) > CONTENT_TYPE_BYTES_MAX:
            raise NotABounce
    return email.message_from_bytes(data, policy=compat32)


def _parse(mail: Message, digest: str) -> BounceMail:
    parts = _parts(mail)
    kind = str(mail.get_param("report-type", "")).lower()
    if mail.get_content_type() != "multipart/report" or kind != "delivery-status":
        raise NotABounce
    if len(parts) < 3 or parts[1].get_content_type() != "message/delivery-status":
        raise NotABounce
    returned = _returned(parts[2])
    message_id = _field(returned, "Message-ID")
    if not MESSAGE_ID.match(message_id):
        raise NotABounce
    groups = _parts(parts[1])[1:]
    told = [each for each in groups[:RECIPIENTS_MAX] if _action(each) in ACTIONS]
    if not told:
        raise NotABounce
    # One that failed counts more than one that only waits.
    worst = min(told, key=lambda each: ACTIONS.index(_action(each)))
    status = STATUS.match(_field(worst, "Status"))
    if status is None:
        raise NotABounce
    return BounceMail(
        message_id=message_id,
        recipients=_recipients(worst, returned),
        action=_action(worst),
        status=status[1],
        reported_at=_moment(_field(mail, "Date")),
        digest=digest,
    )


def _parts(mail: Message) -> Sequence[Message]:
    found = mail.get_payload()
    if not isinstance(found, list) or not all(isinstance(each, Message) for each in found):
        raise NotABounce
    return [each for each in found if isinstance(each, Message)]


def _returned(part: Message) -> Message:
    """Return the head of our own mail, as it came back: whole, or its headers alone."""
    if part.get_content_type() not in RETURNED:
        raise NotABounce
    if part.is_multipart():
        return _parts(part)[0]
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        raise NotABounce
    return _read(content)


def _field(block: Message, name: str) -> str:
    """Return a field that stands there once; one that stands twice, or goes on, says nothing."""
    found = [str(each) for each in block.get_all(name, [])]
    if len(found) != 1 or len(found[0]) > FIELD_CHARS_MAX:
        return ""
    return " ".join(found[0].split())


def _action(group: Message) -> str:
    return _field(group, "Action").lower()


def _recipients(group: Message, returned: Message) -> frozenset[str]:
    """Return whom it was for: as the servers say, and as our own mail says that came back.

    Where an address forwards, the last server names another one than we wrote to.
    """
    named = [_field(group, name) for name in ("Original-Recipient", "Final-Recipient")]
    found = [each.partition(";")[2].strip().strip("<>") for each in named]
    found.append(parseaddr(_field(returned, "To"))[1])
    return frozenset(address_key(each) for each in found if each)


def _moment(text: str) -> int | None:
    parsed = parsedate_tz(text)
    try:
        return int(mktime_tz(parsed)) if parsed else None
    except (OverflowError, ValueError):
        return None
