"""A real IMAP server (Dovecot) on loopback, by TLS only, with one mailbox in a Maildir."""

import getpass
import grp
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.equipment.federation import eventually

USER, PASSWORD = "saiyo", 'pass "word\\'
START_S = 30
SETTINGS = """
protocols = imap
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
listen = 127.0.0.1
ssl = required
ssl_cert = <{certificate}
ssl_key = <{certificate}
mail_location = maildir:{folder}/mail
first_valid_uid = 1
default_login_user = {us}
default_internal_user = {us}
default_internal_group = {group}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/passwords
}}
userdb {{
  driver = static
  args = uid={owner} gid={group} home={folder}/mail
}}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
"""


def executable() -> str | None:
    """Where Dovecot is, if it is installed."""
    return shutil.which("dovecot", path="/usr/sbin:/usr/bin:/usr/local/sbin")


@dataclass(frozen=True)
class MailboxServer:
    """`.url` for a node's settings; what lies in the mailbox for the test."""

    folder: Path
    port: int
    owner: str

    @property
    def url(self) -> str:
        return f"imaps://{USER}@localhost:{self.port}/INBOX"

    def deliver(self, *mails: bytes) -> None:
        """Put mails down as a mail server does."""
        for mail in mails:
            name = f"{len(list(self.folder.glob('mail/*/*'))):06}.{os.getpid()}.host"
            path = self.folder / "mail" / "tmp" / name
            path.write_bytes(mail)
            shutil.chown(path, self.owner)
            path.rename(self.folder / "mail" / "new" / name)

    def read(self) -> list[bool]:
        """Of each mail, the oldest first: is it marked as read?"""
        found = [*self.folder.glob("mail/new/*"), *self.folder.glob("mail/cur/*")]
        return [
            "S" in path.name.partition(":2,")[2] for path in sorted(found, key=lambda at: at.name)
        ]


@contextmanager
def running(certificate: Path) -> Iterator[MailboxServer]:
    """An IMAP server that answers, with the key and certificate in a file."""
    found = executable()
    assert found is not None, "dovecot is not installed"
    us = getpass.getuser()
    # Nobody's mail belongs to root; whom it belongs to must get into the folder.
    owner, group = ("nobody", "nogroup") if us == "root" else (us, _group())
    with tempfile.TemporaryDirectory(prefix="tasuki-imap-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        shutil.copy(certificate, folder / "server.pem")
        (folder / "passwords").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
        for name in ("run", "mail", "mail/new", "mail/cur", "mail/tmp"):
            (folder / name).mkdir()
            if name != "run":
                shutil.chown(folder / name, owner, group)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        settings = folder / "dovecot.conf"
        about = {"folder": folder, "port": port, "owner": owner, "group": group}
        about |= {"us": owner, "certificate": folder / "server.pem"}
        settings.write_text(SETTINGS.format(**about))
        process = subprocess.Popen(
            [found, "-F", "-c", str(settings)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            eventually(lambda: _answers(port), timeout_s=START_S, what="dovecot to answer")
            yield MailboxServer(folder, port, owner)
        finally:
            process.terminate()
            process.wait()


def _group() -> str:
    return grp.getgrgid(os.getgid()).gr_name


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
