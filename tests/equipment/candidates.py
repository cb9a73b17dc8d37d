"""People who were sent a private link, and what arrives in their mailboxes and at the partners."""

import io
import json
import re
from dataclasses import dataclass, field
from functools import cached_property

from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from node import models
from node.installation import Node
from node.services import links, mailing
from node.services.applicants import people, writing
from node.services.applicants.people import Person
from node.services.applicants.rows import Draft
from protocol import Grounds, Referral, envelope
from tests.equipment.alliance import Alliance
from tests.equipment.web_house import WebHouse

DAY_S = 86_400
# A name, an address and a number that occur nowhere else: found outside, they have leaked.
NAME, FAMILY, GIVEN = "髙﨑 汐莉", "髙﨑", "汐莉"
EMAIL, PHONE = "shiori.canary@example.jp", "+819055501234"
TOKEN_FIELD = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass(frozen=True)
class Mail:
    """One mail that waits to be sent."""

    kind: str
    to: str
    subject: str
    text: str
    attachments: list[list[str]]


@dataclass
class Candidates:
    """The pages of `aoba` for people who were not selected there."""

    alliance: Alliance
    web: WebHouse
    _made: int = field(default=0)

    @property
    def node(self) -> Node:
        return self.web.node

    def invite(self, *, days: int = 30, **changed: object) -> tuple[str, str]:
        """Somebody new with a link in the mail: the applicant's id and the link's token."""
        self._made += 1
        about = {
            "job": "開発職",
            "stage": "一次面接",
            "status": "rejected",
            "exclusion": None,
            "stage_code": "interview_1",
            "applicant_type": "midcareer",
            "source": None,
        } | changed
        number = "" if self._made == 1 else str(self._made)
        person = Person(
            name=NAME,
            family=FAMILY,
            given=GIVEN,
            kana="タカサキ シオリ",
            email=EMAIL.replace("@", f"{number}@"),
            phone=PHONE,
            prefecture="東京都",
            ats_id=f"K-{self._made:05}",
        )
        now = self.node.clock.now()
        values = {"applied_on": now - 30 * DAY_S, "rejected_on": now - DAY_S, "warnings": ()}
        draft = Draft(person=person, **{**about, **values})  # type: ignore[arg-type]
        with self.node.database.transaction() as session:
            before = {row.id for row in session.query(models.Applicant)}
            writing.store(session, self.node.context, [draft])
            (applicant,) = {row.id for row in session.query(models.Applicant)} - before
            _, token = links.issue(
                session, self.node.context, applicant, expires_at=now + days * DAY_S
            )
        return applicant, token

    def email_of(self, applicant: str) -> str:
        """The mailbox of somebody who was invited."""
        with self.node.database.reading() as session:
            row = session.get(models.Applicant, applicant)
            assert row is not None
            return people.person_of(session, self.node.context, row).email

    def mails(self, kind: str | None = None) -> list[Mail]:
        """The mails that wait, oldest first."""
        with self.node.database.reading() as session:
            rows = session.query(models.MailEntry).order_by(models.MailEntry.created_at)
            found = []
            for row in rows:
                assert row.message_blob is not None
                plain = self.node.keyring.decrypt(mailing.COLUMN, row.id, row.message_blob)
                content = json.loads(plain)
                found.append(
                    Mail(
                        row.kind,
                        content["to"],
                        content["subject"],
                        content["text"],
                        content["attachments"],
                    )
                )
        return [mail for mail in found if kind in (None, mail.kind)]

    def code(self) -> str:
        """The code in the newest mail that has one."""
        with self.node.database.reading() as session:
            newest = session.query(models.ContactCode).order_by(
                models.ContactCode.created_at.desc()
            )
            assert newest.first() is not None
        codes = [re.search(r"\b(\d{6})\b", mail.text) for mail in self.mails("code")]
        assert codes, "no code was mailed"
        assert codes[-1]
        return codes[-1][1]

    def rows(self) -> dict[str, int]:
        """How many rows each table has, to show that nothing changed."""
        with self.node.database.reading() as session:
            return {
                table.name: session.query(table).count() for table in models.METADATA.sorted_tables
            }

    def envelopes(self) -> dict[str, list[Referral]]:
        """What each partner can open: the referrals that wait in the outbox."""
        found: dict[str, list[Referral]] = {house.id: [] for house in self.alliance.others("aoba")}
        with self.node.database.reading() as session:
            rows = session.query(models.OutboxEntry).filter_by(kind="referral").all()
        for row in rows:
            keyring = self.alliance[row.recipient].context.keyring
            document = envelope.open(envelope.parse(row.envelope), keyring.sealing)
            found[row.recipient].append(Referral.parse(document.payload))
        return found

    def grounds(self) -> list[Grounds]:
        return [each.grounds for sent in self.envelopes().values() for each in sent]

    def walker(self, token: str) -> "Walker":
        """Somebody who goes the way without a browser."""
        return Walker(self, self.web.app.test_client(), token)


ABOUT = {"family_name": FAMILY, "given_name": GIVEN, "applicant_type": "midcareer"}
EXPERIENCE = {"experience_years": "5", "skills": "Python\n営業", "do": ""}


@dataclass
class Walker:
    """Goes from page to page, and sends each page's form with the page's own token."""

    candidates: Candidates
    client: FlaskClient
    token: str
    about: dict[str, str] = field(default_factory=lambda: dict(ABOUT))
    experience: dict[str, str] = field(default_factory=lambda: dict(EXPERIENCE))

    def get(self, path: str) -> TestResponse:
        return self.client.get(path)

    def csrf(self, page: str) -> str:
        """The token in the forms of a page."""
        found = TOKEN_FIELD.search(self.get(page).get_data(as_text=True))
        assert found, f"{page} holds no form"
        return found[1]

    def post(self, path: str, values: dict[str, object], *, page: str) -> TestResponse:
        return self.client.post(path, data={"csrf_token": self.csrf(page), **values})

    def attach(self, data: bytes, **values: str) -> TestResponse:
        """Choose a file on the page about experience, and press its button."""
        token = self.csrf("/l/experience")
        chosen = FileStorage(io.BytesIO(data), f"{FAMILY}の履歴書.pdf", "file", "application/pdf")
        form = {"csrf_token": token, **self.experience, "do": "attach", **values, "file": chosen}
        # In memory: the client's own way of building it leaves files open behind.
        boundary, body = encode_multipart(form)
        content_type = f"multipart/form-data; boundary={boundary}"
        return self.client.post("/l/experience", data=body, content_type=content_type)

    @cached_property
    def arrival(self) -> str:
        return f"/l/{self.token}"

    def start(self) -> TestResponse:
        return self.post("/l/start", {"token": self.token}, page=self.arrival)

    def choose(self, *members: str) -> TestResponse:
        return self.post("/l/partners", {"partner": list(members)}, page="/l/partners")

    def decide(self, order: str = "card", **ticked: str) -> TestResponse:
        return self.post("/l/how", {"order": order, **ticked}, page="/l/how")

    def send_code(self) -> TestResponse:
        return self.post("/l/code/send", {}, page="/l/code")

    def enter(self, code: str) -> TestResponse:
        return self.post("/l/code", {"code": code}, page="/l/code")

    def verify(self) -> TestResponse:
        self.send_code()
        return self.enter(self.candidates.code())

    def fill(self) -> TestResponse:
        self.post("/l/about", dict(self.about), page="/l/about")
        return self.post("/l/experience", dict(self.experience), page="/l/experience")

    def arrive(self, *members: str, order: str = "card", **ticked: str) -> None:
        """Everything up to the last page."""
        for answer in (
            self.start(),
            self.choose(*members),
            self.decide(order, **ticked),
            self.verify(),
            self.fill(),
        ):
            assert answer.status_code == 302, answer.get_data(as_text=True)

    def seen(self) -> str:
        page = self.get("/l/check").get_data(as_text=True)
        found = re.search(r'name="seen" value="([0-9a-f]{64})"', page)
        assert found, page
        return found[1]

    def agree(self, *members: str, seen: str | None = None) -> TestResponse:
        values = {"agree": list(members), "seen": seen or self.seen()}
        return self.post("/l/check", values, page="/l/check")
