"""The throttle: a domain gets so many notices a minute, others go on, and nothing is lost."""

from pathlib import Path

from node.worker.throttle import WINDOW_S, Throttle
from tests.equipment.notices_room import open_room
from tests.equipment.smtp import MailServer

LIMIT = 5


def test_one_domain_waits_and_the_others_go_on(
    tmp_path: Path, database_url: str, mail_server: MailServer
) -> None:
    limit = str(LIMIT)
    with open_room(tmp_path, database_url, mail_server, mails_per_domain_minute=limit) as room:
        many = room.applicants(12)
        few = [
            *room.applicants(1, first=50, email="a@example.com"),
            *room.applicants(1, first=51, email="b@EXAMPLE.com"),
        ]
        batch = room.booked([*many, *few], room.template())
        room.clock.move(900)
        sent = []
        for _ in range(3):
            room.work()
            sent.append(len(mail_server.messages))
            room.clock.move(WINDOW_S)
        assert sent == [LIMIT + len(few), 2 * LIMIT + len(few), len(many) + len(few)]
        assert room.states(batch) == {"sent": len(many) + len(few)}
        found = room.progress(batch)
        assert (found.sent, found.failed, found.is_over) == (14, 0, True)
        assert len({mail["To"] for mail in mail_server.messages}) == len(many) + len(few)


def test_what_is_put_off_shares_out_the_minutes_that_follow() -> None:
    throttle = Throttle(2)
    moments = [throttle.admit(f"person{n}@Example.jp", 1000) for n in range(7)]
    assert moments == [None, None, 1060, 1060, 1120, 1120, 1180]
    assert throttle.admit("person@example.com", 1000) is None
    assert throttle.admit("person@example.jp", 1060) is None


def test_only_the_domains_of_the_last_minute_are_remembered() -> None:
    throttle = Throttle(1)
    for n in range(1000):
        throttle.admit(f"person@d{n}.example", 1000 + n)
    assert len(throttle) <= WINDOW_S
