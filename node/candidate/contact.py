"""The code: six digits by mail, before any page shows what the company knows of the person."""

from __future__ import annotations

from flask import Blueprint, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from node import forms
from node.candidate import codes, visit
from node.candidate.words import sender_of
from node.services import consents
from node.services.consents import CodeTooMany, CodeTooSoon, ConsentGiven, Outcome

blueprint = Blueprint("candidate_contact", __name__)


@blueprint.get("/l/code")
def show() -> ResponseReturnValue:
    """Where the code goes, and the field for it once it was sent."""
    return _page()


@blueprint.post("/l/code/send")
def send() -> ResponseReturnValue:
    """Mail a code; asked for twice in a row, the first one stands."""
    here, link_id = visit.node(), visit.current().link_id
    try:
        with here.database.transaction() as session:
            consents.open_link(session, here.context, link_id)
            consents.send_code(session, here.context, link_id, visit.spoken())
    except CodeTooSoon:
        flash(_("A code is on its way already. Please look into your mailbox."), "info")
    except CodeTooMany as error:
        return _page(forms.Form({}, {"form": _(error.sentence())}), error.status)
    else:
        flash(_("The code has been sent. It arrives within a minute or two."), "success")
    return redirect(url_for("candidate_contact.show"))


@blueprint.post("/l/code")
def check() -> ResponseReturnValue:
    """Judge the code that was typed."""
    here, link_id, typed = visit.node(), visit.current().link_id, codes.typed()
    if not typed:
        return _page(forms.Form({}, {"code": codes.not_six()}), 422)
    with here.database.transaction() as session:
        consents.open_link(session, here.context, link_id)
        outcome, left = consents.verify_code(session, here.context, link_id, typed)
    if outcome is Outcome.RIGHT:
        visit.verify()
        return redirect(url_for("candidate_profile.about"))
    return _page(forms.Form({}, {"code": codes.said(outcome, left)}), 422)


def _page(form: forms.Form | None = None, status: int = 200) -> ResponseReturnValue:
    here, link_id = visit.node(), visit.current().link_id
    with here.database.reading() as session:
        consents.open_link(session, here.context, link_id)
        draft = consents.load(session, here.context, link_id)
        if draft.state == "given":
            raise ConsentGiven
        page = render_template(
            "candidate/code.html",
            sender=sender_of(session, here.context),
            mailbox=codes.masked(consents.facts_of(session, here.context, draft).email),
            under_way=consents.is_under_way(session, here.context, link_id),
            verified=visit.current().verified,
            form=form or forms.Form(),
        )
    return make_response(page, status)
