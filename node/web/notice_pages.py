"""The pages of a batch, one for each state: what they show, gathered in one place."""

from typing import Any

from flask import make_response, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from node import forms, models
from node.i18n import later
from node.services import notices, templates
from node.services.applicants.exclusion import REASONS
from node.services.notices import reports
from node.services.notices.review import sender_of
from node.web.entrance import node
from node.web.filters import moment

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


def draft_page(
    session: Session, batch: models.NoticeBatch, form: forms.Form
) -> ResponseReturnValue:
    """The text, who signs, and when; and who gets what."""
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


def confirm_page(
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


def confirm_again(batch_id: str, error: str, status: int = 422) -> ResponseReturnValue:
    """The page to check, as the batch stands now, with the reason on top of it."""
    with node().database.reading() as session:
        batch = notices.get(session, batch_id)
        return confirm_page(session, batch, error=error, status=status)


def course_page(session: Session, batch: models.NoticeBatch) -> ResponseReturnValue:
    """Booked, being sent, sent or cancelled."""
    here = node()
    context = here.context
    failed, _more = reports.notices(session, context, batch.id, states=("failed",), limit=200)
    delayed = reports.delayed(session, context, batch.id, limit=200)
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
            delayed=delayed,
            bounce_words=bounce_words,
            left=left,
            reasons=reason_names(),
            left_s=max(0, (batch.scheduled_at or now) - now),
            is_open=notices.in_hours(context, now) == now,
            next_slot=notices.in_hours(context, now),
            states=STATES,
            steps=steps(),
        )
    )


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
        "steps": steps(),
    }


def reason_names() -> dict[str, str]:
    """Why somebody gets no letter, or one without a link, in words."""
    known = {**REASONS, **notices.LEFT_OUT, **reports.FAILURES}
    return {code: _(sentence) for code, sentence in known.items()}


def bounce_words(status: str) -> str:
    """What a status such as 5.1.1 means, with the status for whoever runs the mail server."""
    return f"{_(reports.bounce_words(status))} ({status})"


def _events(view: reports.BatchView) -> list[dict[str, object]]:
    """The course of a batch so far, and what lies ahead."""
    approved = _("Approved") if view.approved_by else _("Booked")
    events: list[dict[str, object]] = [
        {
            "title": _("Prepared"),
            "at": view.created_at,
            "who": view.requested_by,
            "text": view.template,
        },
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


def steps() -> list[str]:
    """The way of a batch, in words."""
    return [str(_(step)) for step in STEPS]
