"""Referrals sent: how each of ours stands, as far as its person lets us see.  DOMAIN 2.1 R9."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TypeAlias

from flask import Blueprint, Response, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from node import models
from node.services import erasures, hires, links, outbox, referrals
from node.services.ledger import Place
from node.web.csv_files import csv_answer
from node.web.entrance import companies, company_name, node, require_role, user
from node.web.filters import day
from node.web.paging import PAGE_ROWS, chosen, cursor, turned
from node.web.referrals import deliveries, words

blueprint = Blueprint("referrals_out", __name__, url_prefix="/referrals/out")

Event: TypeAlias = dict[str, object]


@blueprint.get("")
@require_role()
def listing() -> ResponseReturnValue:
    """The list: whom, to which member, delivered or not, and how it stands."""
    state, recipient = chosen("state", words.OUT_STATES), chosen("recipient", companies())
    where, backwards = cursor()
    here = node()
    with here.database.reading() as session:
        page = referrals.list_out(
            session,
            state=state,
            recipient=recipient,
            cursor=where,
            backwards=backwards,
            limit=PAGE_ROWS,
        )
        people = referrals.people_of(session, here.context, page.rows)
        delivered = outbox.states(session, [row.envelope_id for row in page.rows])
    query = {"state": state or None, "recipient": recipient or None}
    return render_template(
        "referrals/sent.html",
        page=turned(page, "referrals_out.listing", **query),
        people=people,
        delivered=delivered,
        state=state,
        recipient=recipient,
        members=companies(),
        states=words.OUT_STATES,
        deliveries=words.DELIVERY_STATES,
        shown=referrals.state_shown,
        stage=words.stage,
    )


@blueprint.get("/export.csv")
@require_role()
def export() -> Response:
    """The list as a file: no names, and no stage that the person keeps to themselves."""
    state, recipient = chosen("state", words.OUT_STATES), chosen("recipient", companies())
    here = node()
    today = datetime.fromtimestamp(here.context.now(), here.settings.time_zone)
    return csv_answer(lambda: _rows(state, recipient), f"referrals-sent-{today:%Y%m%d}.csv")


def _rows(state: str, recipient: str) -> Iterator[list[str]]:
    yield [
        _("Referral number"),
        _("Receiving company"),
        _("State"),
        _("Selection stage"),
        _("Delivery"),
        _("Consented on"),
        _("Answer by"),
        _("Answered on"),
        _("Profile released on"),
    ]
    where = None
    with node().database.reading() as session:
        while True:
            page = referrals.list_out(
                session, state=state, recipient=recipient, cursor=where, limit=PAGE_ROWS * 4
            )
            delivered = outbox.states(session, [row.envelope_id for row in page.rows])
            for row in page.rows:
                yield _cells(row, delivered.get(row.envelope_id, "queued"))
            where = page.after
            if where is None:
                return


def _cells(row: models.ReferralOut, delivered: str) -> list[str]:
    return [
        row.id,
        company_name(row.recipient),
        _(words.OUT_STATES[referrals.state_shown(row)].word),
        words.stage(row.stage_code) if row.shares_progress else _("not shared"),
        _(words.DELIVERY_STATES[delivered].word),
        day(row.created_at),
        day(row.answer_by),
        day(row.answered_at) if row.answered_at else "",
        day(row.released_at) if row.released_at else "",
    ]


@blueprint.get("/<referral_id>")
@require_role()
def show(referral_id: str) -> ResponseReturnValue:
    """One referral: from the consent over receipt and acceptance to the hire."""
    here = node()
    with here.database.reading() as session:
        row = referrals.sent_of(session, referral_id)
        views = outbox.state_of(session, row.id)
        letters = deliveries.of(session, here.context, row.recipient, views)
        stages = referrals.stages_of(session, "out", row.id) if row.shares_progress else []
        hire = hires.find(session, "out", row.id) if row.shares_progress else None
        point = referrals.paid(session, here.context, [row]).get(row.id)
        person = referrals.people_of(session, here.context, [row]).get(row.id)
        link = links.of_consent(session, row.consent_id)
        asked = erasures.by_referral(session, [row.id]).get(row.id)
    first = next((each.view for each in letters if each.view.id == row.envelope_id), None)
    may_see_points = user().may("recruiter", "approver")
    events = _opened(link) + _until_answer(row, first.delivered_at if first else None)
    events += _after_answer(row, point, with_points=may_see_points)
    events += _selection(row, stages, hire) + _taken_back(row, asked)
    return render_template(
        "referrals/sent_one.html",
        row=row,
        person=person,
        number=row.id[:8],
        state=words.OUT_STATES[referrals.state_shown(row)],
        stage=words.stage(row.stage_code) if row.shares_progress else "",
        events=events,
        letters=letters,
        point=point,
        may_see_points=may_see_points,
    )


def _opened(link: models.Link | None) -> list[Event]:
    if link is None or link.opened_at is None:
        return []
    return [
        {
            "title": _("Private link opened by the person"),
            "at": link.opened_at,
            "icon": "link-45deg",
        }
    ]


def _until_answer(row: models.ReferralOut, delivered_at: int | None) -> list[Event]:
    events: list[Event] = [
        {"title": _("Consent given by the person"), "at": row.created_at, "icon": "hand-thumbs-up"},
    ]
    delivered: Event = {"title": _("Delivered to %(company)s", company=company_name(row.recipient))}
    if delivered_at:
        text = _("Their node's signed receipt is here.")
        delivered |= {"at": delivered_at, "icon": "envelope-check", "text": text}
    events.append(delivered)
    if row.state == "declined":
        events.append(
            {"title": _("Declined"), "at": row.answered_at, "icon": "dash-circle"},
        )
    elif row.answered_at:
        events.append({"title": _("Accepted"), "at": row.answered_at, "icon": "hand-thumbs-up"})
    else:
        events.append({"title": _("Answer by %(day)s", day=day(row.answer_by))})
    return events


def _after_answer(
    row: models.ReferralOut, point: Place | None, *, with_points: bool
) -> list[Event]:
    events: list[Event] = []
    if row.state == "accepted" and row.decide_by:
        title = _("Waiting for the person's answer, until %(day)s", day=day(row.decide_by))
        events.append({"title": title, "icon": "hourglass-split"})
    if row.released_at:
        title = _("Profile released against the acceptance")
        events.append({"title": title, "at": row.released_at, "icon": "person-lines-fill"})
    if row.entry_id and with_points:
        events.append(_point_event(row, point))
        if row.point_settled_at and point:
            title = _("The profile was not sent: the point goes back")
            events.append({"title": title, "at": row.point_settled_at, "icon": "patch-check"})
    if row.state == "already_known":
        title = _("Answered “already known”: the point goes back")
        events.append({"title": title, "at": row.updated_at, "icon": "person-check"})
    return events


def _taken_back(row: models.ReferralOut, asked: models.Erasure | None) -> list[Event]:
    title = _("Consent taken back by the person")
    if asked is None:
        if row.state != "withdrawn":
            return []
        text = _("Nothing had left this node.")
        return [{"title": title, "at": row.updated_at, "icon": "x-circle", "text": text}]
    events: list[Event] = [{"title": title, "at": asked.withdrawn_at, "icon": "x-circle"}]
    if asked.erased_at is None:
        wanted = _("Proof of the erasure wanted by %(day)s", day=day(asked.erase_by))
        return [*events, {"title": wanted, "icon": "hourglass-split"}]
    text = _("Their node's signed receipt is here.")
    proven = {"at": asked.erased_at, "icon": "patch-check", "text": text}
    return [*events, {"title": _("Erased there"), **proven}]


def _point_event(row: models.ReferralOut, point: Place | None) -> Event:
    if point is None:
        title = _("Point promised, not in the ledger yet")
        return {"title": title, "icon": "hourglass-split"}
    return {
        "title": _("Point certified in the ledger"),
        "icon": "patch-check",
        "at": point.applied_at,
        "url": url_for("points.certificate", account=row.recipient, sequence=point.sequence),
        "link": _("Certificate %(number)s", number=point.sequence),
    }


def _selection(
    row: models.ReferralOut, stages: Sequence[models.StageChange], hire: models.Hire | None
) -> list[Event]:
    events: list[Event] = [
        {
            "title": _step(row, each),
            "at": each.changed_at,
            "icon": "award" if each.stage_code == "hired" else "check-circle-fill",
        }
        for each in stages
    ]
    if hire is not None:
        title = _("First day at work: %(day)s", day=day(hire.joins_on))
        events.append({"title": title, "icon": "calendar-event"})
    return events


def _step(row: models.ReferralOut, step: models.StageChange) -> str:
    name = words.stage(step.stage_code)
    is_start = step.changed_at == row.answered_at
    return _("Offered to start at: %(stage)s", stage=name) if is_start else name
