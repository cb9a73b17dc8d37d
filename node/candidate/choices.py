"""The first choices: to which companies, one by one, and how.  DOMAIN 2.4 C3, C4.

Nothing is ticked beforehand, and at most as many companies stand on a screen as the charter says.
"""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from marshmallow import Schema, fields, validate

from node import forms
from node.candidate import visit
from node.candidate.words import STAGES, sender_of
from node.services import consents
from node.services.consents import REACHED_STAGES, ConsentGiven
from protocol import Member

blueprint = Blueprint("candidate_choices", __name__)


class HowSchema(Schema):
    """How the data is sent; what is not ticked is no."""

    order = fields.String(required=True, validate=validate.OneOf(["card", "ask", "profile"]))
    hide_source = fields.String()
    hide_stage = fields.String()
    share_progress = fields.String()


HOW = HowSchema()


@blueprint.get("/l/partners")
def partners() -> ResponseReturnValue:
    """One screen of companies."""
    return _partners(_asked_screen(request.args.get("screen", "")))


@blueprint.post("/l/partners")
def choose() -> ResponseReturnValue:
    """Record the ticks of one screen, and go on to the next or the previous."""
    here, link_id = visit.node(), visit.current().link_id
    screen = _asked_screen(request.form.get("screen", ""))
    with here.database.transaction() as session:
        link = consents.open_link(session, here.context, link_id)
        offered = consents.offered(session, here.context, link.applicant_id)
        most = here.context.charter(session).policy.partners_per_screen
        shown = [member.id for member in _of_screen(offered, screen, most)]
        draft = consents.choose(
            session, here.context, link_id, shown=shown, ticked=request.form.getlist("partner")
        )
    screens = _screens(offered, most)
    if request.form.get("go") == "back":
        return redirect(url_for("candidate_choices.partners", screen=max(1, screen - 1)))
    if screen < screens:
        return redirect(url_for("candidate_choices.partners", screen=screen + 1))
    if not draft.chosen:
        said = _("Please tick at least one company, or close this page if none suits you.")
        return _partners(screen, forms.Form({}, {"partner": said}), 422)
    return redirect(url_for("candidate_choices.how"))


def _partners(
    screen: int, form: forms.Form | None = None, status: int = 200
) -> ResponseReturnValue:
    here, link_id = visit.node(), visit.current().link_id
    with here.database.reading() as session:
        consents.open_link(session, here.context, link_id)
        draft = consents.load(session, here.context, link_id)
        if draft.state == "given":
            raise ConsentGiven
        offered = consents.offered(session, here.context, draft.applicant_id)
        policy = here.context.charter(session).policy
        screens = _screens(offered, policy.partners_per_screen)
        page = render_template(
            "candidate/partners.html",
            sender=sender_of(session, here.context),
            partners=_of_screen(offered, min(screen, screens), policy.partners_per_screen),
            chosen=draft.chosen,
            policy=policy,
            screen=min(screen, screens),
            screens=screens,
            form=form or forms.Form(),
        )
    return make_response(page, status)


def _asked_screen(typed: str) -> int:
    return max(1, int(typed)) if typed.isascii() and typed.isdigit() and len(typed) < 4 else 1


def _screens(offered: list[Member], most: int) -> int:
    return max(1, -(-len(offered) // most))


def _of_screen(offered: list[Member], screen: int, most: int) -> list[Member]:
    return offered[(screen - 1) * most : screen * most]


@blueprint.get("/l/how")
def how() -> ResponseReturnValue:
    """How to send."""
    return _how()


@blueprint.post("/l/how")
def decide() -> ResponseReturnValue:
    """Record it."""
    here, link_id = visit.node(), visit.current().link_id
    values, form = forms.read(HOW, request.form, _)
    if form.errors:
        return _how(form, 422)
    with here.database.transaction() as session:
        consents.open_link(session, here.context, link_id)
        consents.decide(
            session,
            here.context,
            link_id,
            hide_source="hide_source" in values,
            hide_stage="hide_stage" in values,
            share_progress="share_progress" in values,
            profile_at_once=values["order"] == "profile",
            asks_first=values["order"] == "ask",
        )
    return redirect(url_for("candidate_contact.show"))


def _how(form: forms.Form | None = None, status: int = 200) -> ResponseReturnValue:
    here, link_id = visit.node(), visit.current().link_id
    with here.database.reading() as session:
        consents.open_link(session, here.context, link_id)
        draft = consents.load(session, here.context, link_id)
        if draft.state == "given":
            raise ConsentGiven
        stage = consents.stage_of(session, draft)
        order = "ask" if draft.asks_first else "card"
        kept = forms.Form(
            {
                "order": "profile" if draft.profile_at_once else order,
                "hide_source": "yes" if draft.hide_source else "",
                "hide_stage": "yes" if draft.hide_stage else "",
                "share_progress": "yes" if draft.share_progress else "",
            }
        )
        page = render_template(
            "candidate/how.html",
            sender=sender_of(session, here.context),
            form=form or kept,
            stage=STAGES[stage] if stage in REACHED_STAGES else "",
        )
    return make_response(page, status)
