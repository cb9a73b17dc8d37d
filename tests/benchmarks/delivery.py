"""Referrals delivered and receipted per second between two nodes, against a bare floor.

The floor is a Flask POST that verifies one Ed25519 signature and commits one row, on the same
server with the same threads and as many callers at once, in the same run. Both sides of a delivery
are durable: SQLite with synchronous=FULL, PostgreSQL as it ships. The sender's queue runs in this
process as it does in its worker; the receiver is `tasuki serve`, whose own worker handles what
comes in meanwhile, or is left out to see what that costs.
"""

import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import urllib3
from nacl.signing import SigningKey
from sqlalchemy import create_engine, func, select, text

from node import config, logs, models
from node.cli.demo.postgresql import PostgreSQLServer
from node.database import Database
from node.services import outbox
from node.transport import CONNECTIONS_PER_PEER
from node.worker.delivery import PeerQueue
from protocol import REFERRAL, Grounds, Referral
from tests.benchmarks.registry import Figure, benchmark
from tests.equipment.federation import RunningNode, eventually, founded, free_ports
from tests.equipment.referring import CARD, PROFILE_OF_MAKI

REFERRALS = 1000
WARM_UP = 64
MEMBERS = ("aoba", "biwa")
# What a sealed referral with card and profile weighs on the wire.
FLOOR_BODY_BYTES = 5000
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Rate:
    """So many in so long, and what it cost both processes."""

    count: int
    seconds: float
    cpu_s: float

    @property
    def per_s(self) -> float:
        return self.count / self.seconds

    @property
    def cpu_ms_each(self) -> float:
        return self.cpu_s / self.count * 1000


@benchmark("delivery")
def measure() -> Iterator[Figure]:
    """Both databases, each with its floor."""
    logs.configure("warning")
    yield from _measure("SQLite", "", "", at_least=200)
    with PostgreSQLServer(durable=True) as server:
        urls = [server.url(_created(server, name)) for name in (*MEMBERS, "floor")]
        yield from _measure("PostgreSQL", *urls, at_least=150)


def _measure(engine: str, *urls: str, at_least: float) -> Iterator[Figure]:
    *node_urls, floor_url = urls if urls[-1] else ("",)
    with tempfile.TemporaryDirectory() as folder:
        floor = _floor(Path(folder), floor_url)
    yield Figure(f"{engine}: floor, requests", floor.per_s, "/s")
    yield Figure(f"{engine}: CPU of one request of the floor", floor.cpu_ms_each, "ms")
    for name, more in (("delivered", ["--no-worker"]), ("and handled meanwhile", [])):
        with tempfile.TemporaryDirectory() as folder:
            rate = _delivered(Path(folder), tuple(filter(None, node_urls)), more)
        wanted = None if not more else at_least
        yield Figure(f"{engine}: referrals {name}", rate.per_s, "/s", at_least=wanted)
        yield Figure(f"{engine}: share of the floor, {name}", rate.per_s / floor.per_s, "")
        yield Figure(f"{engine}: CPU of one referral, {name}", rate.cpu_ms_each, "ms")
        node_urls = [_emptied(url) for url in node_urls]


# --- The delivery. ---


def _delivered(folder: Path, urls: tuple[str, ...], more: list[str]) -> Rate:
    with founded(folder, members=MEMBERS, database_urls=urls) as alliance:
        receiver, sender = alliance["biwa"], alliance["aoba"]
        receiver.more = more
        receiver.start()
        stopping = threading.Event()
        queue = PeerQueue(sender.node, "biwa", stopping)
        _enqueue(sender, WARM_UP)
        queue.run()
        _enqueue(sender, REFERRALS)
        assert receiver.process is not None
        rate = _timed(REFERRALS, receiver.process.pid, queue.run)
        queue.close(wait=True)
        _check(sender, WARM_UP + REFERRALS)
        return rate


def _enqueue(sender: RunningNode, count: int) -> None:
    context = sender.node.context
    grounds = Grounds(
        "consent0001", context.now(), "1", "0" * 64, ("name", "work"), "応募により本人から取得"
    )
    with sender.node.database.transaction() as session:
        for _ in range(count):
            referral = Referral(
                id=secrets.token_hex(16),
                card=CARD,
                grounds=grounds,
                created_at=context.now(),
                answer_by=context.now() + 5 * 86_400,
                profile=PROFILE_OF_MAKI,
            )
            outbox.enqueue(
                session,
                context,
                recipient="biwa",
                kind=REFERRAL,
                payload=referral.encode(),
                subject=referral.id,
            )


def _check(sender: RunningNode, count: int) -> None:
    with sender.node.database.reading() as session:
        delivered = session.scalar(select(func.count()).where(models.OutboxEntry.receipt != b""))
    assert delivered == count, f"{delivered} of {count} were delivered"


# --- The floor. ---


def _floor(folder: Path, url: str) -> Rate:
    key = SigningKey.generate()
    (port,) = free_ports(1)
    database_url = url or f"sqlite:///{folder / 'floor.db'}"
    database = Database(database_url)
    with database.transaction() as session:
        session.execute(text("DROP TABLE IF EXISTS floor"))
        blob = "BYTEA" if database.dialect == "postgresql" else "BLOB"
        number = "SERIAL PRIMARY KEY" if blob == "BYTEA" else "INTEGER PRIMARY KEY"
        session.execute(text(f"CREATE TABLE floor (id {number}, body {blob} NOT NULL)"))
    database.close()
    body = os.urandom(FLOOR_BODY_BYTES)
    headers = {"Signature": key.sign(body).signature.hex()}
    with _floor_server(folder, port, database_url, key) as pid:
        pool = urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=CONNECTIONS_PER_PEER)

        def post(_: int) -> None:
            answer = pool.request("POST", "/", body=body, headers=headers, retries=False)
            assert answer.status == 200, answer.status

        eventually(lambda: _answers(post), timeout_s=30, what="the floor to answer")
        with ThreadPoolExecutor(CONNECTIONS_PER_PEER) as callers:
            list(callers.map(post, range(WARM_UP)))
            rate = _timed(REFERRALS, pid, lambda: list(callers.map(post, range(REFERRALS))))
        pool.close()
    return rate


def _answers(post: Callable[[int], None]) -> bool:
    try:
        post(0)
    except urllib3.exceptions.HTTPError:
        return False
    return True


@contextmanager
def _floor_server(folder: Path, port: int, url: str, key: SigningKey) -> Iterator[int]:
    environment = {
        **os.environ,
        config.PREFIX + "LISTEN": f"127.0.0.1:{port}",
        config.PREFIX + "DATABASE_URL": url,
        "FLOOR_KEY": key.verify_key.encode().hex(),
    }
    with (folder / "floor.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.floor_server"],
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


# --- Time and CPU. ---


def _timed(count: int, server_pid: int, action: Callable[[], object]) -> Rate:
    cpu, started = _cpu_s(server_pid), time.perf_counter()
    action()
    return Rate(count, time.perf_counter() - started, _cpu_s(server_pid) - cpu)


def _cpu_s(server_pid: int) -> float:
    """CPU of this process, and of the server with those it started."""
    return time.process_time() + sum(_ticks(pid) for pid in _tree(server_pid)) / TICKS_A_SECOND


def _tree(pid: int) -> list[int]:
    below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in below for each in _tree(int(child)))]


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


# --- PostgreSQL. ---


def _created(server: PostgreSQLServer, name: str) -> str:
    _command(server.url("postgres"), f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
    return name


def _emptied(url: str) -> str:
    """The same database, as if it had just been created."""
    database = create_engine(url, isolation_level="AUTOCOMMIT")
    with database.connect() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    database.dispose()
    return url


def _command(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
