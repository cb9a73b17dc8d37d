"""A season's largest batch, and a worker that is killed again and again while it sends."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import select

from node import models
from node.services import notices
from node.services.notices import reports
from tests.equipment.databases import LONG_TESTS
from tests.equipment.notices_room import Room, open_room
from tests.equipment.smtp import MailServer
from tests.equipment.source import ROOT

pytestmark = pytest.mark.parametrize("database_url", LONG_TESTS, indirect=True)

# A worker on the node in the environment, which says so when it begins and ends when all is sent.
WORKER = """
from node import keyring_file
from node.clock import SystemClock
from node.config import load
from node.context import Context
from node.database import Database
from node.installation import Node
from node.keyring import Keyring
from node.mail import Mailer
from node.services import charter
from node.transport import PeerTransport
from node.worker.notices import send_due_notices
from node.worker.throttle import Throttle

settings, clock = load(), SystemClock()
keyring = Keyring(keyring_file.read(settings.key_file, settings.read_passphrase()))
context = Context(settings, clock, keyring, charter.in_force)
node = Node(
    settings=settings,
    clock=clock,
    database=Database(settings.database_url, unsafe=True),
    keyring=keyring,
    mailer=Mailer(settings, clock),
    transport=PeerTransport(settings, clock, context.calling),
    context=context,
)
throttle = Throttle(settings.mails_per_domain_minute)
while send_due_notices(node, throttle):
    pass
"""
DEADLINE_S = 60


def test_2500_mails_with_three_refused_addresses_give_a_correct_report(
    tmp_path: Path, database_url: str, mail_server: MailServer
) -> None:
    mail_server.refused.update(f"person{number}@example.jp" for number in (7, 1300, 2500))
    with open_room(tmp_path, database_url, mail_server, mails_per_hour="10000") as room:
        batch = room.booked(room.applicants(2500), room.template())
        room.clock.move(900)
        shares = [room.progress(batch).done]
        while room.work_once():
            shares.append(room.progress(batch).done)
        assert all(earlier <= later for earlier, later in pairwise(shares))

        assert room.states(batch) == {"sent": 2497, "failed": 3}
        found = room.progress(batch)
        assert (found.total, found.sent, found.failed, found.withheld) == (2500, 2497, 3, 0)
        assert found.is_over
        with room.node.database.reading() as session:
            view = reports.one(session, batch)
            failed, _ = reports.notices(session, room.node.context, batch, states=("failed",))
        assert (view.total, view.sent, view.failed) == (2500, 2497, 3)
        assert {one.email for one in failed} == mail_server.refused
        told = Counter(mail["To"] for mail in mail_server.messages)
        assert len(told) == 2497
        assert set(told.values()) == {1}


def start_worker(room: Room) -> subprocess.Popen[bytes]:
    environment = {**os.environ, **room.environment, "TASUKI_DEMO": "1"}
    return subprocess.Popen([sys.executable, "-c", WORKER], env=environment, cwd=ROOT)


def end_leases(room: Room) -> None:
    """What five minutes would do: the killed worker's leases have run out."""
    with room.node.database.transaction() as session:
        for row in session.scalars(select(models.Notice).where(models.Notice.lease.is_not(None))):
            row.lease_until = 0


def test_a_worker_killed_while_sending_loses_no_mail_and_repeats_at_most_one_a_kill(
    tmp_path: Path, database_url: str, mail_server: MailServer
) -> None:
    people, kills = 120, 3
    with open_room(tmp_path, database_url, mail_server) as room:
        batch = room.booked(room.applicants(people), room.template())
        with room.node.database.transaction() as session:
            # The worker's clock is the machine's own; the batch is due for it.
            notices.get(session, batch).scheduled_at = 0
            for row in session.scalars(select(models.Notice)):
                row.next_attempt_at = 0

        for kill in range(kills):
            worker = start_worker(room)
            enough = (kill + 1) * people // (kills + 1)
            mail_server.wait_for(lambda mails, least=enough: len(mails) >= least)
            worker.send_signal(signal.SIGKILL)
            worker.wait(DEADLINE_S)
            end_leases(room)
        deadline = time.monotonic() + DEADLINE_S
        while room.states(batch) != {"sent": people}:
            assert time.monotonic() < deadline, room.states(batch)
            assert start_worker(room).wait(DEADLINE_S) == 0
            end_leases(room)

    told: dict[str, set[str]] = {}
    for mail in mail_server.messages:
        said = f"{mail['Message-ID']} {mail.get_content()}"
        told.setdefault(mail["To"], set()).add(said)
    assert len(told) == people, "everybody was told"
    assert len(mail_server.messages) <= people + kills, "one mail more for each kill, at worst"
    for address, letters in told.items():
        assert len(letters) == 1, f"{address} got two different letters"
