"""A season's batch of 3,000 notices: from the request to the queue, and out to a mail server.

The floor of sending is the same messages in a loop of smtplib, to the same server over one
connection, without a database: what a node adds is that nothing is lost and nobody is told twice.
"""

import smtplib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from node.database import Database
from tests.benchmarks.registry import Figure, benchmark
from tests.equipment.notices_room import Room, open_room
from tests.equipment.smtp import MailServer, mail_server

PEOPLE = 3_000
QUEUED_WITHIN_S = 10
CANCEL_S = 900


@benchmark("notices")
def notices() -> Iterator[Figure]:
    """What HR waits for, what the applicants wait for, and what the page shows meanwhile."""
    with tempfile.TemporaryDirectory() as name, mail_server() as server:
        url = f"sqlite:///{Path(name) / 'tasuki.db'}"
        database = Database(url)
        database.upgrade()
        database.close()
        with open_room(Path(name), url, server, mails_per_hour="10000") as room:
            people, template = room.applicants(PEOPLE), room.template()
            started = perf_counter()
            batch = room.booked(people, template)
            queued_s = perf_counter() - started
            room.clock.move(CANCEL_S)
            sent_s, looks = sent(room, batch)
        assert len(server.messages) == PEOPLE
        bare_s = bare(server)
    yield Figure("chosen, rendered and queued", queued_s, "s", at_most=QUEUED_WITHIN_S)
    yield Figure("smtplib in a loop, same messages", bare_s, "s")
    yield Figure("sent by the worker", sent_s, "s")
    yield Figure("notices a second", PEOPLE / sent_s, "mails/s")
    yield Figure("sent by the worker / smtplib in a loop", sent_s / bare_s, "times")
    yield Figure("slowest look at the progress meanwhile", max(looks) * 1000, "ms")


def sent(room: Room, batch: str) -> tuple[float, list[float]]:
    """Seconds until all are sent, and of each look at the progress between two leases."""
    started, looks = perf_counter(), []
    done = 0
    while room.work_once():
        looked = perf_counter()
        before, done = done, room.progress(batch).done
        looks.append(perf_counter() - looked)
        assert done > before, "the bar stood still"
    assert room.states(batch) == {"sent": PEOPLE}
    return perf_counter() - started, looks


def bare(server: MailServer) -> float:
    """Seconds to hand the same messages over once more, and nothing else."""
    messages = list(server.messages)
    started = perf_counter()
    with smtplib.SMTP(server.host, server.port) as smtp:
        for message in messages:
            smtp.send_message(message)
    return perf_counter() - started
