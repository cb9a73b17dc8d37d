"""Referrals received: the board of anonymous cards, and one referral with its course.

DOMAIN 2.2 V2-V5.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from node import models
from node.services import hires, ledger, office_hours, outbox, records, referrals, relays, users
from node.web.csv_files import csv_answer
from node.web.entrance import charter, companies, company_name, node, require_role, user
from node.web.filters import day
from node.web.marks import Mark
from node.web.paging import PAGE_ROWS, chosen, cursor, turned
from node.web.prefectures import prefecture
from node.web.referrals import deliveries, words
from protocol import PROGRESS, Card

blueprint = Blueprint("referrals_in", __name__, url_prefix="/referrals/in")

# A working day or two before the end, the page begins to press.
SOON_DAYS = 2


@dataclass(frozen=True, slots=True)
class Due:
    """How urgent an answer is: a badge's kind, words that say the same, and until when."""

    kind: str
    sign: str
    text: str
    until: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A referral as the board shows it."""

    row: models.ReferralIn
    card: Card
    due: Due | None

    @property
    def sender(self) -> str:
        """The referring company, unless the person wished it hidden from those who select."""
        hidden = referrals.hides_source(self.row)
        return _("(hidden, as the person wished)") if hidden else company_name(self.row.sender)

    @property
    def asks_first(self) -> bool:
        return referrals.asks_first(self.row)

    @property
    def tells_progress(self) -> bool:
        return PROGRESS in referrals.grounds_of(self.row).items

    @property
    def mark(self) -> Mark:
        is_asked = self.row.state == "accepted" and self.asks_first
        return words.ASKED if is_asked else words.IN_STATES[self.row.state]

    @property
    def decided_by(self) -> int | None:
        """Until when a person who is asked first has to answer: as long as we had ourselves."""
        here, alliance = node(), charter()
        if alliance is None or self.row.answered_at is None or self.mark is not words.ASKED:
            return None
        days, zone = alliance.policy.answer_days, here.settings.time_zone
        return office_hours.end_of_working_day(self.row.answered_at, days, zone)

    @property
    def hides_sender(self) -> bool:
        return referrals.hides_source(self.row)

    @property
    def title(self) -> str:
        return self.occupation or str(_("Occupation not given"))

    @property
    def occupation(self) -> str:
        return words.occupation(self.card.occupation)

    @property
    def languages(self) -> list[str]:
        return [words.language(each) for each in self.card.languages]

    @property
    def number(self) -> str:
        """The part of the id that people quote."""
        return self.row.id[:8]

    @property
    def region(self) -> str:
        return prefecture(self.card.region)

    @property
    def kind(self) -> str:
        return words.applicant_type(self.card.applicant_type)

    @property
    def reached(self) -> str:
        return words.stage(self.card.reached_stage)

    @property
    def stage(self) -> str:
        return words.stage(self.row.stage_code)


def offer_of(row: models.ReferralIn) -> Offer:
    """The referral with its card, and how long there is to answer."""
    return Offer(row, referrals.card_of(row), _due(row) if row.state == "received" else None)


def _due(row: models.ReferralIn) -> Due:
    here, alliance = node(), charter()
    now, zone = here.context.now(), here.settings.time_zone
    until = _("until %(day)s", day=day(row.due_at))
    if now > row.due_at:
        end = referrals.last_day(
            here.context, alliance.policy.answer_days if alliance else 0, row.due_at
        )
        until = _("Ends without an answer after %(day)s", day=day(end))
        return Due("danger", "exclamation-circle", _("Overdue"), until)
    left = office_hours.working_days_until(now, row.due_at, zone)
    if left == 0:
        return Due("warning", "exclamation-triangle", _("Today is the last day"), until)
    text = ngettext("%(num)s working day left", "%(num)s working days left", left)
    if left <= SOON_DAYS:
        return Due("warning", "exclamation-triangle", text, until)
    return Due("neutral", "clock", text, until)


@blueprint.get("")
@require_role()
def listing() -> ResponseReturnValue:
    """The board: cards, newest first, with what can be done about each."""
    state, sender = chosen("state", words.IN_STATES), chosen("sender", companies())
    where, backwards = cursor()
    with node().database.reading() as session:
        page = referrals.list_in(
            session,
            state=state,
            sender=sender,
            cursor=where,
            backwards=backwards,
            limit=PAGE_ROWS,
        )
        counts = referrals.counts_shown(session)
    query = {"state": state or None, "sender": sender or None}
    return render_template(
        "referrals/received.html",
        page=turned(page, "referrals_in.listing", **query),
        offers=[offer_of(row) for row in page.rows],
        state=state,
        sender=sender,
        counts=counts,
        counted_max=referrals.COUNTED_MAX,
        members=companies(),
        states=words.IN_STATES,
        may_answer=user().may("recruiter"),
    )


@blueprint.get("/export.csv")
@require_role()
def export() -> Response:
    """The list as a file: cards only, which name nobody."""
    state, sender = chosen("state", words.IN_STATES), chosen("sender", companies())
    return csv_answer(lambda: _rows(state, sender), f"referrals-received-{_today()}.csv")


def _today() -> str:
    here = node()
    return f"{datetime.fromtimestamp(here.context.now(), here.settings.time_zone):%Y%m%d}"


def _rows(state: str, sender: str) -> Iterator[list[str]]:
    yield [
        _("Referral number"),
        _("Referring company"),
        _("State"),
        _("Selection stage"),
        _("Received on"),
        _("Answer by"),
        _("Answered on"),
        _("Kind of application"),
        _("Prefecture"),
        _("Occupation"),
        _("Years of experience"),
        _("Skills"),
        _("Languages"),
        _("Stage reached there"),
        _("Available from"),
    ]
    where = None
    with node().database.reading() as session:
        while True:
            page = referrals.list_in(
                session, state=state, sender=sender, cursor=where, limit=PAGE_ROWS * 4
            )
            yield from (_cells(offer_of(row)) for row in page.rows)
            where = page.after
            if where is None:
                return


def _cells(offer: Offer) -> list[str]:
    row, card = offer.row, offer.card
    return [
        row.id,
        offer.sender,
        _(offer.mark.word),
        offer.stage,
        day(row.created_at),
        day(row.due_at),
        day(row.answered_at) if row.answered_at else "",
        offer.kind,
        offer.region,
        offer.occupation,
        str(card.experience_years),
        "、".join(card.skills),
        "、".join(offer.languages),
        offer.reached,
        card.available_from,
    ]


@blueprint.get("/<referral_id>")
@require_role()
def show(referral_id: str) -> ResponseReturnValue:
    """One referral: its card, what can be done now, and its course."""
    here, alliance = node(), charter()
    with here.database.reading() as session:
        row = referrals.offered(session, referral_id)
        may_look = user().may("recruiter", "approver") and row.profile_blob is not None
        hire = hires.find(session, "in", row.id)
        relay = relays.of_referral(session, row.id)
        stages = referrals.stages_of(session, "in", row.id)
        course, called = referrals.course(session), referrals.names(session)
        names = users.names(session)
        twins, others = [], []
        # Once handed on, the person stands in our list because of this very referral.
        if may_look and row.state == "profile_received" and relay is None:
            twins = _duplicates(session, row)
        if may_look:
            others = _others(session, row)
        letters = deliveries.of(session, here.context, row.sender, outbox.state_of(session, row.id))
        point = row.entry_id and ledger.place_of(session, here.context.member_id, row.entry_id)
        came = records.is_recorded(session, row.sender, row.referral_id)
    return render_template(
        "referrals/offer.html",
        offer=offer_of(row),
        grounds=referrals.grounds_of(row),
        events=_events(row, stages, hire, names, called) + _handed_on(relay, names),
        twins=twins,
        others=others,
        others_first=referrals.first_of([each.other for each in others]),
        ownership_days=alliance.policy.ownership_days if alliance else 0,
        letters=letters,
        point=point,
        goes_back=row.state == "withdrawn" and referrals.asks_first(row) and not came,
        us=here.context.member_id,
        hire=hire,
        relay=relay,
        may_hand_on=relays.may_hand_on(row),
        may_answer=user().may("recruiter"),
        may_look=may_look,
        may_see_points=user().may("recruiter", "approver"),
        stage_now=called.get(row.stage_id or "") or words.stage(row.stage_code),
        stands_at=referrals.place_of(row, course),
        stages=[(each.id, words.stage_name(each)) for each in course],
        ends=[(code, words.stage(code)) for code in referrals.ENDS],
    )


def _handed_on(relay: models.Relay | None, names: dict[str, str]) -> list[dict[str, object]]:
    if relay is None:
        return []
    title, who = _("Handed on: the person is asked"), names.get(relay.handed_by, "")
    return [{"title": title, "at": relay.created_at, "who": who, "icon": "box-arrow-up-right"}]


@dataclass(frozen=True, slots=True)
class Twin:
    """Somebody of our own list who may be this person, and what is alike."""

    applicant: models.Applicant
    name: str
    alike: str


def _duplicates(session: Session, row: models.ReferralIn) -> list[Twin]:
    return [
        Twin(each, person.name if person else _("erased"), _alike(alike))
        for each, person, alike in referrals.twins_of(session, node().context, row)
    ]


def _alike(names: Sequence[str]) -> str:
    said = {"email": _("E-mail"), "phone": _("Telephone"), "kana": _("Reading of the name")}
    return str(_(", ").join(said[each] for each in names))


@dataclass(frozen=True, slots=True)
class Rival:
    """Another referral of what may be the same person, as the page lists it."""

    other: referrals.Other
    offer: Offer
    alike: str


def _others(session: Session, row: models.ReferralIn) -> list[Rival]:
    return [
        Rival(each, offer_of(each.row), _alike(each.alike))
        for each in referrals.others_of(session, node().context, row)
    ]


def _step(row: models.ReferralIn, step: models.StageChange, called: str | None) -> str:
    name = called or words.stage(step.stage_code)
    is_start = step.changed_at == row.answered_at
    return _("Offered to start at: %(stage)s", stage=name) if is_start else name


def _events(
    row: models.ReferralIn,
    stages: Sequence[models.StageChange],
    hire: models.Hire | None,
    names: dict[str, str],
    called: dict[str, str],
) -> list[dict[str, object]]:
    events: list[dict[str, object]] = [
        {
            "title": _("Referral received"),
            "at": row.created_at,
            "who": offer_of(row).sender,
            "icon": "box-arrow-in-down",
        }
    ]
    if row.answered_at:
        accepted = row.acceptance is not None
        by_rule = accepted and row.answered_by is None
        events.append(
            {
                "title": _("Accepted") if accepted else _("Declined"),
                "at": row.answered_at,
                "who": _("the rule") if by_rule else names.get(row.answered_by or "", ""),
                "icon": "hand-thumbs-up" if accepted else "dash-circle",
            }
        )
    events += [
        {
            "title": _step(row, each, called.get(each.stage_id or "")),
            "at": each.changed_at,
            "who": names.get(each.changed_by or "", ""),
            "icon": "award" if each.stage_code == "hired" else "check-circle-fill",
        }
        for each in stages
    ]
    if row.state == "already_known":
        title = _("Answered that the person was already known")
        events.append({"title": title, "at": row.updated_at, "icon": "person-check"})
    if row.state == "expired":
        text = _("The person was told that there was no answer.")
        title = _("Ended without an answer")
        events.append({"title": title, "at": row.updated_at, "icon": "clock-history", "text": text})
    if row.state == "withdrawn":
        text = _("What was here of the person is erased, and the proof is sent.")
        title = _("Consent taken back by the person")
        events.append({"title": title, "at": row.updated_at, "icon": "x-circle", "text": text})
    if hire is not None:
        events.append(
            {
                "title": _("First day at work: %(day)s", day=day(hire.joins_on)),
                "icon": "calendar-event",
            }
        )
    if row.state == "accepted":
        asked, until = _("Waiting for the person's answer"), offer_of(row).decided_by
        title = asked if until else _("Waiting for the profile")
        text = _("until %(day)s", day=day(until)) if until else ""
        events.append({"title": title, "icon": "hourglass-split", "text": text})
    return events
