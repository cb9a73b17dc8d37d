"""A room to send notices from: one open node with users, applicants and a template, on any clock.

Everything in it is real: the database, the keys, the charter, and the mail server it talks to.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

from node import keyring_file, models
from node.clock import FixedClock
from node.config import parse
from node.context import Context
from node.database import Database
from node.installation import Node
from node.keyring import Keyring, NodeKeys
from node.mail import Mailer
from node.services import charter as charters
from node.services import membership, notices, templates
from node.services.applicants import writing
from node.services.applicants.people import Person
from node.services.applicants.rows import Draft
from node.services.notices import Sender, Wish
from node.services.notices.reports import Progress, progress
from node.services.templates.defaults import Default
from node.transport import PeerTransport
from node.worker.notices import send_due_mails, send_due_notices
from node.worker.throttle import Throttle
from protocol import CHARTER, Charter, Policy, SigningKey, propose_quorum, sign
from tests.equipment.alliance import member_of
from tests.equipment.smtp import MailServer

TOKYO = ZoneInfo("Asia/Tokyo")
PASSPHRASE = "a passphrase for tests"
SENDER = Sender("佐藤 花子", "人事部", "03-1234-5678", "saiyo@aoba.example.jp")


def at(text: str) -> int:
    """A moment in Japan, as a person writes it."""
    return int(datetime.fromisoformat(text).replace(tzinfo=TOKYO).timestamp())


# A private link as it stands in a letter.
LINK = re.compile(r"http://127\.0\.0\.1:9100/l/([A-Za-z0-9_-]+)")


def text_of(mail: EmailMessage) -> str:
    """The words of a letter, lines ended as everywhere in here."""
    return str(mail.get_content()).replace("\r\n", "\n")


# A Wednesday morning between two ordinary working days.
MORNING = at("2026-11-25 11:00")


@dataclass(frozen=True)
class Room:
    """One node, three people of HR, and verbs in their words."""

    node: Node
    clock: FixedClock
    environment: Mapping[str, str]
    throttle: Throttle
    recruiter: str = "u-recruiter"
    approver: str = "u-approver"
    viewer: str = "u-viewer"

    def template(self, text: Default | None = None, **changed: str) -> str:
        text = text or templates.default_for("ja")
        values = {"name": text.name, "language": text.language, "kind": templates.WITH_LINK}
        values |= {"subject": text.subject, "body": text.body} | changed
        with self.node.database.transaction() as session:
            made = templates.create(session, self.node.context, **values, user_id=self.recruiter)
            return made.id

    def applicants(self, count: int, *, first: int = 1, **changed: object) -> list[str]:
        """People who were not selected after a first interview; `changed` goes for all."""
        drafts = [draft(first + number, **changed) for number in range(count)]
        with self.node.database.transaction() as session:
            before = {row.id for row in session.query(models.Applicant)}
            writing.store(session, self.node.context, drafts)
            return sorted(row.id for row in session.query(models.Applicant) if row.id not in before)

    def draft(self, ids: list[str], template: str, **wish: object) -> str:
        chosen = Wish(template, **{"sender": SENDER, **wish})  # type: ignore[arg-type]
        with self.node.database.transaction() as session:
            context = self.node.context
            return notices.draft(session, context, ids, chosen, user_id=self.recruiter).id

    def request(self, batch: str, *, user: str | None = None, digest: str | None = None) -> str:
        """Ask for the batch as it stands; the state it is in afterwards."""
        with self.node.database.transaction() as session:
            context = self.node.context
            shown = notices.review(session, context, notices.get(session, batch))
            who, seen = user or self.recruiter, digest or shown.digest
            return notices.request(session, context, batch, user_id=who, digest=seen).state

    def approve(self, batch: str, *, user: str | None = None, digest: str | None = None) -> int:
        """Approve it as it stands; the second at which it will leave."""
        with self.node.database.transaction() as session:
            context, who = self.node.context, user or self.approver
            seen = digest or notices.review(session, context, notices.get(session, batch)).digest
            made = notices.approve(session, context, batch, user_id=who, digest=seen)
            assert made.scheduled_at is not None
            return made.scheduled_at

    def booked(self, ids: list[str], template: str, **wish: object) -> str:
        """A batch that was asked for and approved."""
        batch = self.draft(ids, template, **wish)
        if self.request(batch) == "waiting_approval":
            self.approve(batch)
        return batch

    def work_once(self) -> int:
        """Let the worker take one lease of notices; how many mails it tried."""
        return send_due_notices(self.node, self.throttle)

    def work(self) -> int:
        """Let the worker send until nothing is due; how many mails it tried."""
        tried = 0
        while done := send_due_notices(self.node, self.throttle) + send_due_mails(self.node):
            tried += done
        return tried

    def progress(self, batch: str) -> Progress:
        with self.node.database.reading() as session:
            return progress(session, batch)

    def states(self, batch: str) -> dict[str, int]:
        with self.node.database.reading() as session:
            rows = session.query(models.Notice).filter_by(batch_id=batch)
            states = [row.state for row in rows]
        return {state: states.count(state) for state in set(states)}


def draft(number: int, **changed: object) -> Draft:
    """The row of one applicant in a file: 応募者1, 応募者2 and so on."""
    about = {
        "job": "営業職",
        "stage": "一次面接",
        "status": "rejected",
        "exclusion": None,
    } | changed
    person = Person(
        name=str(about.pop("name", f"試験 太郎{number}")),
        family=str(about.pop("family", "試験")),
        given=f"太郎{number}",
        email=str(about.pop("email", f"person{number}@example.jp")),
        ats_id=f"A-{number:05}",
    )
    values = {"stage_code": "interview_1", "applicant_type": "midcareer", "source": None}
    values |= {"applied_on": MORNING - 30 * 86_400, "rejected_on": MORNING - 86_400, "warnings": ()}
    return Draft(person=person, **{**values, **about})  # type: ignore[arg-type]


@contextmanager
def open_room(folder: Path, database_url: str, mail: MailServer, **settings: str) -> Iterator[Room]:
    """Open a founded node of one member; `settings` are those of the environment, in short."""
    environment = {
        "TASUKI_DATA_DIR": str(folder),
        "TASUKI_DATABASE_URL": database_url,
        "TASUKI_MEMBER_ID": "aoba",
        "TASUKI_PUBLIC_URL": "http://127.0.0.1:9100",
        "TASUKI_PASSPHRASE": PASSPHRASE,
        "TASUKI_SMTP_URL": mail.url,
        "TASUKI_MAIL_FROM": "青葉システム 採用担当 <saiyo@aoba.example.jp>",
        "TASUKI_UNSAFE_DATABASE": "1",
        # Everybody here has an address of one domain.
        "TASUKI_MAILS_PER_DOMAIN_MINUTE": "10000",
    } | {f"TASUKI_{name.upper()}": value for name, value in settings.items()}
    identity = SigningKey.generate()
    parsed = parse(environment)
    keys = NodeKeys.generate(identity.verify_key)
    keyring_file.create(parsed.key_file, PASSPHRASE, keys)
    clock, keyring = FixedClock(MORNING), Keyring(keys)
    context = Context(parsed, clock, keyring, charters.in_force)
    node = Node(
        settings=parsed,
        clock=clock,
        database=Database(parsed.database_url, unsafe=True),
        keyring=keyring,
        mailer=Mailer(parsed, clock),
        transport=PeerTransport(parsed, clock, context.calling),
        context=context,
    )
    try:
        _found(node, identity)
        room = Room(node, clock, environment, Throttle(parsed.mails_per_domain_minute))
        _hire_people(room)
        yield room
    finally:
        node.close()


def _found(node: Node, identity: SigningKey) -> None:
    us = member_of("aoba", node.keyring, node.settings.public_url, 20)
    q, b = propose_quorum(1)
    charter = Charter(
        alliance="minato",
        name="みなと採用連合",
        version=1,
        previous=bytes(32),
        members=(us,),
        q=q,
        b=b,
        policy=Policy(),
    )
    founding = sign(CHARTER, charter.encode(), identity)
    with node.database.transaction() as session:
        membership.adopt(session, node.context, founding, actor="cli")


def _hire_people(room: Room) -> None:
    people = (
        (room.recruiter, "佐藤 花子", "recruiter"),
        (room.approver, "鈴木 一郎", "approver"),
        (room.viewer, "田中 次郎", "viewer"),
    )
    with room.node.database.transaction() as session:
        for user_id, name, role in people:
            session.add(
                models.User(
                    id=user_id,
                    login=f"{role}-of-the-room",
                    name=name,
                    role=role,
                    password_hash="none",
                    created_at=MORNING,
                )
            )
