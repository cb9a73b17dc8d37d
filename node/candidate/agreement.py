"""The agreement: exactly what would be sent, one line of consent for each company, and the button.

The text above the button is rendered once, hashed and shown. When the button is pressed it is
rendered again; only if both are the same, what the person saw is what is agreed to.
"""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from node import forms
from node.candidate import reading, visit
from node.candidate.words import sender_of
from node.services import consents
from node.services.consents import ConsentGiven, NoPartnerChosen, PageChanged, ProfileIncomplete

blueprint = Blueprint("candidate_agreement", __name__)

# Where what is missing can be entered.
PLACES = {
    "how": "candidate_choices.how",
    "about": "candidate_profile.about",
    "experience": "candidate_profile.experience",
}


@blueprint.get("/l/check")
@visit.needs_code
def show() -> ResponseReturnValue:
    """What would be sent; or the page where something is missing."""
    try:
        return _page()
    except NoPartnerChosen:
        return redirect(url_for("candidate_choices.partners"))
    except ProfileIncomplete as error:
        return redirect(url_for(PLACES[str(error.facts.get("page", "about"))]))


@blueprint.post("/l/check")
@visit.needs_code
def agree() -> ResponseReturnValue:
    """Give the consent; sent twice, it is given once."""
    here, link_id = visit.node(), visit.current().link_id
    agreed = request.form.getlist("agree")
    if not agreed:
        said = _("Please tick the companies to which you agree; without a tick nothing is sent.")
        return _page(forms.Form({}, {"agree": said}), 422)
    try:
        with here.database.transaction() as session:
            consents.open_link(session, here.context, link_id)
            consents.give(
                session,
                here.context,
                link_id,
                agreed=agreed,
                render=lambda preview: _text(session, preview),
                seen_hash=request.form.get("seen", "")[:64],
                language=visit.spoken(),
                network=visit.network(),
            )
    except PageChanged as error:
        return _page(forms.Form({}, {"form": _(error.sentence())}), error.status)
    return redirect(url_for("candidate_agreement.done"))


@blueprint.get("/l/done")
@visit.needs_code
def done() -> ResponseReturnValue:
    """It is done; where to look things up."""
    here, link_id = visit.node(), visit.current().link_id
    with here.database.reading() as session:
        token = consents.status_token_of(session, here.context, link_id)
        status = consents.find_status(session, here.context, token)
        return render_template(
            "candidate/done.html",
            sender=sender_of(session, here.context),
            status=status,
            token=token,
        )


def _page(form: forms.Form | None = None, status: int = 200) -> ResponseReturnValue:
    here, link_id = visit.node(), visit.current().link_id
    with here.database.reading() as session:
        consents.open_link(session, here.context, link_id)
        if consents.load(session, here.context, link_id).state == "given":
            raise ConsentGiven
        preview = consents.preview(session, here.context, link_id)
        text = _text(session, preview)
        page = render_template(
            "candidate/check.html",
            sender=sender_of(session, here.context),
            preview=preview,
            text=text,
            seen=consents.hash_of(text),
            remarks=consents.remarks(reading.free_texts(preview.profile)),
            form=form or forms.Form(),
        )
    return make_response(page, status)


def _text(session: Session, preview: consents.Preview) -> str:
    """The text that is agreed to: the same bytes for the same choice, language and charter."""
    here = visit.node()
    return render_template(
        "candidate/_agreement.html",
        sender=sender_of(session, here.context),
        preview=preview,
        items=consents.item_list(_, preview.items),
        card=reading.card_sections(preview.card),
        profile=reading.profile_sections(preview.profile),
        card_json=reading.exact(preview.card),
        profile_json=reading.exact(preview.profile),
        version=consents.text_version(visit.spoken()),
    )
