"""The course of a batch: approve, give back, cancel, watch, send again, take the report along."""

import csv
import io

from flask import (
    Blueprint,
    Response,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from node.services import notices
from node.services.applicants.exporting import neutral
from node.services.notices import reports
from node.web.entrance import node, require_role, user
from node.web.filters import moment
from node.web.notice_pages import CHECKS, STATES, bounce_words, confirm_again, reason_names

blueprint = Blueprint("notice_course", __name__, url_prefix="/notices")

REPORT_ROWS = 3000
NOTICE_STATES = ("waiting", "queued", "sent", "failed", "cancelled")


@blueprint.post("/<batch_id>/approve")
@require_role("approver")
def approve(batch_id: str) -> ResponseReturnValue:
    """Agree as the second person, to what the page showed."""
    here = node()
    if not set(CHECKS) <= set(request.form.getlist("checked")):
        return confirm_again(batch_id, _("Tick each line once you have checked it."))
    seen = request.form.get("digest", "")
    try:
        with here.database.transaction() as session:
            notices.approve(session, here.context, batch_id, user_id=user().id, digest=seen)
    except (notices.BatchChanged, notices.ValuesMissing) as refusal:
        return confirm_again(batch_id, _(refusal.sentence()), refusal.status)
    flash(_("The batch is approved and booked."), "success")
    return redirect(url_for("notices.show", batch_id=batch_id))


@blueprint.post("/<batch_id>/give-back")
@require_role("approver", "recruiter")
def give_back(batch_id: str) -> ResponseReturnValue:
    """Make it a draft again: the approver wants a change, or its author does."""
    here = node()
    with here.database.transaction() as session:
        notices.give_back(session, here.context, batch_id, user_id=user().id)
    flash(_("The batch is a draft again. Nothing was sent."), "success")
    return redirect(url_for("notices.show", batch_id=batch_id))


@blueprint.post("/<batch_id>/cancel")
@require_role("recruiter", "approver")
def cancel(batch_id: str) -> ResponseReturnValue:
    """Stop every mail; refused once the first has left."""
    here = node()
    with here.database.transaction() as session:
        notices.cancel(session, here.context, batch_id, user_id=user().id)
    flash(_("The batch is cancelled. Not one mail was sent."), "success")
    return redirect(url_for("notices.show", batch_id=batch_id))


@blueprint.post("/<batch_id>/resend")
@require_role("recruiter")
def resend(batch_id: str) -> ResponseReturnValue:
    """Queue the failed ones again, with the links they have."""
    here = node()
    with here.database.transaction() as session:
        notices.resend_failed(session, here.context, batch_id, user_id=user().id)
    flash(_("The failed notices are sent again."), "info")
    return redirect(url_for("notices.show", batch_id=batch_id))


@blueprint.get("/<batch_id>/progress")
@require_role()
def progress(batch_id: str) -> ResponseReturnValue:
    """The progress bar alone; when the batch is over, the browser loads the whole page again."""
    with node().database.reading() as session:
        found = reports.progress(session, batch_id)
    answer = make_response(
        render_template("notices/_progress.html", progress=found, batch_id=batch_id)
    )
    if found.is_over:
        answer.headers["HX-Refresh"] = "true"
    return answer


@blueprint.get("/<batch_id>/report.csv")
@require_role("recruiter", "approver")
def report(batch_id: str) -> ResponseReturnValue:
    """Everybody of the batch and what became of it, for a spreadsheet."""
    here = node()
    with here.database.reading() as session:
        view = reports.one(session, batch_id)
        rows, _more = reports.notices(
            session, here.context, batch_id, states=NOTICE_STATES, limit=REPORT_ROWS
        )
    names, out = reason_names(), io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    heads = [_("Name"), _("E-mail"), _("Job"), _("Selection stage"), _("State")]
    writer.writerow([*heads, _("Private link"), _("Sent at"), _("Reason")])
    for row in rows:
        cells = (row.name, row.email, row.job, row.stage, notice_state(row.state))
        link = _("With") if row.with_link else _("Without")
        sent = moment(row.sent_at) if row.sent_at else ""
        why = names.get(row.reason or "", row.reason or "")
        if row.bounce_status:
            said = bounce_words(row.bounce_status)
            why = f"{why if row.state == 'failed' else _('Delayed')}: {said}"
        writer.writerow([neutral(cell) for cell in (*cells, link, sent, why)])
    answer = Response("\ufeff" + out.getvalue(), mimetype="text/csv")
    stamp = moment(view.created_at)[:10].replace("/", "").replace(" ", "-")
    answer.headers["Content-Disposition"] = f'attachment; filename="notices-{stamp}.csv"'
    return answer


def notice_state(state: str) -> str:
    """The state of one notice in words."""
    if state == "failed":
        return str(_("Failed"))
    known = {"waiting": "waiting_approval", "queued": "approved"}
    return str(_(STATES[known.get(state, state)][0]))
