"""Applicants: the list with its filters, one person's page, and the list as a file."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request
from flask import url_for as address
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from marshmallow import Schema, fields, validate

from node import forms
from node.i18n import later
from node.models.applicants import APPLICANT_TYPES, STATUSES
from node.services import audit, links, relays
from node.services.applicants import exclusion, exporting, listing, values
from node.services.applicants.listing import Filters
from node.services.applicants.refusals import TooManyChosen
from node.services.notices import reports
from node.web.entrance import node, require_role, user

blueprint = Blueprint("applicants", __name__, url_prefix="/applicants")

STATUS_NAMES = {
    "active": later("In selection"),
    "rejected": later("Rejected"),
    "withdrawn": later("Withdrawn"),
    "hired": later("Hired"),
}
STATUS_BADGES = {
    "active": ("info", "arrow-right"),
    "rejected": ("neutral", "dash-circle"),
    "withdrawn": ("neutral", "box-arrow-right"),
    "hired": ("success", "check-circle"),
}
TYPE_NAMES = {
    "newgrad": later("New graduate"),
    "midcareer": later("Mid-career"),
    "parttime": later("Part-time"),
}
STAGE_NAMES = {
    "applied": later("Applied"),
    "screening": later("Document screening"),
    "test": later("Aptitude test"),
    "interview_1": later("First interview"),
    "interview_2": later("Second interview"),
    "interview_n": later("Further interview"),
    "interview_final": later("Final interview"),
    "offer": later("Offer"),
    "accepted": later("Offer accepted"),
    "hired": later("Joined"),
}
ORDER_NAMES = {
    "newest": later("Newest first"),
    "applied": later("Day of application"),
    "waiting": later("Waiting longest"),
}
TOLD_NAMES = {"no": later("Not told yet"), "yes": later("Told")}
DAYS_MAX = 3650
# The filters that stand folded up below the others.
MORE_FILTERS = ("applied_from", "applied_to", "type", "order", "limit")


class Asked(Schema):
    """What the filter bar can ask; what cannot be is as if it were not asked."""

    words = fields.String(load_default="", validate=validate.Length(max=200))
    job = fields.String(load_default="", validate=validate.Length(max=200))
    stage = fields.String(load_default="", validate=validate.OneOf(("", *values.STAGE_CODES)))
    from_stage = fields.String(load_default="", validate=validate.OneOf(values.STAGE_CODES))
    status = fields.String(load_default="", validate=validate.OneOf(STATUSES))
    type = fields.String(load_default="", validate=validate.OneOf(APPLICANT_TYPES))
    applied_from = fields.Date(load_default=None)
    applied_to = fields.Date(load_default=None)
    told = fields.String(load_default="", validate=validate.OneOf(tuple(TOLD_NAMES)))
    days = fields.Integer(load_default=None, validate=validate.Range(0, DAYS_MAX))
    order = fields.String(load_default="", validate=validate.OneOf(listing.ORDERS))
    limit = fields.Integer(load_default=50, validate=validate.OneOf(listing.LIMITS))


ASKED = Asked()


@blueprint.get("", endpoint="listing")
@require_role()
def show_list() -> ResponseReturnValue:
    """One page of the list, narrowed by the filter bar."""
    filters, form, limit = _asked()
    here = node()
    with here.database.reading() as session:
        found = listing.list_page(
            session, here.context, filters, request.args.get("cursor", ""), limit
        )
        total, more = listing.count(session, here.context, filters)
        jobs = listing.jobs(session)
    page = forms.Page(
        found.entries,
        previous=_page_url(found.previous),
        next=_page_url(found.next),
    )
    return render_template(
        "applicants/list.html",
        page=page,
        form=form,
        total=total,
        more=more,
        narrowed=filters != Filters(order=filters.order),
        choices=_choices(jobs),
        names=_names(),
        badges=STATUS_BADGES,
        limit=limit,
        more_filters=any(request.args.get(name) for name in MORE_FILTERS),
        notices_url=notices_url(),
        asked=_asked_args(),
        everyone_url=address("applicants.choose_all", **_asked_args()),
        chosen_max=listing.CHOSEN_MAX,
    )


@blueprint.get("/all")
@require_role("recruiter")
def choose_all() -> ResponseReturnValue:
    """Everybody the filter finds, chosen at once, for one act."""
    filters, _form, _limit = _asked()
    here = node()
    with here.database.reading() as session:
        ids = listing.chosen(session, here.context, filters, listing.CHOSEN_MAX + 1)
    if len(ids) > listing.CHOSEN_MAX:
        raise TooManyChosen
    return render_template(
        "applicants/all.html", ids=ids, asked=_asked_args(), notices_url=notices_url()
    )


@blueprint.get("/<applicant_id>")
@require_role()
def detail(applicant_id: str) -> ResponseReturnValue:
    """One applicant: what is known, where the selection stands, and whether a link may go."""
    here = node()
    with here.database.reading() as session:
        entry = listing.entry_of(session, here.context, applicant_id)
        reason = exclusion.reason_for(session, here.context, applicant_id)
        link = links.of_applicant(session, applicant_id)
        notice = reports.of_applicant(session, applicant_id)
        relay = relays.of_applicant(session, applicant_id)
    form = forms.Form({"exclusion": entry.row.exclusion or ""})
    return render_template(
        "applicants/detail.html",
        entry=entry,
        reason=_(exclusion.REASONS[reason]) if reason else None,
        link=link,
        is_link_over=link is not None and here.context.now() >= link.expires_at,
        form=form,
        flags=[("", _("May get a private link")), *_named(exclusion.FLAGS)],
        names=_names(),
        badges=STATUS_BADGES,
        notice=notice,
        relay=relay,
        bounce_words=reports.bounce_words,
    )


@blueprint.post("/<applicant_id>/exclusion")
@require_role("recruiter")
def set_exclusion(applicant_id: str) -> ResponseReturnValue:
    """Set or take back the mark that this person gets no link."""
    here = node()
    with here.database.transaction() as session:
        flag = request.form.get("exclusion", "")
        exclusion.set_flag(session, here.context, applicant_id, flag, user_id=user().id)
    flash(_("The change has been saved."), "success")
    return redirect(address("applicants.detail", applicant_id=applicant_id))


@blueprint.get("/export")
@require_role("recruiter")
def export() -> ResponseReturnValue:
    """Choose the encoding; with CP932 chosen, see first what it would change."""
    return _export_page(_chosen(request.args.getlist("chosen")))


@blueprint.post("/export/choose")
@require_role("recruiter")
def export_chosen() -> ResponseReturnValue:
    """The same page for people ticked in the list, whose ids are too many for an address."""
    return _export_page(_chosen(request.form.getlist("chosen")))


@blueprint.post("/export")
@require_role("recruiter")
def download() -> ResponseReturnValue:
    """The file; or, for CP932, what it would change or lose, until that has been read."""
    filters, _form, _limit = _asked()
    ids = _chosen(request.form.getlist("chosen"))
    encoding = request.form.get("encoding", "")
    if encoding not in exporting.ENCODINGS:
        return _export_page(ids, error=_("Please choose.")), 422
    here = node()
    if encoding == "cp932" and request.form.get("read") != "yes":
        with here.database.reading() as session:
            count, losses = exporting.losses(session, here.context, filters, ids)
        if count:
            return _export_page(ids, losses=losses, losses_count=count)
    with here.database.transaction() as session:
        rows = exporting.count(session, here.context, filters, ids)
        audit.record(
            session,
            here.context,
            actor=user().id,
            action="applicants.export",
            subject="applicants",
            detail=f"rows={rows} encoding={encoding}",
        )
    return _file(filters, ids, exporting.ENCODINGS[encoding])


def _file(filters: Filters, ids: Sequence[str], codec: str) -> Response:
    """The rows as they are read, so that memory stays flat."""
    here = node()

    def pieces() -> Any:  # noqa: ANN401 (Flask takes any iterable of bytes)
        with here.database.reading() as session:
            rows = exporting.rows(session, here.context, filters, ids)
            yield from exporting.encode_rows(rows, codec)

    charset = "Shift_JIS" if codec == "cp932" else "UTF-8"
    name = exporting.file_name(here.context)
    return Response(
        pieces(),
        content_type=f"text/csv; charset={charset}; header=present",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _export_page(
    ids: Sequence[str],
    *,
    losses: Sequence[exporting.Loss] = (),
    losses_count: int = 0,
    error: str | None = None,
) -> str:
    filters, _form, _limit = _asked()
    here = node()
    with here.database.reading() as session:
        count = exporting.count(session, here.context, filters, ids)
    return render_template(
        "applicants/export.html",
        ids=ids,
        asked=_asked_args(),
        count=count,
        losses=losses,
        losses_count=losses_count,
        kinds={kind: _(said) for kind, said in exporting.LOSSES.items()},
        error=error,
        file_name=exporting.file_name(here.context),
    )


def notices_url() -> str | None:
    """Where chosen applicants are sent on to be told; None for who may not."""
    built = "notices.new" in current_app.view_functions
    return address("notices.new") if built and user().may("recruiter") else None


def _chosen(ids: list[str]) -> list[str]:
    if len(ids) > listing.CHOSEN_MAX:
        raise TooManyChosen
    return ids


def _asked() -> tuple[Filters, forms.Form, int]:
    """The filters in the address; a field that cannot be is shown with its sentence."""
    found, form = forms.read(ASKED, request.args, _)
    asked = {**ASKED.load({}), **found}
    filters = Filters(
        words=asked["words"],
        job=asked["job"],
        stage_code=asked["stage"],
        from_stage=asked["from_stage"],
        status=asked["status"],
        applicant_type=asked["type"],
        applied_from=_date(asked["applied_from"]),
        applied_to=_date(asked["applied_to"]),
        told=asked["told"],
        days=asked["days"],
        order=asked["order"],
    )
    return filters, form, asked["limit"]


def _date(value: object) -> date | None:
    return value if isinstance(value, date) else None


def _asked_args() -> dict[str, Any]:
    """The filters as they stand in the address, to hand on."""
    return {name: request.args[name] for name in ASKED.load_fields if request.args.get(name)}


def _page_url(cursor: str | None) -> str | None:
    return cursor and address("applicants.listing", **_asked_args(), cursor=cursor)


def _named(names: Any) -> list[tuple[str, str]]:  # noqa: ANN401 (a mapping of sentences)
    return [(key, _(name)) for key, name in names.items()]


def _names() -> dict[str, dict[str, str]]:
    return {
        "status": dict(_named(STATUS_NAMES)),
        "type": dict(_named(TYPE_NAMES)),
        "stage": dict(_named(STAGE_NAMES)),
    }


def _choices(jobs: list[str]) -> dict[str, list[tuple[str, str]]]:
    return {
        "job": [(job, job) for job in jobs],
        "stage": _named(STAGE_NAMES),
        "status": _named(STATUS_NAMES),
        "type": _named(TYPE_NAMES),
        "told": _named(TOLD_NAMES),
        "order": _named(ORDER_NAMES),
        "limit": [(str(limit), _("%(n)s rows", n=limit)) for limit in listing.LIMITS],
    }
