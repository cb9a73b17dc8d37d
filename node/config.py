"""Settings: what an installation may choose, read once from the environment or one file.

Every setting is declared once, below, with its name, its default and a sentence.  The same
declaration fills `deploy/tasuki.env`, and a test compares the two (STYLE 40).
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TypeVar, cast
from zoneinfo import ZoneInfo

from node.config_values import (
    IMAPMailbox,
    Network,
    SendWindow,
    SMTPServer,
    Socket,
    authority_of,
    flag,
    integer,
    listen,
    log_level,
    member_id,
    networks,
    optional_imap_mailbox,
    optional_page,
    optional_path,
    optional_socket,
    path,
    public_url,
    send_window,
    smtp_server,
    text,
    time_zone,
    words,
)

PREFIX = "TASUKI_"
FILE_VARIABLE = "TASUKI_ENV_FILE"

T = TypeVar("T")


class SettingsInvalid(Exception):
    """The settings cannot be used; correct the named lines and start again."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the environment file: its name, its default and what it is for."""

    name: str
    default: str
    sentence: str
    parse: Callable[[str], object]


def _setting(
    name: str,
    default: str,
    parse: Callable[[str], T],
    sentence: str,
    *,
    secret: bool = False,
) -> T:
    """Declare one setting; the dataclass field carries the declaration as metadata."""
    declared = Setting(PREFIX + name, default, sentence, parse)
    return field(
        default_factory=lambda: parse(default),
        repr=not secret,
        metadata={"setting": declared},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything an installation may choose; each field documents itself."""

    data_dir: Path = _setting(
        "DATA_DIR", "./data", path, "Folder of the database, the key file and uploads."
    )
    database_url: str = _setting(
        "DATABASE_URL",
        "",
        text,
        "Database; empty means the SQLite file tasuki.db in the data folder, otherwise "
        "postgresql://user:password@host/name.",
        secret=True,
    )
    public_url: str = _setting(
        "PUBLIC_URL",
        "http://127.0.0.1:8080",
        public_url,
        "Address under which people and other members reach this node; it is signed.",
    )
    listen: tuple[str, int] = _setting(
        "LISTEN", "127.0.0.1:8080", listen, "Host and port to listen on, behind the proxy."
    )
    member_id: str = _setting(
        "MEMBER_ID", "", member_id, "This member's id in the charter, such as aoba."
    )
    passphrase: str = _setting(
        "PASSPHRASE",
        "",
        text,
        "Passphrase of the key file; better kept in a file of its own, see the next line.",
        secret=True,
    )
    passphrase_file: Path | None = _setting(
        "PASSPHRASE_FILE",
        "",
        optional_path,
        "File whose first line is the passphrase, for systemd credentials and secrets.",
    )
    smtp: SMTPServer = _setting(
        "SMTP_URL",
        "smtp://127.0.0.1:25",
        smtp_server,
        "Mail server: smtp://user:password@host:587?starttls=1 or smtps://host:465.",
        secret=True,
    )
    mail_from: str = _setting(
        "MAIL_FROM",
        "tasuki@localhost",
        text,
        "Sender of every mail, such as 採用担当 <recruit@example.co.jp>.",
    )
    privacy_url: str = _setting(
        "PRIVACY_URL",
        "",
        optional_page,
        "Address of your privacy policy, linked on the applicant's pages; empty means none.",
    )
    bounce_mailbox: IMAPMailbox | None = _setting(
        "BOUNCE_MAILBOX",
        "",
        optional_imap_mailbox,
        "Mailbox where mails come back, such as imaps://saiyo@mail.example.co.jp/INBOX; empty "
        "means none is read.",
    )
    bounce_password_file: Path | None = _setting(
        "BOUNCE_PASSWORD_FILE",
        "",
        optional_path,
        "File whose first line is the password of that mailbox.",
    )
    approval_from: int = _setting(
        "APPROVAL_FROM",
        "10",
        integer(1, 3000),
        "Number of notices in a batch from which a second person must approve.",
    )
    send_window: SendWindow = _setting(
        "SEND_WINDOW",
        "10:00-18:00",
        send_window,
        "Hours of a working day in which notices may leave.",
    )
    time_zone: ZoneInfo = _setting(
        "TIME_ZONE", "Asia/Tokyo", time_zone, "Time zone of the hours above and of all screens."
    )
    cancel_window_s: int = _setting(
        "CANCEL_WINDOW_S",
        "900",
        integer(0, 86400),
        "Seconds between approving a batch and its first mail, in which it can be cancelled.",
    )
    mails_per_hour: int = _setting(
        "MAILS_PER_HOUR",
        "3000",
        integer(1, 1_000_000),
        "Most mails handed to the mail server in an hour.",
    )
    mails_per_domain_minute: int = _setting(
        "MAILS_PER_DOMAIN_MINUTE",
        "60",
        integer(1, 1_000_000),
        "Most notices in a minute to addresses of one domain; the others go on meanwhile.",
    )
    applicant_days: int = _setting(
        "APPLICANT_DAYS",
        "180",
        integer(30, 3660),
        "Days after the notice for which the data of people who were not hired is kept.",
    )
    pull_interval_s: int = _setting(
        "PULL_INTERVAL_S",
        "30",
        integer(1, 3600),
        "Seconds between two comparisons of the ledger with each peer.",
    )
    backup_recipients: tuple[str, ...] = _setting(
        "BACKUP_RECIPIENTS",
        "",
        words,
        "Who can open this node's backups, as tasuki backup-key prints it, separated by commas.",
    )
    peer_networks: tuple[Network, ...] = _setting(
        "PEER_NETWORKS",
        "",
        networks,
        "Private networks in which peers may live, such as 10.20.0.0/16; empty means none.",
    )
    import_folder: Path | None = _setting(
        "IMPORT_FOLDER",
        "",
        optional_path,
        "Folder whose CSV, TSV and Excel files are imported by themselves; empty means none.",
    )
    clamd: Socket | None = _setting(
        "CLAMD",
        "",
        optional_socket,
        "ClamAV's clamd, such as /run/clamav/clamd.ctl or 127.0.0.1:3310; empty means none.",
    )
    ca_file: Path | None = _setting(
        "CA_FILE",
        "",
        optional_path,
        "Certificate authorities to trust for peers and mail; empty means the system's.",
    )
    web_workers: int = _setting(
        "WEB_WORKERS", "1", integer(1, 64), "Web processes; one is right for SQLite."
    )
    web_threads: int = _setting("WEB_THREADS", "4", integer(1, 64), "Threads of each web process.")
    log_level: str = _setting(
        "LOG_LEVEL", "info", log_level, "Least level written: debug, info, warning or error."
    )
    unsafe_database: bool = _setting(
        "UNSAFE_DATABASE",
        "0",
        flag,
        "1 accepts a PostgreSQL that may lose acknowledged rows; for tests only.",
    )
    demo: bool = _setting(
        "DEMO", "0", flag, "1 lets notices leave at any hour and shortly; for the demo only."
    )

    def __post_init__(self) -> None:
        if not self.database_url:
            url = f"sqlite:///{(self.data_dir / 'tasuki.db').absolute()}"
            object.__setattr__(self, "database_url", url)

    @property
    def authority(self) -> str:
        """Return the host and port that signatures cover."""
        return authority_of(self.public_url)

    @property
    def key_file(self) -> Path:
        """Return where the node's keys lie, encrypted."""
        return self.data_dir / "keys" / "node.key"

    def read_passphrase(self) -> str:
        """Return the passphrase of the key file; raise when none is set."""
        if self.passphrase:
            return self.passphrase
        if self.passphrase_file is None:
            raise SettingsInvalid((f"{PREFIX}PASSPHRASE or {PREFIX}PASSPHRASE_FILE must be set",))
        return _first_line(f"{PREFIX}PASSPHRASE_FILE", self.passphrase_file)

    def read_bounce_password(self) -> str:
        """Return the password of the mailbox where mails come back; raise when none is set."""
        if self.bounce_password_file is None:
            raise SettingsInvalid((f"{PREFIX}BOUNCE_PASSWORD_FILE must be set",))
        return _first_line(f"{PREFIX}BOUNCE_PASSWORD_FILE", self.bounce_password_file)


SETTINGS: tuple[Setting, ...] = tuple(
    cast(Setting, each.metadata["setting"]) for each in fields(Settings)
)


def parse_environment_file(content: str) -> dict[str, str]:
    """Parse NAME=value lines; blank lines and lines beginning with # say nothing."""
    values: dict[str, str] = {}
    problems = []
    for number, line in enumerate(map(str.strip, content.splitlines()), start=1):
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not name.startswith(PREFIX):
            problems.append(f"line {number} is not {PREFIX}NAME=value")
        elif name in values:
            problems.append(f"line {number} sets {name} again")
        # systemd and Compose take the quotes off; so do we.
        quoted = len(value) >= 2 and value[0] == value[-1] == '"'
        values[name] = value[1:-1] if quoted else value
    if problems:
        raise SettingsInvalid(tuple(problems))
    return values


def parse(values: Mapping[str, str]) -> Settings:
    """Build the settings from names and texts; every mistake is reported at once."""
    known = {each.metadata["setting"].name for each in fields(Settings)}
    problems = [
        f"{name} is not a setting"
        for name in sorted(values)
        if name.startswith(PREFIX) and name not in known | {FILE_VARIABLE}
    ]
    parsed: dict[str, object] = {}
    for each in fields(Settings):
        declared = cast(Setting, each.metadata["setting"])
        if values.get(declared.name, "") == "":
            continue
        try:
            parsed[each.name] = declared.parse(values[declared.name])
        except ValueError as error:
            # The value stays out of the message: it may be a secret.
            problems.append(f"{declared.name} {error}")
    if problems:
        raise SettingsInvalid(tuple(problems))
    return Settings(**parsed)  # type: ignore[arg-type]


def _read_text(setting: str, path: Path) -> str:
    """The text of a file that a setting names; what is wrong with it without its content."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        reason = f"{setting} names {path}, which cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        reason = f"{setting} names {path}, which is not a text file in UTF-8"
    raise SettingsInvalid((reason,))


def _first_line(setting: str, path: Path) -> str:
    lines = _read_text(setting, path).splitlines()
    if not lines or not lines[0]:
        raise SettingsInvalid((f"{setting} is empty",))
    return lines[0]


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the file named by TASUKI_ENV_FILE, if any, then the environment, which wins."""
    environment = dict(os.environ if environ is None else environ)
    values: dict[str, str] = {}
    if file_name := environment.get(FILE_VARIABLE):
        values = parse_environment_file(_read_text(FILE_VARIABLE, Path(file_name)))
    values.update({k: v for k, v in environment.items() if k.startswith(PREFIX)})
    return parse(values)
