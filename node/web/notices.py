"""Notices in HR's browser: choose, write, look at each letter, confirm, approve, watch, report.

The choice comes from the list of applicants by POST. From then on everything about a batch stands
at `/notices/<id>`, which shows what is to be done in the state that the batch is in.
"""

from datetime import datetime

from flask import (
    Blueprint,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from marshmallow import Schema, fields, validate

from node import forms, models
from node.models.notices import EXCLUDED_GET
from node.services import notices, templates
from node.services.notices import Sender, Wish, reports
from node.web.entrance import node, require_role, user
from node.web.notice_pages import (
    CHECKS,
    STATES,
    confirm_again,
    confirm_page,
    course_page,
    draft_page,
    steps,
)

blueprint = Blueprint("notices", __name__, url_prefix="/notices")

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
        "notices/list.html",
        page=page,
        inbox=inbox,
        waiting=len(waiting),
        states=STATES,
        applicants_url=_applicants_url(),
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
            return draft_page(session, batch, _form_of(batch))
        if batch.state == "waiting_approval":
            return confirm_page(session, batch)
        return course_page(session, batch)


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
            return draft_page(session, notices.get(session, batch_id), form)
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
        steps=steps(),
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
        return confirm_page(session, batch)


@blueprint.post("/<batch_id>/request")
@require_role("recruiter")
def ask(batch_id: str) -> ResponseReturnValue:
    """Ask for approval; a small batch is booked at once."""
    here = node()
    if not set(CHECKS) <= set(request.form.getlist("checked")):
        return confirm_again(batch_id, _("Tick each line once you have checked it."))
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
        return confirm_again(batch_id, _(refusal.sentence()), refusal.status)
    if state == "waiting_approval":
        flash(
            _("Approval has been asked for. Nothing leaves before another person agrees."), "info"
        )
    return redirect(url_for("notices.show", batch_id=batch_id))


def _form_of(batch: models.NoticeBatch) -> forms.Form:
    wished = ""
    if batch.wished_at is not None:
        zone = node().settings.time_zone
        wished = datetime.fromtimestamp(batch.wished_at, zone).strftime("%Y-%m-%dT%H:%M")
    names = ("template_id", "sender_name", "sender_department", "sender_phone", "sender_email")
    values = {name: getattr(batch, name) for name in names}
    return forms.Form({**values, "excluded_get": batch.excluded_get, "wished_at": wished})


def _applicants_url() -> str | None:
    """Where people are chosen who were not selected and have not been told yet."""
    built = "applicants.listing" in current_app.view_functions
    if not (built and user().may("recruiter")):
        return None
    return url_for("applicants.listing", status="rejected", told="no")


def _key(text: str) -> tuple[int, str] | None:
    """Read a place in the list; None for anything that is none."""
    at, _tilde, batch_id = text.partition("~")
    return (int(at), batch_id) if at.isascii() and at.isdigit() and len(at) < 16 else None
