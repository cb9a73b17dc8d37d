"""Notices in HR's browser: choose, write, look at each letter, confirm, approve, watch, report.

The choice comes from the list of applicants by POST. From then on everything about a batch stands
at `/notices/<id>`, which shows what is to be done in the state that the batch is in.
"""

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from node import forms, models
from node.i18n import later
from node.models.notices import EXCLUDED_GET
from node.refusals import Refusal
from node.services import notices, templates
from node.services.applicants.exclusion import REASONS
from node.services.notices import Sender, Wish, reports
from node.services.notices.review import sender_of
from node.web.entrance import node, require_role, user
from node.web.filters import moment

blueprint = Blueprint("notices", __name__, url_prefix="/notices")

STATES = {
    "draft": (later("Draft"), "neutral", "pencil"),
    "waiting_approval": (later("Waiting for approval"), "waiting", None),
    "approved": (later("Booked"), "info", "clock"),
    "sending": (later("Being sent"), "info", "send"),
    "sent": (later("Sent"), "success", None),
    "cancelled": (later("Cancelled"), "neutral", "slash-circle"),
}
STEPS = (
    later("Text and sender"),
    later("Look at each letter"),
    later("Confirm"),
    later("Approval"),
    later("Sending"),
)
CHECKS = ("recipients", "sender", "variables", "jobs")
MISSING_SHOWN = 100
PREVIEW_PEOPLE = 50
# The ids of 3,000 applicants take up to 60 bytes each.
CHOICE_BYTES_MAX = 512 * 1024

_AT_MOST = lazy_gettext("At most {max} characters.")


class Draft(Schema):
    """What HR chooses for a batch."""

    template_id = fields.String(required=True)
    sender_name = fields.String(load_default="", validate=validate.Length(max=80, error=_AT_MOST))
    sender_department = fields.String(
        load_default="", validate=validate.Length(max=80, error=_AT_MOST)
    )
    sender_phone = fields.String(load_default="", validate=validate.Length(max=40, error=_AT_MOST))
    sender_email = fields.Email(load_default="")
    excluded_get = fields.String(load_default="plain", validate=validate.OneOf(EXCLUDED_GET))
    wished_at = fields.NaiveDateTime(load_default=None, format="%Y-%m-%dT%H:%M")


DRAFT = Draft()


@blueprint.get("")
@require_role()
def listing() -> ResponseReturnValue:
    """All batches, newest first; `?state=waiting_approval` is the approvers' inbox."""
    inbox = request.args.get("state") == "waiting_approval"
    before = _key(request.args.get("before", ""))
    with node().database.reading() as session:
        waiting = reports.waiting(session)
        rows, following = (waiting, None) if inbox else reports.listing(session, before=before)
    after = url_for("notices.listing", before="~".join(map(str, following))) if following else None
    page = forms.Page(rows, previous=url_for("notices.listing") if before else None, next=after)
    return render_template(
        "notices/list.html", page=page, inbox=inbox, waiting=len(waiting), states=STATES
    )


@blueprint.post("/new")
@require_role("recruiter")
@forms.body_bytes_max(CHOICE_BYTES_MAX)
def new() -> ResponseReturnValue:
    """Begin a batch for the applicants that were ticked in the list."""
    here, who = node(), user()
    with here.database.transaction() as session:
        templates.install_defaults(session, here.context, user_id=who.id)
        template_id = notices.usual_template(session, who.id, who.locale)
        if template_id is None:
            flash(_("Write a template first, or take one back into use."), "warning")
            return redirect(url_for("templates.listing"))
        sender = notices.last_sender(session, who.id) or Sender(who.name, "", "", "")
        wish = Wish(template_id, sender)
        batch = notices.draft(
            session, here.context, request.form.getlist("chosen"), wish, user_id=who.id
        )
        batch_id = batch.id
    return redirect(url_for("notices.show", batch_id=batch_id))


@blueprint.get("/<batch_id>")
@require_role()
def show(batch_id: str) -> ResponseReturnValue:
    """The page of a batch, as its state asks for."""
    with node().database.reading() as session:
        batch = notices.get(session, batch_id)
        if batch.state == "draft":
            return _draft_page(session, batch, _form_of(batch))
        if batch.state == "waiting_approval":
            return _confirm_page(session, batch)
        return _course_page(session, batch)


@blueprint.post("/<batch_id>")
@require_role("recruiter")
def save(batch_id: str) -> ResponseReturnValue:
    """Keep what was chosen, and go on to the letters."""
    here = node()
    values, form = forms.read(DRAFT, request.form, _)
    if not form.errors:
        wished: datetime | None = values.pop("wished_at")
        zone = here.settings.time_zone
        at = int(wished.replace(tzinfo=zone).timestamp()) if wished else None
        sender = Sender(
            *(values.pop(f"sender_{one}") for one in ("name", "department", "phone", "email"))
        )
        try:
            with here.database.transaction() as session:
                wish = Wish(sender=sender, wished_at=at, **values)
                notices.change(session, here.context, batch_id, wish, user_id=user().id)
        except notices.BookingTooFar as refusal:
            form.errors["wished_at"] = _(refusal.sentence())
    if form.errors:
        with here.database.reading() as session:
            return _draft_page(session, notices.get(session, batch_id), form)
    return redirect(url_for("notices.letters", batch_id=batch_id))


@blueprint.get("/<batch_id>/letters")
@require_role()
def letters(batch_id: str) -> ResponseReturnValue:
    """Each person's letter, word for word; people at the left, the letter at the right."""
    here = node()
    with here.database.reading() as session:
        batch = notices.get(session, batch_id)
        seen = notices.review(session, here.context, batch)
        chosen = request.args.get("person", "")
        at = seen.to_send.index(chosen) if chosen in seen.to_send else 0
        first = at - at % PREVIEW_PEOPLE
        ids = seen.to_send[first : first + PREVIEW_PEOPLE]
        people = reports.by_applicants(session, here.context, batch_id, ids)
        people.sort(key=lambda one: ids.index(one.applicant_id))
        letter = None
        if ids:
            letter = notices.preview(session, here.context, batch, seen.to_send[at])
    neighbours = {
        "previous": seen.to_send[at - 1] if at else None,
        "next": seen.to_send[at + 1] if at + 1 < len(seen.to_send) else None,
    }
    return render_template(
        "notices/letters.html",
        batch=batch,
        seen=seen,
        people=people,
        letter=letter,
        place=at + 1,
        first=first,
        page_people=PREVIEW_PEOPLE,
        steps=[_(step) for step in STEPS],
        **neighbours,
    )


@blueprint.post("/<batch_id>/leave-out")
@require_role("recruiter")
def leave_out(batch_id: str) -> ResponseReturnValue:
    """Take one person out of a draft."""
    with node().database.transaction() as session:
        notices.leave_out(session, batch_id, request.form.get("applicant", ""))
    flash(_("One person has been taken out of this batch."), "success")
    return redirect(url_for("notices.letters", batch_id=batch_id))


@blueprint.post("/<batch_id>/test")
@require_role("recruiter")
def test(batch_id: str) -> ResponseReturnValue:
    """Send the letter to its own sender, with sample values."""
    here = node()
    with here.database.transaction() as session:
        batch = notices.send_test(session, here.context, batch_id, user_id=user().id)
        address = batch.sender_email
    flash(
        _("A test mail with sample values is on its way to %(address)s.", address=address), "info"
    )
    return redirect(url_for("notices.letters", batch_id=batch_id))


@blueprint.get("/<batch_id>/confirm")
@require_role("recruiter")
def confirm(batch_id: str) -> ResponseReturnValue:
    """確認画面"""
    with node().database.reading() as session:
        batch = notices.get(session, batch_id)
        if batch.state != "draft":
            return redirect(url_for("notices.show", batch_id=batch_id))
        return _confirm_page(session, batch)


@blueprint.post("/<batch_id>/request")
@require_role("recruiter")
def ask(batch_id: str) -> ResponseReturnValue:
    """Ask for approval; a small batch is booked at once."""
    here = node()
    if not set(CHECKS) <= set(request.form.getlist("checked")):
        with here.database.reading() as session:
            said = _("Tick each line once you have checked it.")
            return _confirm_page(session, notices.get(session, batch_id), error=said)
    try:
        with here.database.transaction() as session:
            batch = notices.request(
                session,
                here.context,
                batch_id,
                user_id=user().id,
                digest=request.form.get("digest", ""),
            )
            state = batch.state
    except (notices.BatchChanged, notices.ValuesMissing, notices.SenderIncomplete) as refusal:
        return _refused(batch_id, refusal)
    if state == "waiting_approval":
        flash(
            _("Approval has been asked for. Nothing leaves before another person agrees."), "info"
        )
    return redirect(url_for("notices.show", batch_id=batch_id))


def _refused(batch_id: str, refusal: Refusal) -> ResponseReturnValue:
    """Show the page to check again, with the reason on top of it."""
    with node().database.reading() as session:
        batch = notices.get(session, batch_id)
        return _confirm_page(session, batch, error=_(refusal.sentence()), status=refusal.status)


def _form_of(batch: models.NoticeBatch) -> forms.Form:
    wished = ""
    if batch.wished_at is not None:
        zone = node().settings.time_zone
        wished = datetime.fromtimestamp(batch.wished_at, zone).strftime("%Y-%m-%dT%H:%M")
    names = ("template_id", "sender_name", "sender_department", "sender_phone", "sender_email")
    values = {name: getattr(batch, name) for name in names}
    return forms.Form({**values, "excluded_get": batch.excluded_get, "wished_at": wished})


def _draft_page(
    session: Session, batch: models.NoticeBatch, form: forms.Form
) -> ResponseReturnValue:
    seen = notices.review(session, node().context, batch)
    options = [(row.id, row.name) for row in templates.listing(session)]
    page = render_template(
        "notices/draft.html",
        batch=batch,
        form=form,
        template_options=options,
        **_about(session, batch, seen),
    )
    return make_response(page, 422 if form.errors else 200)


def _confirm_page(
    session: Session, batch: models.NoticeBatch, *, error: str = "", status: int = 422
) -> ResponseReturnValue:
    """Everything once more: before asking for it, and before approving it."""
    here = node()
    seen = notices.review(session, here.context, batch)
    page = render_template(
        "notices/confirm.html",
        batch=batch,
        error=error,
        checks=CHECKS,
        view=reports.one(session, batch.id),
        needs_approval=notices.needs_approval(here.context, len(seen.to_send)),
        **_about(session, batch, seen),
    )
    return make_response(page, status if error else 200)


def _course_page(session: Session, batch: models.NoticeBatch) -> ResponseReturnValue:
    """Booked, being sent, sent or cancelled."""
    here = node()
    context = here.context
    failed, _more = reports.notices(session, context, batch.id, states=("failed",), limit=200)
    left, _more = reports.notices(session, context, batch.id, states=("cancelled",), limit=200)
    now, view = context.clock.now(), reports.one(session, batch.id)
    return make_response(
        render_template(
            "notices/course.html",
            batch=batch,
            view=view,
            events=_events(view),
            progress=reports.progress(session, batch.id),
            failed=failed,
            left=left,
            reasons=reason_names(),
            left_s=max(0, (batch.scheduled_at or now) - now),
            is_open=notices.in_hours(context, now) == now,
            next_slot=notices.in_hours(context, now),
            states=STATES,
            steps=[_(step) for step in STEPS],
        )
    )


def _events(view: reports.BatchView) -> list[dict[str, object]]:
    """The course of a batch so far, and what lies ahead."""
    approved = _("Approved") if view.approved_by else _("Booked")
    events: list[dict[str, object]] = [
        {"title": _("Prepared"), "at": view.created_at, "text": view.template},
        {"title": _("Asked for"), "at": view.requested_at, "who": view.requested_by},
        {"title": approved, "at": view.approved_at, "who": view.approved_by},
    ]
    if view.state == "cancelled":
        events = [event for event in events if event["at"]]
        events.append(
            {
                "title": _("Cancelled"),
                "at": view.cancelled_at,
                "who": view.cancelled_by,
                "icon": "x-circle",
            }
        )
    elif view.state == "approved":
        leaves = _("Leaves at %(at)s", at=moment(view.scheduled_at))
        events.append({"title": leaves, "at": None, "icon": "clock"})
    else:
        events.append({"title": _("Sending began"), "at": view.scheduled_at})
    return events


def _about(session: Session, batch: models.NoticeBatch, seen: notices.Review) -> dict[str, Any]:
    """What draft and confirmation both show of a batch."""
    context = node().context
    named = {
        reason: reports.by_applicants(session, context, batch.id, ids[:MISSING_SHOWN])
        for reason, ids in (*seen.by_reason.items(), *seen.left_out.items())
    }
    text = templates.text_of(session, batch.template_id, batch.version)
    letter = None
    if seen.to_send:
        letter = notices.preview(session, context, batch, seen.to_send[0])
    return {
        "seen": seen,
        "named": named,
        "text": text,
        "template": templates.get(session, batch.template_id),
        "letter": letter,
        "sender": sender_of(batch),
        "reasons": reason_names(),
        "missing_shown": MISSING_SHOWN,
        "cancel_until": seen.slot,
        "steps": [_(step) for step in STEPS],
    }


def reason_names() -> dict[str, str]:
    """Why somebody gets no letter, or one without a link, in words."""
    known = {**REASONS, **notices.LEFT_OUT, **reports.FAILURES}
    return {code: _(sentence) for code, sentence in known.items()}


def _key(text: str) -> tuple[int, str] | None:
    """Read a place in the list; None for anything that is none."""
    at, _tilde, batch_id = text.partition("~")
    return (int(at), batch_id) if at.isascii() and at.isdigit() and len(at) < 16 else None
