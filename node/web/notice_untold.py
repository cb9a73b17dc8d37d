"""The report of those who were never told: a list to act on, and the same as a file."""

from collections.abc import Iterator

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from marshmallow import Schema, fields, validate

from node import forms
from node.i18n import later
from node.services.notices import untold
from node.web.applicants import STAGE_NAMES, notices_url
from node.web.csv_files import csv_answer
from node.web.entrance import node, require_role
from node.web.filters import day

blueprint = Blueprint("notice_untold", __name__, url_prefix="/notices")

# Where the notice stands that was to tell them; without one nobody has begun.
STATES = {
    None: (later("Nothing prepared"), "warning", "exclamation-triangle"),
    "waiting": (later("Waiting for approval"), "waiting", None),
    "queued": (later("Booked"), "info", "clock"),
    "sent": (later("Sent"), "success", None),
    "failed": (later("Failed"), "danger", None),
}


class Asked(Schema):
    """What the filter bar can ask."""

    days = fields.Integer(load_default=untold.DAYS, validate=validate.Range(0, untold.DAYS_MAX))


ASKED = Asked()


@blueprint.get("/untold")
@require_role()
def show() -> ResponseReturnValue:
    """One page, those who wait longest first; `?days=14` asks for longer silence."""
    days, form = _asked()
    here = node()
    with here.database.reading() as session:
        found = untold.page(session, here.context, days, request.args.get("cursor", ""))
        total, more = untold.count(session, here.context, days)
        others = 0 if total else untold.count(session, here.context, 0)[0]
    page = forms.Page(
        found.rows, previous=_page_url(days, found.previous), next=_page_url(days, found.next)
    )
    return render_template(
        "notices/untold.html",
        page=page,
        form=form,
        days=days,
        total=total,
        more=more,
        others=others,
        states=STATES,
        stage_names={key: _(name) for key, name in STAGE_NAMES.items()},
        notices_url=notices_url(),
    )


@blueprint.get("/untold.csv")
@require_role("recruiter", "approver")
def download() -> Response:
    """All of them as a file."""
    days, _form = _asked()
    here = node()

    def rows() -> Iterator[list[str]]:
        yield [_("Name"), _("E-mail"), _("Job"), _("Selection stage"), _("Rejected on"),
               _("Days"), _("State")]  # fmt: skip
        with here.database.reading() as session:
            for each in untold.every(session, here.context, days):
                row, person = each.entry.row, each.entry.person
                stage = row.stage or _(STAGE_NAMES[row.stage_code])
                yield [
                    person.name if person else "",
                    person.email if person else "",
                    row.job,
                    stage,
                    day(row.rejected_on),
                    str(each.entry.days_waiting or 0),
                    str(_(STATES[each.state][0])),
                ]

    return csv_answer(rows, f"untold-{days}-days.csv")


def _asked() -> tuple[int, forms.Form]:
    """The days in the address; what cannot be is shown with its sentence, and the usual taken."""
    found, form = forms.read(ASKED, request.args, _)
    days = found.get("days", untold.DAYS)
    return days, forms.Form(form.values if form.errors else {"days": days}, form.errors)


def _page_url(days: int, cursor: str | None) -> str | None:
    return url_for("notice_untold.show", days=days, cursor=cursor) if cursor else None
