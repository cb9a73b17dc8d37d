"""How the text of a setting becomes a value; each parser raises ValueError with a sentence."""

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
DEFAULT_PORTS = {"http": 80, "https": 443}
SMTP_PORTS = {"smtp": 25, "smtps": 465}
IMAPS_PORT = 993
PAGE_CHARS_MAX = 200
MINUTES_A_DAY = 24 * 60

Network = IPv4Network | IPv6Network
# A path of this machine, or host and port.
Socket = str | tuple[str, int]


@dataclass(frozen=True, slots=True)
class SMTPServer:
    """Where mail is handed over, and how the connection is protected."""

    host: str
    port: int
    tls: str  # "none", "starttls" or "implicit"
    user: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class IMAPMailbox:
    """A folder of a mailbox, reached by TLS."""

    host: str
    port: int
    user: str
    folder: str


@dataclass(frozen=True, slots=True)
class SendWindow:
    """The hours of a working day in which notices may leave, as minutes after midnight."""

    opens_minute: int
    closes_minute: int


def authority_of(url: str) -> str:
    """Return host and port of `url` as a signature covers them: no default port, lower case."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    if parts.port is None or parts.port == DEFAULT_PORTS.get(parts.scheme):
        return host
    return f"{host}:{parts.port}"


def _has_port(parts: SplitResult) -> bool:
    """Tell whether the port, if any, is one; urllib's own error would quote a password."""
    try:
        return parts.port != 0
    except ValueError:
        return False


def text(value: str) -> str:
    """Take any text."""
    return value


def path(value: str) -> Path:
    """Take a path; ~ means the home folder."""
    return Path(value).expanduser()


def optional_path(value: str) -> Path | None:
    """Take a path, or nothing."""
    return path(value) if value else None


def integer(low: int, high: int) -> Callable[[str], int]:
    """Return a parser of whole numbers from `low` to `high`."""

    def parse(value: str) -> int:
        if not (value.isascii() and value.isdigit() and low <= int(value) <= high):
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(value)

    return parse


def flag(value: str) -> bool:
    """Take 0 or 1."""
    if value not in ("0", "1"):
        raise ValueError("must be 0 or 1")
    return value == "1"


def member_id(value: str) -> str:
    """Take a member's id, as charters write it."""
    allowed = all(c.isascii() and (c.islower() or c.isdigit() or c == "-") for c in value)
    if not allowed or len(value) > 32:
        raise ValueError("must be up to 32 of a-z, 0-9 and -")
    return value


def public_url(value: str) -> str:
    """Take the origin people and peers use: https, unless it is loopback."""
    parts = urlsplit(value)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or not _has_port(parts):
        raise ValueError("must look like https://tasuki.example.co.jp")
    if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username:
        raise ValueError("must hold scheme, host and port only")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
        raise ValueError("must begin with https:// outside loopback")
    return f"{parts.scheme}://{authority_of(value)}"


def optional_page(value: str) -> str:
    """Take the address of a web page that people may open; empty means none."""
    parts = urlsplit(value)
    if value and (parts.scheme != "https" or not parts.hostname or parts.username):
        raise ValueError("must look like https://www.example.co.jp/privacy/")
    if len(value) > PAGE_CHARS_MAX or not value.isprintable() or " " in value:
        raise ValueError("must be an address of at most 200 signs, without blanks")
    return value


def listen(value: str) -> tuple[str, int]:
    """Take host:port; an IPv6 host stands in brackets."""
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise ValueError("must look like 127.0.0.1:8080")
    return host.strip("[]"), int(port)


def optional_socket(value: str) -> Socket | None:
    """Take the path of a socket, or host:port; empty means none."""
    if not value:
        return None
    return value if value.startswith("/") else listen(value)


def smtp_server(value: str) -> SMTPServer:
    """Take the URL of a mail server."""
    parts = urlsplit(value)
    if parts.scheme not in SMTP_PORTS or not parts.hostname or not _has_port(parts):
        raise ValueError("must look like smtp://user:password@mail.example.co.jp:587?starttls=1")
    if parts.query not in ("", "starttls=1", "starttls=0"):
        raise ValueError("knows no option but starttls=1")
    tls = "implicit" if parts.scheme == "smtps" else "none"
    if parts.query == "starttls=1" and tls == "none":
        tls = "starttls"
    return SMTPServer(
        host=parts.hostname,
        port=parts.port or SMTP_PORTS[parts.scheme],
        tls=tls,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )


def optional_imap_mailbox(value: str) -> IMAPMailbox | None:
    """Take the URL of a mailbox, or nothing; its password stands in a file."""
    if not value:
        return None
    parts = urlsplit(value)
    if parts.scheme != "imaps" or not parts.hostname or not parts.username or not _has_port(parts):
        raise ValueError("must look like imaps://saiyo@mail.example.co.jp/INBOX")
    if parts.password is not None or parts.query or parts.fragment:
        raise ValueError("must hold no password and no option; the password stands in a file")
    user, folder = unquote(parts.username), unquote(parts.path.strip("/")) or "INBOX"
    if not all(each.isascii() and each.isprintable() for each in (user, folder)):
        raise ValueError("must name user and folder in ASCII")
    if '"' in folder or "\\" in folder:
        raise ValueError("must name a folder without quotation marks")
    return IMAPMailbox(parts.hostname, parts.port or IMAPS_PORT, user, folder)


def minute_of(value: str) -> int:
    """Return the minutes after midnight of hh:mm."""
    hour, _, minute = value.partition(":")
    if not (hour.isdigit() and minute.isdigit() and len(minute) == 2 and int(minute) < 60):
        raise ValueError("must look like 10:00-18:00")
    return int(hour) * 60 + int(minute)


def send_window(value: str) -> SendWindow:
    """Take hh:mm-hh:mm within one day."""
    opens, _, closes = value.partition("-")
    window = SendWindow(minute_of(opens), minute_of(closes))
    if not window.opens_minute < window.closes_minute <= MINUTES_A_DAY:
        raise ValueError("must open before it closes, within one day")
    return window


def time_zone(value: str) -> ZoneInfo:
    """Take the name of a time zone."""
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("must be a time zone such as Asia/Tokyo") from error


def networks(value: str) -> tuple[Network, ...]:
    """Take networks, separated by commas."""
    try:
        return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())
    except ValueError as error:
        raise ValueError("must be networks such as 10.20.0.0/16, separated by commas") from error


def words(value: str) -> tuple[str, ...]:
    """Take texts, separated by commas."""
    return tuple(part.strip() for part in value.split(",") if part.strip())


def log_level(value: str) -> str:
    """Take the name of a level."""
    if value not in ("debug", "info", "warning", "error"):
        raise ValueError("must be debug, info, warning or error")
    return value
