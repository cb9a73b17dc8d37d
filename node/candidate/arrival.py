"""Arrival: the page a private link opens. Looking at it changes nothing, however often.

Mail scanners and previews open every link (DOMAIN 2.4 C1), so the page does nothing but tell: who
sends this, why, that it is free and optional, who pays whom. A person begins by a button.
"""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from node import models
from node.candidate import visit
from node.candidate.words import sender_of
from node.services import consents, links, relays

blueprint = Blueprint("candidate_arrival", __name__)


@blueprint.get("/l/<token>")
def show(token: str) -> ResponseReturnValue:
    """Tell what this is. Nothing is written, no name is shown."""
    here = visit.node()
    with here.database.reading() as session:
        link = _find(session, token)
        return render_template(
            "candidate/arrival.html",
            sender=sender_of(session, here.context),
            partners=consents.offered(session, here.context, link.applicant_id),
            handed_on=relays.of_applicant(session, link.applicant_id) is not None,
            policy=here.context.charter(session).policy,
            link=link,
            token=token,
        )


@blueprint.post("/l/start")
def start() -> ResponseReturnValue:
    """Begin: from here on a cookie knows the link, and the address no longer shows it."""
    here = visit.node()
    with here.database.transaction() as session:
        link = _find(session, request.form.get("token", ""))
        consents.begin(session, here.context, link, visit.spoken())
    visit.begin(link.id)
    return redirect(url_for("candidate_choices.partners"))


@blueprint.post("/l/stop")
def stop() -> ResponseReturnValue:
    """Honour 今後ご案内不要: for good, without asking why."""
    here = visit.node()
    with here.database.transaction() as session:
        sender = sender_of(session, here.context)
        try:
            link = _find(session, request.form.get("token", ""))
        except links.LinkRevoked:
            link = None  # sent twice: it is done already
        if link is not None:
            consents.refuse_contact(session, here.context, link)
    visit.end()
    return render_template("candidate/stopped.html", sender=sender)


def _find(session: Session, token: str) -> models.Link:
    """The open link of a token; tries that find nothing are counted."""
    here = visit.node()
    try:
        return links.find(session, here.context, token)
    except links.LinkUnknown:
        visit.limits().refuse_guessing(visit.address_here(), here.clock.monotonic())
        raise
