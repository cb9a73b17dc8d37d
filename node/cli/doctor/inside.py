"""Inside the machine: settings that endanger, key file, disk, database, mail server."""

import os
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta

from node import keyring_file, mail_reader, migrations, virus_scanner
from node.cli.doctor.findings import OK, WARNING, WRONG, Finding
from node.clock import SystemClock
from node.config import Settings, SettingsInvalid
from node.database import UNAVAILABLE, Database, DatabaseUnsafe, DatabaseURLInvalid
from node.mail import Mailer, MailError
from node.mail_reader import MailboxUnavailable
from node.transport import is_loopback
from node.worker import bounces

GIBIBYTE = 1024**3
# A day of a large member's mail, database and write-ahead log.
DISK_FREE_MIN_BYTES = GIBIBYTE // 4
DISK_FREE_LOW_BYTES = 2 * GIBIBYTE


def look(settings: Settings) -> list[Finding]:
    """All of it."""
    return [
        *_settings(settings),
        _keys(settings),
        _disk(settings),
        _database(settings),
        *_mail(settings),
        *_scanner(settings),
        *_folder(settings),
        *_bounces(settings),
    ]


def _settings(settings: Settings) -> Iterator[Finding]:
    if not settings.member_id:
        yield Finding("settings", WRONG, "TASUKI_MEMBER_ID is empty", "Set it, such as aoba.")
    if settings.demo:
        yield Finding(
            "settings",
            WARNING,
            "TASUKI_DEMO=1: notices leave at any hour",
            "Take it out of a node that writes to real people.",
        )
    if settings.unsafe_database:
        yield Finding(
            "settings",
            WRONG,
            "TASUKI_UNSAFE_DATABASE=1: the database may forget what was promised",
            "Take it out; it is for tests.",
        )
    if settings.web_workers > 1 and settings.database_url.startswith("sqlite"):
        yield Finding(
            "settings",
            WARNING,
            f"TASUKI_WEB_WORKERS={settings.web_workers} on SQLite: they wait for each other",
            "Set it to 1, or move to PostgreSQL.",
        )


def _keys(settings: Settings) -> Finding:
    try:
        keyring_file.read(settings.key_file, settings.read_passphrase())
    except keyring_file.KeyFileMissing:
        return Finding("keys", WRONG, f"there is no {settings.key_file}", "Run: tasuki init")
    except keyring_file.KeyFileExposed as error:
        keys = settings.key_file
        return Finding(
            "keys",
            WRONG,
            f"others may read the key file ({error})",
            f"chmod 700 {keys.parent}; chmod 600 {keys}; as the node's own user",
        )
    except keyring_file.PassphraseWrong:
        return Finding(
            "keys",
            WRONG,
            "the passphrase does not open the key file",
            "Compare TASUKI_PASSPHRASE or TASUKI_PASSPHRASE_FILE with the paper in the safe.",
        )
    except keyring_file.KeyFileDamaged as error:
        return Finding("keys", WRONG, f"the key file is damaged: {error}", "Restore the backup.")
    except (SettingsInvalid, OSError) as error:
        return Finding("keys", WRONG, str(error), "Correct it, and run this again.")
    return Finding("keys", OK, "only this user may read the key file, and the passphrase opens it")


def _disk(settings: Settings) -> Finding:
    try:
        free = shutil.disk_usage(settings.data_dir).free
    except OSError as error:
        return Finding(
            "disk",
            WRONG,
            f"{settings.data_dir} cannot be read: {error.strerror}",
            "Make the folder, owned by the node's user, mode 700.",
        )
    text = f"{free / GIBIBYTE:.1f} GiB free in {settings.data_dir}"
    if free < DISK_FREE_MIN_BYTES:
        return Finding("disk", WRONG, text, "Make room now: a full disk refuses every letter.")
    if free < DISK_FREE_LOW_BYTES:
        return Finding("disk", WARNING, text, "Make room, or move the folder to a larger disk.")
    return Finding("disk", OK, text)


def _database(settings: Settings) -> Finding:
    advice = "Correct TASUKI_DATABASE_URL, or start the server."
    try:
        database = Database(settings.database_url, unsafe=settings.unsafe_database)
        try:
            database.check()
            found, wanted = database.revision(), migrations.head()
        finally:
            database.close()
    except DatabaseUnsafe as error:
        return Finding(
            "database", WRONG, f"it may forget: {error}", "Switch that setting of the server on."
        )
    except DatabaseURLInvalid as error:
        return Finding("database", WRONG, " ".join((error.__doc__ or "").split()), advice)
    except (*UNAVAILABLE, OSError) as error:
        return Finding("database", WRONG, f"no connection: {type(error).__name__}", advice)
    if found is None:
        return Finding("database", WRONG, "it is empty", "Run: tasuki init")
    if found != wanted:
        return Finding(
            "database",
            WARNING,
            f"schema {found}, this release has {wanted}",
            "Restart the node: it brings the schema up to date.",
        )
    return Finding("database", OK, f"{database.dialect}, keeps what it promises, schema {found}")


def _scanner(settings: Settings) -> Iterator[Finding]:
    if settings.clamd is None:
        return
    if virus_scanner.answers(settings):
        yield Finding("scanner", OK, "the virus scanner answers")
    else:
        yield Finding(
            "scanner",
            WRONG,
            "the virus scanner does not answer: no attachment is taken or handed out",
            "Start clamd, or correct TASUKI_CLAMD.",
        )


def _folder(settings: Settings) -> Iterator[Finding]:
    if settings.import_folder is None:
        return
    if os.access(settings.import_folder, os.R_OK | os.W_OK | os.X_OK):
        yield Finding("folder", OK, "the import folder can be read and written")
    else:
        yield Finding(
            "folder",
            WRONG,
            "the import folder cannot be read and written: no file is taken from it",
            "Make the folder, let the node's user write in it, or correct TASUKI_IMPORT_FOLDER.",
        )


def _bounces(settings: Settings) -> Iterator[Finding]:
    if settings.bounce_mailbox is None:
        return
    today = datetime.fromtimestamp(SystemClock().now(), settings.time_zone).date()
    since = today - timedelta(bounces.DAYS)
    try:
        with mail_reader.opened(settings) as reports:
            waiting = len(reports.unread(since))
    except (MailboxUnavailable, SettingsInvalid) as error:
        yield Finding(
            "bounces",
            WRONG,
            f"the mailbox where mails come back cannot be read: {error}",
            "Check TASUKI_BOUNCE_MAILBOX, the file of its password, and TASUKI_CA_FILE.",
        )
    else:
        yield Finding("bounces", OK, f"the mailbox is open; {waiting} unread delivery reports")


def _mail(settings: Settings) -> Iterator[Finding]:
    server = settings.smtp
    where = f"{server.host}:{server.port}"
    try:
        Mailer(settings, SystemClock()).check()
    except MailError as error:
        yield Finding(
            "mail",
            WRONG,
            f"no mail can be handed over: {error}",
            "Check TASUKI_SMTP_URL: host, port, user, starttls; and the firewall.",
        )
        return
    if server.tls == "none" and not is_loopback(server.host):
        yield Finding(
            "mail",
            WARNING,
            f"{where} is reached without TLS: notices travel readable",
            "Add ?starttls=1 to TASUKI_SMTP_URL, or use smtps://.",
        )
        return
    how = {"none": "on this machine", "starttls": "with STARTTLS", "implicit": "by TLS"}
    yield Finding("mail", OK, f"{where} answers {how[server.tls]}")
