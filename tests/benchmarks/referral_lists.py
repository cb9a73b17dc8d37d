"""Lists at 100,000 applicants with 300,000 referrals each way, against 1,000 with 3,000."""

import html
import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter
from typing import TypeAlias

from sqlalchemy import insert, select

from node import models
from node.database import Database
from node.models.schema import Model
from node.services import records
from tests.benchmarks.applicants import bring_in, write_file
from tests.benchmarks.registry import Figure, benchmark
from tests.equipment.alliance import MEMBERS, Alliance, House, found_alliance
from tests.equipment.applicants_office import Office, add_recruiter
from tests.equipment.referring import PROFILE_OF_MAKI
from tests.equipment.season import PEOPLE, Season
from tests.equipment.web_house import Visitor, WebHouse

FEW, MANY = 1_000, 100_000
PARTNERS = ("biwa", "seeds", "bridge")
BATCH = 5_000
ROUNDS = 20
# Turned to by the addresses that the pages themselves carry, as people do.
PAGES_ON = 20
WITHIN_MS = 100
FIRST = 1_700_000_000
NEXT = re.compile(r'id="page-next" rel="next" href="([^"]+)"')
# Each before those that point to it.
COPIED: tuple[type[Model], ...] = (
    *(models.Link, models.Consent, models.OutboxEntry),
    *(models.ReferralOut, models.ReferralIn),
)
Row: TypeAlias = dict[str, object]
Rows: TypeAlias = dict[type[Model], list[Row]]
LISTS = {
    "referrals sent": "/referrals/out",
    "referrals sent, released": "/referrals/out?state=released",
    "referrals sent, to one company": "/referrals/out?recipient=biwa",
    "referrals received": "/referrals/in",
    "referrals received, waiting": "/referrals/in?state=received",
    "applicants": "/applicants",
    "records of provision": "/records",
}


def fill(alliance: Alliance, folder: Path, people: int) -> None:
    """`people` applicants of aoba, each of them offered to three members, and as many offers in."""
    aoba = alliance["aoba"]
    season = Season(alliance)
    season.accepted("aoba", "biwa", PEOPLE[0])
    season.offered("biwa", "aoba", PEOPLE[1])
    add_recruiter(aoba.database)
    path = folder / "applicants.csv"
    write_file(path, people)
    context = aoba.context
    bring_in(Office(aoba.database, context, context.clock), path)  # type: ignore[arg-type]
    with aoba.database.reading() as session:
        patterns = {
            model: row_of(session.scalars(select(model).limit(1)).one()) for model in COPIED
        }
        known = patterns[models.Consent]["applicant_id"]
        applicants = list(
            session.scalars(select(models.Applicant.id).where(models.Applicant.id != known))
        )
    for start in range(0, len(applicants), BATCH):
        with aoba.database.transaction() as session:
            for model, rows in copies(patterns, applicants[start : start + BATCH], start).items():
                session.execute(insert(model), rows)


def row_of(row: Model) -> Row:
    """The row's columns as they are stored."""
    return {column.name: getattr(row, column.name) for column in type(row).__table__.columns}


def copies(patterns: dict[type[Model], Row], applicants: list[str], start: int) -> Rows:
    """A link, a consent and three referrals of each applicant, and three offers from outside."""
    rows: Rows = {model: [] for model in patterns}

    def add(model: type[Model], **changed: object) -> None:
        rows[model].append(patterns[model] | changed)

    for n, applicant in enumerate(applicants, start):
        link, consent = secrets.token_hex(16), secrets.token_hex(16)
        add(models.Link, id=link, applicant_id=applicant, token_hash=secrets.token_bytes(32))
        given = {"id": consent, "applicant_id": applicant, "link_id": link}
        add(models.Consent, **given, status_token_hash=secrets.token_bytes(32))
        for number, partner in enumerate(PARTNERS):
            envelope, referral, received = (secrets.token_hex(16) for _ in range(3))
            moment, turn = FIRST + 3 * n + number, (n + number) % 3
            sent = {"recipient": partner, "created_at": moment}
            add(models.OutboxEntry, **sent, id=envelope, subject_id=referral)
            of = {"consent_id": consent, "applicant_id": applicant, "envelope_id": envelope}
            states = ("sent", "released", "declined")
            add(models.ReferralOut, **sent, **of, id=referral, state=states[turn])
            came = {"sender": partner, "referral_id": referral, "envelope_id": envelope}
            states = ("received", "declined", "expired")
            add(models.ReferralIn, **came, id=received, created_at=moment, state=states[turn])
    return rows


def provide(aoba: House, people: int) -> None:
    """The records of Art. 29 that as many referrals leave behind."""
    with aoba.database.reading() as session:
        sent = session.execute(
            select(models.ReferralOut.id, models.ReferralOut.recipient).limit(3 * people)
        ).all()
    for start in range(0, len(sent), BATCH):
        with aoba.database.transaction() as session:
            for referral, recipient in sent[start : start + BATCH]:
                records.write_provision(
                    session,
                    aoba.context,
                    envelope_id=secrets.token_hex(16),
                    referral_id=referral,
                    consent_id="consent0001",
                    recipient=recipient,
                    person=PROFILE_OF_MAKI,
                    items=["name", "work"],
                )


def best_ms(visitor: Visitor, path: str) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        started = perf_counter()
        answer = visitor.get(path)
        best = min(best, perf_counter() - started)
        assert answer.status_code == 200, (path, answer.status_code)
    return best * 1000


def measured(folder: Path, people: int) -> dict[str, float]:
    """Milliseconds of the first and of a far page of each list, by what it is."""
    folder.mkdir()
    with ExitStack() as stack:
        opened = []
        for member in MEMBERS:
            database = Database(f"sqlite:///{folder / member}.db")
            stack.callback(database.close)
            database.upgrade()
            opened.append(database)
        alliance = found_alliance(opened)
        fill(alliance, folder, people)
        provide(alliance["aoba"], people)
        visitor = WebHouse(alliance["aoba"]).signed_in("admin")
        found = {}
        for what, path in LISTS.items():
            found[f"{what}, first page"] = best_ms(visitor, path)
            if far := turned_to(visitor, path, PAGES_ON):
                found[f"{what}, page {PAGES_ON}"] = best_ms(visitor, far)
        return found


def turned_to(visitor: Visitor, path: str, page: int) -> str:
    """The address of a later page, by the links of those before it; empty when it has none."""
    for _ in range(page - 1):
        link = NEXT.search(visitor.get(path).get_data(as_text=True))
        if link is None:
            return ""
        path = html.unescape(link[1])
    return path


@benchmark("referral-lists")
def referral_lists() -> Iterator[Figure]:
    """Whole pages as HR asks for them, from the session to the last byte of the page."""
    with tempfile.TemporaryDirectory() as name:
        few = measured(Path(name) / "few", FEW)
        many = measured(Path(name) / "many", MANY)
    for what, many_ms in many.items():
        yield Figure(f"{what}, {MANY:,} applicants", many_ms, "ms", at_most=WITHIN_MS)
        yield Figure(f"{what}, ratio", many_ms / few[what], "times", at_most=1.5)
